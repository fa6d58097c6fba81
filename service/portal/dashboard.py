"""The figures of the desk: what waits for a person, the last scan, the last 30 days. A handful of queries in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from service.clock import SHANGHAI, shanghai_date
from service.jobs import Job
from service.licences.models import Licence, Switch
from service.sightings.flags import Flag
from service.sightings.models import OUTCOMES, Scan, Sighting
from service.works.models import Work

SEVERE = 70
"""Severity (0–100) from which a flag counts as major on the desk."""
TREND_DAYS = 30
EXPIRING = timedelta(days=30)
SCAN_ROUND = timedelta(hours=12)
"""Scans that started within this before the newest one count as the same round."""


@dataclass(frozen=True)
class Waiting:
    """How many things wait. `historic_loaded` False: every ruling is at best unclear."""

    flags_new: int
    flags_severe: int
    mine: int
    dead_jobs: int
    works_submitted: int
    licences_expiring: int
    historic_loaded: bool


@dataclass(frozen=True)
class Round:
    """The newest scans together: when they began, how many sources, pages by outcome, whether pages are still open."""

    began_at: datetime
    ended_at: datetime | None
    sources: int
    outcomes: dict[str, int]

    @property
    def is_running(self) -> bool:
        """True while a page waits for its turn."""
        return self.outcomes["pending"] > 0

    @property
    def pages(self) -> int:
        """Pages that were looked at."""
        return sum(self.outcomes.values()) - self.outcomes["pending"]


@dataclass(frozen=True)
class Day:
    """One day of the trend, in Asia/Shanghai: flags first seen, and flags that a person confirmed (or found in breach)."""

    label: str
    new: int
    confirmed: int


def count_waiting(session: Session, user_id: int, now: datetime) -> Waiting:
    """All counts in one query."""

    def count(model: type[Any], *where: ColumnElement[bool]) -> Any:
        return select(func.count()).select_from(model).where(*where).scalar_subquery()

    today = shanghai_date(now)
    row = session.execute(
        select(
            count(Flag, Flag.state == "new"),
            count(Flag, Flag.state == "new", Flag.severity >= SEVERE),
            count(Flag, Flag.state == "reviewing", Flag.claimed_by_id == user_id),
            count(Job, Job.state == "dead"),
            count(Work, Work.state == "submitted"),
            count(Licence, Licence.state == "active", Licence.valid_to.between(today, today + EXPIRING)),
            count(Switch, Switch.name == "historic_licences_loaded", Switch.is_on.is_(True)),
        )
    ).one()
    return Waiting(*row[:-1], historic_loaded=row[-1] > 0)


def last_round(session: Session) -> Round | None:
    """The newest scans, or None before the first."""
    newest = session.scalar(select(func.max(Scan.started_at)))
    if newest is None:
        return None
    rows = session.execute(
        select(Sighting.outcome, func.count(), func.max(Sighting.seen_at))
        .join(Scan)
        .where(Scan.started_at > newest - SCAN_ROUND)
        .group_by(Sighting.outcome)
    ).all()
    began, sources = session.execute(
        select(func.min(Scan.started_at), func.count(Scan.source_id.distinct())).where(
            Scan.started_at > newest - SCAN_ROUND
        )
    ).one()
    outcomes = dict.fromkeys(OUTCOMES, 0) | {outcome: number for outcome, number, _ in rows}
    ended = max((seen for _, _, seen in rows if seen), default=None)
    return Round(began, ended, sources, outcomes)


def trend(session: Session, now: datetime) -> list[Day]:
    """The last 30 days, oldest first, today included. Two queries; days are Shanghai's, whatever the database thinks."""
    today = shanghai_date(now)
    days = [today - timedelta(days=back) for back in range(TREND_DAYS - 1, -1, -1)]
    edges = [datetime.combine(day, time(), SHANGHAI) for day in [*days, today + timedelta(days=1)]]
    new = _per_day(session, Flag.first_seen_at, edges)
    confirmed = _per_day(session, Flag.decided_at, edges, Flag.state.in_(("confirmed", "breach")))
    return [Day(f"{day:%m-%d}", *pair) for day, pair in zip(days, zip(new, confirmed, strict=True), strict=True)]


def _per_day(
    session: Session, column: InstrumentedAttribute[Any], edges: Sequence[datetime], *where: ColumnElement[bool]
) -> list[int]:
    sums = [
        func.coalesce(func.sum(case((and_(column >= start, column < end), 1), else_=0)), 0)
        for start, end in pairwise(edges)
    ]
    return [int(value) for value in session.execute(select(*sums).where(column >= edges[0], *where)).one()]


def long_jobs(session: Session, limit: int = 20) -> Sequence[Job]:
    """Unfinished jobs that say how far they are, oldest first; between two slices such a job is queued for a moment."""
    return session.scalars(
        select(Job).where(Job.state.in_(("queued", "running")), Job.total.is_not(None)).order_by(Job.id).limit(limit)
    ).all()


def recent_decisions(session: Session, user_id: int, limit: int = 5) -> Sequence[Flag]:
    """What this person decided last."""
    return session.scalars(
        select(Flag)
        .options(joinedload(Flag.work))
        .where(Flag.decided_by_id == user_id)
        .order_by(Flag.decided_at.desc(), Flag.id.desc())
        .limit(limit)
    ).all()


@dataclass(frozen=True)
class Chart:
    """Coordinates of the trend's drawing: a line for new flags, a bar a day for confirmed ones. PURE."""

    width: int
    height: int
    line: str
    bars: list[tuple[float, float, float, float]]
    grid: list[tuple[float, int]]
    labels: list[tuple[float, str]]
    end_new: float
    end_confirmed: float
    right: float
    words_x: float
    bottom: float


def draw_chart(days: Sequence[Day], width: int, height: int, every: int = 7) -> Chart:
    """The chart of `days` in a box of width × height units, with room for axis words; a label `every` so many days."""
    left, right, top, bottom = 44.0, width - 92.0, 22.0, height - 34.0
    most = max(1, *(max(day.new, day.confirmed) for day in days))
    ceiling: int = next(step * 10**power for power in range(9) for step in (2, 4, 10) if step * 10**power >= most)
    step_x = (right - left) / max(len(days) - 1, 1)

    def x(index: int) -> float:
        return round(left + index * step_x, 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - top) * value / ceiling, 1)

    wide = round(step_x * 0.5, 1)
    end_new, end_confirmed = y(days[-1].new) + 5, y(days[-1].confirmed) + 5
    if abs(end_new - end_confirmed) < 18:  # the two words at the line's end must not lie on each other
        end_new = end_confirmed - 18
    return Chart(
        width=width,
        height=height,
        line="M" + "L".join(f"{x(index)} {y(day.new)}" for index, day in enumerate(days)),
        bars=[
            (round(x(index) - wide / 2, 1), y(day.confirmed), wide, round(bottom - y(day.confirmed), 1))
            for index, day in enumerate(days)
            if day.confirmed
        ],
        grid=[(y(value), value) for value in (0, ceiling // 2, ceiling)],
        labels=[(x(index), day.label) for index, day in enumerate(days) if index % every == 0],
        end_new=end_new,
        end_confirmed=end_confirmed,
        right=right,
        words_x=right + wide / 2 + 6,
        bottom=bottom,
    )
