"""The registry's fingerprints as the index reads them, and how far no row can still turn up late.

Row ids are handed out before a transaction commits, so on PostgreSQL a row may appear below ids that were read long ago.
Therefore nobody remembers "the highest id seen", but the highest id below which everything is *settled*: each
transaction that could hold a smaller one has ended. A transaction that inserts holds the table's ROW EXCLUSIVE lock from
before it takes an id until its end, so it is enough to see that those who held it when the id was read are gone. An
overlap of ids or of minutes would have been a guess: an import of a year's papers is one transaction.
On SQLite writers come one after another, and the highest id is settled at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.extensions import reading
from service.fingerprint import Fingerprint, from_signed64, normalise
from service.works.fingerprints import newest_algorithm
from service.works.models import Work, WorkFingerprint, WorkVersion

Row = tuple[int, Fingerprint, NDArray[np.uint32]]
"""Version id, fingerprint, normalised codes: what a segment is built from."""

FINAL_STATES = ("refused", "withdrawn", "cancelled")
"""From these no work comes back (works/transitions.py): the index leaves them out. All other states may be matched
later without any new row, so they are in; whether a candidate is in force is asked when its text is loaded."""
READ_ROWS = 1_000
"""Work versions a query: some 3 MB of texts."""
SAMPLE_ROWS = 500
"""Numbers named in one query; databases limit how many that may be."""

_BEYOND = select(
    func.count(case((WorkFingerprint.algorithm == bindparam("algorithm"), 1))),
    # Only ids that no later `prune` frees: SQLite would hand them out again.
    func.max(case((WorkFingerprint.algorithm.in_((bindparam("algorithm"), bindparam("newest"))), WorkFingerprint.id))),
).where(WorkFingerprint.id > bindparam("after"))
_INSERTING = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted "
    "AND relation = 'work_fingerprints'::regclass AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True)
class Settled:
    """No fingerprint row with an id up to `until` can still appear. `next_until` will be such once all transactions in
    `waiting_for` have ended.
    """

    until: int
    next_until: int = 0
    waiting_for: frozenset[str] = frozenset()


@dataclass(frozen=True)
class News:
    """What stands beyond a settled id: how many rows of the algorithm, and the highest id."""

    rows: int
    newest: int


def look(session: Session, algorithm: str, settled: Settled) -> tuple[News, Settled]:
    """What stands beyond `settled.until` now, and what is settled now. One query of microseconds where nothing is new.

    Rows are to be read after this call: whatever it calls settled is visible then.
    """
    asked = {"algorithm": algorithm, "newest": newest_algorithm(), "after": settled.until}
    rows, newest = session.connection().execute(_BEYOND, asked).one()
    news = News(rows, newest or settled.until)
    if news.newest == settled.until:
        return news, settled
    if session.get_bind().dialect.name != "postgresql":
        return news, Settled(news.newest)
    inserting = frozenset(session.scalars(_INSERTING))
    if not inserting:
        return news, Settled(news.newest)
    if not settled.waiting_for:
        return news, Settled(settled.until, news.newest, inserting)
    if not settled.waiting_for & inserting:
        return news, Settled(settled.next_until, news.newest, inserting)
    return news, settled


def read_rows(
    session: Session, algorithm: str, after: int, until: int | None, works: list[range] | None
) -> Iterator[tuple[int, Row]]:
    """(work id, row) of what was registered within these fingerprint ids (`after` < id ≤ `until`; None: no end).

    `works`: the ranges of work numbers wanted, None for all.
    """
    ids = [WorkFingerprint.id > after] + ([WorkFingerprint.id <= until] if until is not None else [])
    wanted = () if works is None else (or_(*(Work.id.between(one.start, one.stop - 1) for one in works)),)
    last = after
    while batch := _read(session, algorithm, WorkFingerprint.id > last, *ids, *wanted, order=WorkFingerprint.id):
        yield from ((work_id, row) for _, work_id, row in batch)
        last = batch[-1][0]


def read_partition(session: Session, algorithm: str, until: int, works: range) -> Iterator[Row]:
    """All versions that the index holds of these works, by work number; fingerprint ids up to `until`.

    Slices of READ_ROWS work numbers (asked for "the next rows in order", SQLite sorts all that follow each time), each a
    unit of work of its own: no transaction stays open while the caller writes the rows away.
    """
    for first in range(works.start, works.stop, READ_ROWS):
        chosen = Work.id.between(first, min(first + READ_ROWS, works.stop) - 1)
        with reading(session):
            batch = _read(session, algorithm, chosen, WorkFingerprint.id <= until, order=Work.id)
        yield from (row for _, _, row in batch)


def count_rows(session: Session, algorithm: str, until: int) -> int:
    """How many fingerprint rows of the algorithm there are up to this id: for progress, not for truth."""
    rows = select(func.count(WorkFingerprint.id))
    return session.scalar(rows.where(WorkFingerprint.id <= until, WorkFingerprint.algorithm == algorithm)) or 0


def anchor(session: Session, algorithm: str, until: int) -> str:
    """Says which row is the last one up to this id: a snapshot must not be used on a database that has another one there
    (a backup was restored, the database was made anew).
    """
    row = session.execute(
        select(WorkFingerprint.id, WorkFingerprint.version_id, WorkFingerprint.simhash)
        .where(WorkFingerprint.id <= until, WorkFingerprint.algorithm == algorithm)
        .order_by(WorkFingerprint.id.desc())
        .limit(1)
    ).first()
    return ":".join(map(str, row)) if row is not None else ""


def newest_work(session: Session) -> int:
    """The highest work number; 0 when there is none."""
    return session.scalar(select(func.max(Work.id))) or 0


def sample_texts(session: Session, most: int) -> Iterator[str]:
    """Texts of at most so many works, evenly taken by work number; of all when there are no more.

    Each slice is a unit of work of its own: no transaction stays open while the caller reads the texts.
    """
    with reading(session):
        newest = newest_work(session)
    numbers = range(1, newest + 1, -(-newest // most) or 1)
    for first in range(0, len(numbers), SAMPLE_ROWS):
        chosen = Work.id.in_(numbers[first : first + SAMPLE_ROWS])
        texts = select(WorkVersion.text).join(Work, Work.id == WorkVersion.work_id).order_by(Work.id)
        with reading(session):
            batch = session.scalars(texts.where(chosen, WorkVersion.is_current, Work.state.not_in(FINAL_STATES))).all()
        yield from batch


def _read(
    session: Session, algorithm: str, *chosen: ColumnElement[bool], order: InstrumentedAttribute[int]
) -> list[tuple[int, int, Row]]:
    """Up to READ_ROWS of (fingerprint id, work id, row); one version a work, the current one."""
    rows = session.execute(
        select(
            WorkFingerprint.id,
            Work.id,
            WorkVersion.id,
            WorkFingerprint.length_chars,
            WorkFingerprint.simhash,
            WorkFingerprint.winnow,
            WorkVersion.text,
        )
        .join(WorkVersion, WorkVersion.id == WorkFingerprint.version_id)
        .join(Work, Work.id == WorkVersion.work_id)
        .where(
            WorkFingerprint.algorithm == algorithm,
            WorkVersion.is_current,
            Work.state.not_in(FINAL_STATES),
            *chosen,
        )
        .order_by(order)
        .limit(READ_ROWS)
    )
    return [
        (row_id, work_id, (version_id, _fingerprint(algorithm, length, simhash, winnow), normalise(body).codes))
        for row_id, work_id, version_id, length, simhash, winnow, body in rows
    ]


def _fingerprint(algorithm: str, length: int, simhash: int, winnow: bytes) -> Fingerprint:
    return Fingerprint.from_bytes(winnow, algorithm=algorithm, length=length, simhash=from_signed64(simhash))
