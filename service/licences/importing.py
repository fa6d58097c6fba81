"""Historic licences, given by telephone or on paper, and the channels of partners and licensees, from CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.audit import Actor
from service.clock import parse_day, utc_now
from service.errors import BadInput, Conflict
from service.licences.models import ACTS, Licence
from service.licences.operations import LicenceDraft, find_licence, grant_licence, terms_of
from service.outlets.models import Outlet
from service.outlets.operations import find_outlet
from service.parties.identifiers import normalise_identifier
from service.parties.models import CHANNEL_KINDS, RELATIONS, Channel, Party
from service.parties.operations import add_channel, add_party, change_relation, find_channel, find_party
from service.sheets import Row, TableReport, cell, import_table, parts, yes_or_no
from service.works.models import Work

LICENCE_COLUMNS = ("reference", "party", "scope", "acts", "channels", "valid_from", "valid_to")
CHANNEL_COLUMNS = ("party", "relation", "kind", "identifier")
Item = TypeVar("Item")
_NUMBER = re.compile(r"YJ-W-(\d{4})-(\d{6,})")
_SCOPES = {"works": "works", "blanket": "blanket", "单篇": "works", "概括": "blanket"}


def import_licences(
    session: Session, actor: Actor, path: Path, *, dry_run: bool = False, at: datetime | None = None
) -> TableReport:
    """Records the licences of a file. One with the same reference and terms is left as it is, with others refused.

    Columns: reference, party, scope (works, blanket), works (numbers or external ids), outlets, acts, channels
    (`kind:identifier`, or * for all), valid_from, valid_to, perpetual, credit_text; several values are separated by
    semicolons. Empty dates, acts and channels mean *not known*. A party or channel that is not recorded yet is added.
    """
    now = at or utc_now()

    def take(row: Row) -> bool:
        reference = cell(row, "reference")
        if not reference:
            raise BadInput("missing; without it the same licence could be recorded twice", "reference")
        known = find_licence(session, reference)
        party = _party(session, actor, cell(row, "party"))
        draft = _draft(session, actor, row, reference, party)
        if known is None:
            grant_licence(session, actor, draft, now)
            return True
        if not _is_same(known, draft):
            raise Conflict(f"the licence {reference} is recorded already, with other terms")
        return False

    return import_table(session, path, LICENCE_COLUMNS, take, dry_run=dry_run)


def import_channels(session: Session, actor: Actor, path: Path, *, dry_run: bool = False) -> TableReport:
    """Records where parties publish, and how they stand to the Centre.

    Columns: party, relation (third, partner, own; empty leaves it), kind, identifier, and outlet for relation *own*.
    A file that names two relations for one party is refused: what a partner carries is never flagged.
    """
    stated: dict[str, tuple[str, str]] = {}

    def take(row: Row) -> bool:
        name = " ".join(cell(row, "party").split())
        said = (_coded(cell(row, "relation"), RELATIONS), cell(row, "outlet"))
        if said[0] and stated.get(name, said) != said:
            raise Conflict(f"“{name}” has another relation further up in this file")
        party = _related_party(session, actor, name, *said)
        kind = _coded(cell(row, "kind"), CHANNEL_KINDS)
        is_new = _channel(session, actor, party, kind, cell(row, "identifier"))[1]
        if said[0]:
            stated[name] = said
        return is_new

    return import_table(session, path, CHANNEL_COLUMNS, take, dry_run=dry_run)


def _related_party(session: Session, actor: Actor, name: str, relation: str, outlet_code: str) -> Party:
    """The party of this name, standing to the Centre as stated; an empty relation leaves it, or means a third party."""
    outlet = find_outlet(session, outlet_code) if outlet_code else None
    party = find_party(session, name)
    if party is None:
        return add_party(session, actor, name, relation=relation or "third", outlet=outlet)
    if relation:
        change_relation(session, actor, party, relation, outlet)
    return party


def _draft(session: Session, actor: Actor, row: Row, reference: str, party: Party) -> LicenceDraft:
    scope = cell(row, "scope")
    outlets = [find_outlet(session, code) for code in parts(row, "outlets")]
    named = parts(row, "channels")
    return LicenceDraft(
        party=party,
        scope=_SCOPES.get(scope, scope),
        reference=reference,
        works=_unique(_work(session, name, outlets) for name in parts(row, "works")),
        outlets=_unique(outlets) if _SCOPES.get(scope) == "blanket" else (),
        acts=_unique(_coded(name, ACTS) for name in parts(row, "acts")),
        all_channels=named == ["*"],
        channels=() if named == ["*"] else _unique(_named_channel(session, actor, party, name) for name in named),
        valid_from=_day(row, "valid_from"),
        valid_to=_day(row, "valid_to"),
        is_perpetual=yes_or_no(row, "perpetual"),
        credit_text=cell(row, "credit_text"),
        is_historic=True,
    )


def _is_same(known: Licence, draft: LicenceDraft) -> bool:
    """True when a recorded licence has the terms that a file states."""
    terms = terms_of(known)
    return (
        (terms.party_id, terms.scope) == (draft.party.id, draft.scope)
        and terms.work_ids == {work.id for work in draft.works}
        and terms.outlet_ids == {outlet.id for outlet in draft.outlets}
        and terms.acts == set(draft.acts)
        and terms.channel_ids == {channel.id for channel in draft.channels}
        and terms.all_channels == draft.all_channels
        and (terms.valid_from, terms.valid_to) == (draft.valid_from, draft.valid_to)
        and (terms.is_perpetual, known.credit_text) == (draft.is_perpetual, draft.credit_text)
    )


def _party(session: Session, actor: Actor, name: str) -> Party:
    return find_party(session, name) or add_party(session, actor, name)


def _work(session: Session, name: str, outlets: list[Outlet]) -> Work:
    """The work of this number or external id; the row's outlets tell apart what several outlets call alike."""
    if match := _NUMBER.fullmatch(name):
        work = session.get(Work, int(match[2])) if int(match[2]) < 2**63 else None
        found = [work] if work is not None and work.number == name else []
    else:
        query = select(Work).where(Work.external_id == name).limit(2)
        if outlets:
            query = query.where(or_(*(Work.outlet_id == outlet.id for outlet in outlets)))
        found = list(session.scalars(query))
    if not found:
        raise BadInput(f"works: there is no work “{name[:60]}”", "works")
    if len(found) > 1:
        raise BadInput(f"works: several outlets have a work “{name[:60]}”; name the outlet", "works")
    return found[0]


def _named_channel(session: Session, actor: Actor, party: Party, name: str) -> Channel:
    kind, colon, identifier = name.replace("：", ":").partition(":")
    if not colon or _coded(kind, CHANNEL_KINDS) not in CHANNEL_KINDS:
        raise BadInput(f"channels: “{name[:60]}” is not like domain:news.example", "channels")
    return _channel(session, actor, party, _coded(kind, CHANNEL_KINDS), identifier)[0]


def _channel(session: Session, actor: Actor, party: Party, kind: str, identifier: str) -> tuple[Channel, bool]:
    """(the party's channel, whether it is new)."""
    is_new = kind in CHANNEL_KINDS and find_channel(session, kind, normalise_identifier(kind, identifier)) is None
    return add_channel(session, actor, party, kind, identifier), is_new


def _coded(value: str, names: dict[str, str]) -> str:
    """The code for a value given by code or by its Chinese name; any other value as it is."""
    return {name: code for code, name in names.items()}.get(value.strip(), value.strip())


def _day(row: Row, field: str) -> date | None:
    value = cell(row, field)
    return parse_day(value, field) if value else None


def _unique(items: Iterable[Item]) -> list[Item]:
    return list(dict.fromkeys(items))
