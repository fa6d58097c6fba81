"""Lists of works: the public library and the desk's registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from service.clock import SHANGHAI
from service.kinds import FORMS
from service.paging import Slice, SortKey, contains, fetch_slice, read_moment
from service.works.models import Publication, Work, WorkFingerprint, WorkVersion
from service.works.transitions import NAMES

PUBLIC_STATES = ("registered", "disputed")
"""Works that strangers see. A disputed one is shown with its dispute: whoever asks must learn why no licence is given."""
LEAD_CHARACTERS = 120
NEWEST = SortKey(Work.first_published_at, Work.id, read_moment, is_nullable=True)


@dataclass(frozen=True)
class WorkFilter:
    """What the filter bar says; empty values leave a filter out."""

    q: str = ""
    outlet_id: int | None = None
    form: str = ""
    year: int | None = None
    state: str = ""


def select_works(chosen: WorkFilter, *, is_public: bool) -> Select[Any]:
    """The works of a filter; the public sees registered works only."""
    statement = select(Work)
    if is_public:
        statement = statement.where(Work.state.in_(PUBLIC_STATES))
    elif chosen.state in NAMES:
        statement = statement.where(Work.state == chosen.state)
    if chosen.q:
        words = [contains(Work.title, chosen.q), contains(Work.byline, chosen.q)]
        number = chosen.q.rpartition("-")[2]
        if chosen.q.upper().startswith("YJ-W-") and number.isascii() and number.isdigit() and len(number) < 16:
            words.append(Work.id == int(number))
        statement = statement.where(or_(*words))
    if chosen.outlet_id is not None:
        statement = statement.where(Work.outlet_id == chosen.outlet_id)
    if chosen.form in FORMS:
        statement = statement.where(Work.form == chosen.form)
    if chosen.year is not None and 1900 <= chosen.year <= 2100:
        first, last = (datetime(year, 1, 1, tzinfo=SHANGHAI).astimezone(UTC) for year in (chosen.year, chosen.year + 1))
        statement = statement.where(Work.first_published_at >= first, Work.first_published_at < last)
    return statement


def fetch_works(
    session: Session,
    chosen: WorkFilter,
    *,
    is_public: bool,
    after: str = "",
    before: str = "",
    limit: int = 30,
) -> Slice[Work]:
    """One page, newest publication first, with outlet, mandate and reservation."""
    statement = select_works(chosen, is_public=is_public).options(
        joinedload(Work.outlet), joinedload(Work.mandate), joinedload(Work.reservation)
    )
    return fetch_slice(session, statement, NEWEST, after=after, before=before, limit=limit)


def leads_of(session: Session, work_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """The first characters of each work's text and its length, in one query; the whole text never leaves the database."""
    statement = select(
        WorkVersion.work_id, func.substr(WorkVersion.text, 1, LEAD_CHARACTERS + 1), WorkVersion.length_chars
    ).where(WorkVersion.work_id.in_(work_ids), WorkVersion.is_current)
    return {work_id: (shorten(text), length) for work_id, text, length in session.execute(statement)}


def shorten(text: str) -> str:
    """The lead that strangers see: at most LEAD_CHARACTERS characters on one line."""
    flat = " ".join(text.split())
    return flat if len(text) <= LEAD_CHARACTERS else flat[: LEAD_CHARACTERS - 1].rstrip() + "…"


def load_work(session: Session, work_id: int) -> Work | None:
    """A work with all that its desk page shows."""
    if not 0 < work_id < 2**63:
        return None
    statement = (
        select(Work)
        .where(Work.id == work_id)
        .options(
            joinedload(Work.outlet),
            joinedload(Work.mandate),
            joinedload(Work.reservation),
            joinedload(Work.same_text_as),
            selectinload(Work.versions)
            .selectinload(WorkVersion.fingerprints)
            .load_only(WorkFingerprint.algorithm, WorkFingerprint.length_chars, WorkFingerprint.simhash),
            selectinload(Work.publications).joinedload(Publication.outlet),
        )
    )
    return session.scalars(statement).unique().first()


def years_of(session: Session) -> list[tuple[int, int]]:
    """Years in which works were first published, newest first, as choices (by UTC: a filter's list, not a fact)."""
    bounds = session.execute(select(func.min(Work.first_published_at), func.max(Work.first_published_at))).one()
    if bounds[0] is None or bounds[1] is None:
        return []
    return [(year, year) for year in range(bounds[1].year, bounds[0].year - 1, -1)]


def load_public(session: Session, work_id: int) -> Work | None:
    """A work that strangers may see, with its rights; None for any other, whether it exists or not."""
    work = load_work(session, work_id)
    return work if work is not None and work.state in PUBLIC_STATES else None
