"""Parties and their channels: adding them, and finding whose channel a page stands in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.audit import Actor, record
from service.errors import BadInput, Conflict
from service.outlets.models import Outlet
from service.parties.identifiers import normalise_identifier, parents_of
from service.parties.models import CHANNEL_KINDS, RELATIONS, Channel, Party


def add_party(
    session: Session, actor: Actor, name: str, *, relation: str = "third", outlet: Outlet | None = None
) -> Party:
    """A new party. Raises BadInput on an empty name or unknown relation, Conflict when the name is taken."""
    name = name.strip()
    if not name or len(name) > 200:
        raise BadInput("使用方名称应为 1–200 个字。", "party")
    if relation not in RELATIONS:
        raise BadInput(f"关系“{relation[:20]}”不在 {'、'.join(RELATIONS)} 之中。", "relation")
    if (relation == "own") != (outlet is not None):
        raise BadInput("自有渠道须注明所属媒体，其他关系不得注明。", "outlet")
    if find_party(session, name) is not None:
        raise Conflict(f"使用方“{name}”已存在。")
    party = Party(name=name, relation=relation, outlet_id=outlet.id if outlet else None)
    session.add(party)
    record(session, actor, "party.added", party)
    return party


def find_party(session: Session, name: str) -> Party | None:
    """The party of this exact name."""
    return session.scalars(select(Party).where(Party.name == name.strip())).first()


def add_channel(session: Session, actor: Actor, party: Party, kind: str, identifier: str) -> Channel:
    """The party's channel, new or already there. Raises BadInput when unfit, Conflict when another party has it."""
    if kind not in CHANNEL_KINDS:
        raise BadInput(f"渠道类型“{kind[:20]}”不在 {'、'.join(CHANNEL_KINDS)} 之中。", "kind")
    normalised = normalise_identifier(kind, identifier)
    channel = session.scalars(select(Channel).where(Channel.kind == kind, Channel.identifier == normalised)).first()
    if channel is None:
        channel = Channel(party_id=party.id, kind=kind, identifier=normalised)
        session.add(channel)
        record(session, actor, "channel.added", channel)
    elif channel.party_id != party.id:
        raise Conflict(f"渠道 {kind}:{normalised} 已登记在“{channel.party.name}”名下。")
    return channel


def channel_for(session: Session, host: str) -> Channel | None:
    """The domain channel that a host belongs to: its own, else that of the nearest parent domain."""
    names = parents_of(host)
    channels = session.scalars(
        select(Channel)
        .where(Channel.kind == "domain", Channel.identifier.in_(names))
        .options(joinedload(Channel.party))
    ).all()
    return min(channels, key=lambda channel: names.index(channel.identifier), default=None)
