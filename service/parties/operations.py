"""Parties and their channels: adding them, and finding whose channel a page stands in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.audit import Actor, record
from service.errors import BadInput, Conflict
from service.outlets.models import Outlet
from service.parties.identifiers import check_credit_code, holders_of, normalise_identifier
from service.parties.models import CHANNEL_KINDS, RELATIONS, Channel, Party


def add_party(
    session: Session,
    actor: Actor,
    name: str,
    *,
    relation: str = "third",
    outlet: Outlet | None = None,
    credit_code: str = "",
) -> Party:
    """A new party. Relation *own* means a member outlet and needs `outlet`; the others must not have one.

    Raises BadInput naming the field, and Conflict when the name or the code is taken.
    """
    name = " ".join(name.split())
    if not (0 < len(name) <= 200 and name.isprintable()):
        raise BadInput("party: 1 to 200 printable characters", "party")
    _check_relation(relation, outlet)
    code = check_credit_code(credit_code) if credit_code.strip() else None
    if find_party(session, name) is not None:
        raise Conflict(f"there is a party “{name}” already")
    if code and session.scalars(select(Party.id).where(Party.credit_code == code)).first() is not None:
        raise Conflict(f"the code {code} belongs to another party")
    party = Party(name=name, relation=relation, outlet_id=outlet.id if outlet else None, credit_code=code)
    session.add(party)
    record(session, actor, "party.added", party, relation=relation)
    return party


def find_party(session: Session, name: str) -> Party | None:
    """The party of exactly this name (spaces collapsed), None when there is none."""
    return session.scalars(select(Party).where(Party.name == " ".join(name.split()))).first()


def change_relation(session: Session, actor: Actor, party: Party, relation: str, outlet: Outlet | None = None) -> bool:
    """Sets how the party stands to the Centre; True when that changed something. It leaves an event with both values:
    what a partner or an own channel carries is never flagged.
    """
    _check_relation(relation, outlet)
    outlet_id = outlet.id if outlet else None
    if (party.relation, party.outlet_id) == (relation, outlet_id):
        return False
    old, party.relation, party.outlet_id = party.relation, relation, outlet_id
    record(session, actor, "party.relation_changed", party, old=old, new=relation)
    return True


def _check_relation(relation: str, outlet: Outlet | None) -> None:
    if relation not in RELATIONS:
        raise BadInput(f"relation: choose from {', '.join(RELATIONS)}", "relation")
    if (relation == "own") != (outlet is not None):
        raise BadInput("outlet: a party of relation “own” names its outlet, any other names none", "outlet")


def add_channel(session: Session, actor: Actor, party: Party, kind: str, identifier: str) -> Channel:
    """The party's channel, new or already there. Raises BadInput when unfit, Conflict when another party has it."""
    if kind not in CHANNEL_KINDS:
        raise BadInput(f"kind: choose from {', '.join(CHANNEL_KINDS)}", "kind")
    identifier = normalise_identifier(kind, identifier)
    channel = find_channel(session, kind, identifier)
    if channel is None:
        channel = Channel(party=party, kind=kind, identifier=identifier)
        session.add(channel)
        record(session, actor, "channel.added", channel, party=party.id, kind=kind)
    elif channel.party_id != party.id:
        raise Conflict(f"the channel {kind}:{identifier} belongs to “{channel.party.name}”")
    return channel


def find_channel(session: Session, kind: str, identifier: str) -> Channel | None:
    """The channel with this normalised identifier, None when nobody has it."""
    return session.scalars(select(Channel).where(Channel.kind == kind, Channel.identifier == identifier)).first()


def channel_for(session: Session, host: str) -> Channel | None:
    """The nearest of `channels_for`; None when nobody's is known."""
    return next(iter(channels_for(session, host)), None)


def channels_for(session: Session, host: str) -> list[Channel]:
    """The domain channels that cover a host (as `host_of` gives it), nearest first, their parties loaded.

    `news.a.example` is covered by `news.a.example` and by `a.example`. See `holders_of`.
    """
    holders = list(holders_of(host))
    found = session.scalars(
        select(Channel)
        .where(Channel.kind == "domain", Channel.identifier.in_(holders))
        .options(joinedload(Channel.party))
    )
    return sorted(found, key=lambda channel: holders.index(channel.identifier))
