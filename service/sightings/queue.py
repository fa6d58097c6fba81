"""The review queue: which flags a list shows, in which order, and the few queries that load them.

A list loads its rows with everything it prints in one query, the sites' parties in a second, so that fifty flags cost as
many queries as five.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, defer, joinedload

from service.outlets.models import Outlet
from service.paging import Slice, SortKey, contains, fetch_slice, read_moment
from service.parties.models import Channel, Party
from service.sightings.flags import Flag
from service.sightings.models import Match, Page, Ruling, Sighting
from service.works.models import Work, WorkVersion

OPEN = ("new", "reviewing")
DECIDED = ("confirmed", "breach", "dismissed")
TABS = ("open", "mine", "unclear", "watching", "decided")
SORTS = {
    "severity": SortKey(Flag.severity, Flag.id),
    "seen": SortKey(Flag.last_seen_at, Flag.id, read_moment),
    "coverage": SortKey(Match.taken_of_work, Flag.id, float),
}
COVERAGES = (30, 50, 80)
MOST_JUST_DECIDED = 100
"""Rows that stay in place after a bulk action; the same number that a bulk action takes."""


@dataclass(frozen=True)
class QueueFilter:
    """What the filter bar says. Empty text, None and 0 leave a filter out."""

    tab: str = "open"
    q: str = ""
    kind: str = ""
    ruling: str = ""
    outlet_id: int | None = None
    least_percent: int = 0
    sort: str = "severity"

    @property
    def key(self) -> SortKey:
        """What the list is sorted by; an unknown word means severity."""
        return SORTS.get(self.sort, SORTS["severity"])


def in_tab(tab: str, user_id: int | None) -> ColumnElement[bool]:
    """The condition of a tab. `mine` are the flags that this user has claimed. An unknown word means `open`."""
    conditions: dict[str, ColumnElement[bool]] = {
        "mine": and_(Flag.state == "reviewing", Flag.claimed_by_id == user_id),
        "unclear": and_(Flag.state.in_(OPEN), Ruling.outcome == "unclear"),
        "watching": Flag.state == "watching",
        "decided": Flag.state.in_(DECIDED),
    }
    return conditions.get(tab, Flag.state.in_(OPEN))


def select_flags(chosen: QueueFilter, user_id: int | None, just: Iterable[int] = ()) -> Select[Any]:
    """The flags of a tab and filter. Flags whose ids stand in `just` stay in the list whatever their tab is now."""
    tab = in_tab(chosen.tab, user_id)
    kept = list(just)[:MOST_JUST_DECIDED]
    statement = _joined().where(or_(tab, Flag.id.in_(kept)) if kept else tab)
    if chosen.q:
        statement = statement.where(_says(chosen.q))
    if chosen.kind:
        statement = statement.where(Match.kind == chosen.kind)
    if chosen.ruling:
        statement = statement.where(Ruling.outcome == chosen.ruling)
    if chosen.outlet_id is not None:
        statement = statement.where(Work.outlet_id == chosen.outlet_id)
    if chosen.least_percent:
        statement = statement.where(Match.taken_of_work >= chosen.least_percent / 100)
    return statement


def fetch_flags(
    session: Session,
    chosen: QueueFilter,
    user_id: int | None,
    *,
    just: Iterable[int] = (),
    after: str = "",
    before: str = "",
    limit: int = 50,
) -> Slice[Flag]:
    """One page of the queue with all that its rows print."""
    statement = with_rows(select_flags(chosen, user_id, just))
    return fetch_slice(session, statement, chosen.key, after=after, before=before, limit=limit)


def with_rows(statement: Select[Any]) -> Select[Any]:
    """Loads with each flag what a row prints; the spans and texts, which no row prints, stay in the database."""
    return statement.options(
        contains_eager(Flag.work).joinedload(Work.outlet),
        contains_eager(Flag.page),
        contains_eager(Flag.match).options(
            defer(Match.spans, raiseload=True),
            contains_eager(Match.ruling),
            joinedload(Match.sighting).load_only(
                Sighting.title, Sighting.stated_source, Sighting.published_at, Sighting.seen_at
            ),
        ),
        joinedload(Flag.claimed_by),
    )


def count_tabs(session: Session, user_id: int | None) -> dict[str, int]:
    """How many flags each tab holds, in one query."""
    columns = [func.count().filter(in_tab(tab, user_id)).label(tab) for tab in TABS]
    statement = select(*columns).select_from(Flag).join(Flag.match).outerjoin(Match.ruling)
    return dict(session.execute(statement).one()._mapping)


def neighbours(session: Session, flag: Flag) -> tuple[Flag | None, Flag | None]:
    """The open flags before and after this one by severity: where `k` and `j` lead."""
    chosen = QueueFilter()
    cursor = f"{flag.severity}~{flag.id}"
    statement = select_flags(chosen, None).where(Flag.id != flag.id)
    before = fetch_slice(session, statement, chosen.key, before=cursor, limit=1).rows
    after = fetch_slice(session, statement, chosen.key, after=cursor, limit=1).rows
    return (before[0] if before else None), (after[0] if after else None)


def first_flag(session: Session, chosen: QueueFilter, user_id: int | None) -> Flag | None:
    """The flag to begin with."""
    found = fetch_slice(session, select_flags(chosen, user_id), chosen.key, limit=1).rows
    return found[0] if found else None


def same_work(session: Session, flag: Flag, limit: int = 20) -> Sequence[Flag]:
    """Flags of other pages that carry the same work, oldest first."""
    statement = with_rows(_joined().where(Flag.work_id == flag.work_id, Flag.id != flag.id))
    return session.scalars(statement.order_by(Flag.first_seen_at, Flag.id).limit(limit)).unique().all()


def permitted_pages(session: Session, work_id: int, limit: int = 20) -> Sequence[Match]:
    """The newest match of each page that may carry the work: shown beside the flags, never chased."""
    newest = (
        select(func.max(Match.id))
        .join(Match.sighting)
        .join(Match.version)
        .join(Match.ruling)
        .where(WorkVersion.work_id == work_id, Ruling.outcome == "permitted")
        .group_by(Sighting.page_id)
    )
    statement = (
        select(Match)
        .where(Match.id.in_(newest))
        .options(defer(Match.spans), joinedload(Match.sighting).joinedload(Sighting.page), joinedload(Match.ruling))
    )
    return session.scalars(statement.order_by(Match.id).limit(limit)).unique().all()


def parties_of(session: Session, hosts: Iterable[str]) -> dict[str, Party]:
    """The party behind each host, by its own channel or by that of the nearest parent domain, in one query."""
    wanted = {host: list(_domains(host)) for host in set(hosts)}
    names = {name for domains in wanted.values() for name in domains}
    statement = select(Channel).where(Channel.kind == "domain", Channel.identifier.in_(names))
    known = {
        channel.identifier: channel.party for channel in session.scalars(statement.options(joinedload(Channel.party)))
    }
    found = {host: next((known[name] for name in domains if name in known), None) for host, domains in wanted.items()}
    return {host: party for host, party in found.items() if party is not None}


def list_outlets(session: Session) -> Sequence[tuple[int, str]]:
    """Outlets for a filter: (id, name)."""
    return [(row.id, row.name) for row in session.execute(select(Outlet.id, Outlet.name).order_by(Outlet.name))]


def flag_ids(numbers: Iterable[str]) -> list[int]:
    """The ids in flag numbers such as `F26-01842`; what is no number is left out."""
    digits = (number.rpartition("-")[2] for number in numbers)
    return [int(text) for text in digits if text.isascii() and text.isdigit() and len(text) < 16]


def _joined() -> Select[Any]:
    return select(Flag).join(Flag.work).join(Flag.page).join(Flag.match).outerjoin(Match.ruling)


def _says(text: str) -> ColumnElement[bool]:
    """The text stands in our title, the address or the flag's number."""
    conditions = [contains(Work.title, text), contains(Page.canonical_url, text)]
    if ids := flag_ids([text]):
        conditions.append(Flag.id.in_(ids))
    return or_(*conditions)


def _domains(host: str) -> Iterable[str]:
    """The host, then its parents down to two labels, nearest first. A host with a port or a number has no parents."""
    yield host
    labels = host.split(".")
    if ":" not in host and not labels[-1].isdigit():
        for start in range(1, len(labels) - 1):
            yield ".".join(labels[start:])
