"""The index as one process sees it: the mapped snapshot in force, and in memory what was registered since.

What is new is taken in before each search, so a work is found as soon as its registration is committed. It goes into
small segments, each a range of fingerprint ids; a new one swallows those before it that are not much larger, so there are
few of them and each row is read again a few times at most. When they grow beyond a share of the snapshot, a rebuild is
asked for (`rebuild_reason`), and the searches go on meanwhile. Beyond DELTA_MOST a process cannot keep up, and the
index is not ready: a search that would miss works must wait instead.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import structlog
from sqlalchemy.orm import Session

from service.config import Settings
from service.errors import YinjiError
from service.extensions import reading
from service.fingerprint import Background, Candidate, Fingerprint, IndexSegment
from service.fingerprint.segment import rank
from service.fingerprint.snapshot import SnapshotDamaged, open_segment
from service.works.index_background import MOST_TEXTS_AT_ONCE, Counted, attached_background, count_background
from service.works.index_files import Generation, drop_pointer, load_pointer, segment_folder, stamp
from service.works.index_rows import Row, Settled, anchor, look, newest_work, read_rows

log = structlog.get_logger()

DELTA_LEAST = 1_000
"""Works that are never worth a rebuild by themselves: 6 MB in memory, read in 0.08 s (measured 2026-11-25)."""
DELTA_SHARE = 0.02
"""Share of the snapshot in memory at which a rebuild is asked for, up to a quarter of DELTA_MOST (50 MB a process)."""
DELTA_MOST = 20_000
"""More than this is not held in memory: it takes 1.7 s to read and 190 MB a process (measured 2026-11-25 on articles of
850 characters). Searches then wait for the rebuild, which goes through 10,000 works a second."""
SWALLOW = 8
"""A new segment takes in those before it that hold less than this many times its rows: at most five segments at 20,000."""

UNREAD = (-1, -1, -1)
"""A stamp that no pointer has."""


class IndexNotReady(YinjiError):
    """The index of this machine must be built before anything can be searched. Try again in some seconds."""


@dataclass(frozen=True)
class Piece:
    """Works registered after the snapshot: fingerprint ids above `after`, `rows` of them, by partition."""

    after: int
    rows: int
    segments: dict[int, IndexSegment]


class LiveIndex:
    """The index of one process over one database, for one algorithm. Safe for threads; made anew after a fork."""

    def __init__(self, settings: Settings, algorithm: str) -> None:
        self.folder: Path = settings.index_folder
        self.algorithm = algorithm
        self.partition_works = settings.index_partition_works
        self.served_text, self.served = settings.index_partitions, settings.served_partitions
        self.rebuild_reason = ""
        self.generation: Generation | None = None
        self._lock, self._counting = Lock(), Lock()
        self._counted: Counted | None = None
        self._stamp: tuple[int, int, int] | None = UNREAD
        self._doubted: tuple[int, int, int] | None = UNREAD
        self._base: dict[int, IndexSegment] = {}
        self._pieces: list[Piece] = []
        self._tail: Piece | None = None
        self._tail_seen = (0, 0)
        self._settled = Settled(0)

    def find(self, session: Session, fingerprint: Fingerprint, partition: int | None = None) -> list[Candidate]:
        """Candidates of all partitions that this machine searches, or of one, best first.

        Raises IndexNotReady.
        """
        while True:
            base, new = self.refresh(session)
            chosen = [
                segment for part in (base, *new) for number, segment in part.items() if partition in (None, number)
            ]
            try:
                found = [candidate for segment in chosen for candidate in segment.find(fingerprint)]
            except SnapshotDamaged as damage:
                with self._lock:
                    if self._base is base:  # else another thread saw it too
                        self._give_up(str(damage))
                continue
            return sorted(found, key=rank)

    def refresh(self, session: Session) -> tuple[dict[int, IndexSegment], list[dict[int, IndexSegment]]]:
        """Takes in what is new on disk and in the database; returns the snapshot's segments and the newer ones.

        Raises IndexNotReady.
        """
        with self._lock:
            if stamp(self.folder) != self._stamp:
                self._open(session)
            self._take_in(session)
            self._judge()
            pieces = [*self._pieces, self._tail] if self._tail is not None else self._pieces
            return self._base, [piece.segments for piece in pieces]

    def background(self, session: Session) -> Background | None:
        """How common words are in the registry, at most a tenth of it newer; None while it holds too few texts to tell.

        From the snapshot, or counted here and kept. Leaves no transaction open.
        """
        with reading(session):
            with self._lock, suppress(IndexNotReady):  # then what was known before, or the database
                if stamp(self.folder) != self._stamp:
                    self._open(session)
            newest = newest_work(session)
        with self._counting:
            known = self._counted
            if known is None or known.is_outgrown(newest):
                known = self._counted = count_background(session, MOST_TEXTS_AT_ONCE)
            return known.usable

    @property
    def delta_rows(self) -> int:
        """Works held in memory beside the snapshot."""
        return sum(piece.rows for piece in self._pieces) + (self._tail.rows if self._tail else 0)

    def _open(self, session: Session) -> None:
        """Maps the generation in force, if there is one for this algorithm and these settings; else starts from nothing."""
        for _ in range(3):  # a pointer replaced while its files are opened is read again
            self._stamp = stamp(self.folder)
            pointer = None
            try:
                pointer = load_pointer(self.folder)
                base = self._map(session, pointer)
            except OSError as error:
                self._stamp = UNREAD
                if isinstance(error, PermissionError):  # built by another user: that does not pass by itself
                    self.rebuild_reason = "its snapshot may not be read"
                log.error("index snapshot not opened", folder=str(self.folder), error=str(error))
                raise IndexNotReady(f"the index of this machine cannot be opened now ({error.strerror})") from error
            except SnapshotDamaged as damage:
                if stamp(self.folder) == self._stamp:
                    assert pointer is not None
                    self.generation = pointer
                    self._give_up(str(damage))
                    return
                continue
            was_there = self._stamp is not None or self.generation is not None
            self._start_from(None if base is None else pointer, base or {})
            if base is None and was_there:
                self.rebuild_reason = "its snapshot cannot be used"
                # On SQLite a transaction begun before the build does not see its last row: the next one looks again.
                if self._doubted != self._stamp:
                    self._doubted, self._stamp = self._stamp, UNREAD
            return
        self._start_from(None, {})
        self._stamp = UNREAD

    def _map(self, session: Session, pointer: Generation | None) -> dict[int, IndexSegment] | None:
        """The snapshot's segments; None when there is none for this algorithm, settings and database."""
        if pointer is None:
            return None
        made_for = (pointer.algorithm, pointer.partition_works, pointer.served)
        if made_for != (self.algorithm, self.partition_works, self.served_text):
            log.info("the index on disk is for other settings", generation=pointer.generation, made_for=made_for)
            return None
        if pointer.anchor != anchor(session, self.algorithm, pointer.until):
            log.error("the index on disk is of another state of the database", generation=pointer.generation)
            return None
        found = {}
        for number in pointer.partitions:
            found[number] = open_segment(segment_folder(self.folder, pointer.generation, number))
            if found[number].algorithm != self.algorithm:
                raise SnapshotDamaged(f"its segment {number} is by {found[number].algorithm}")
        return found

    def _start_from(self, generation: Generation | None, base: dict[int, IndexSegment]) -> None:
        self.generation, self._base = generation, base
        self._settled = Settled(generation.until if generation else 0)
        self._pieces, self._tail, self._tail_seen = [], None, (0, 0)
        self._counted = attached_background(base.values())
        self.rebuild_reason = ""

    def _give_up(self, why: str) -> None:
        """Takes a damaged snapshot out of force: nothing is answered from it any more, by any process."""
        if self.generation is None:
            return
        log.error("index snapshot damaged, it is built anew", generation=self.generation.generation, reason=why)
        with suppress(OSError):  # then the next process finds the damage for itself
            drop_pointer(self.folder, self.generation.generation)
        self._start_from(None, {})
        self._stamp = None  # unless another generation came meanwhile
        self.rebuild_reason = "its snapshot was damaged"

    def _take_in(self, session: Session) -> None:
        """Reads what was registered since the last look. Raises IndexNotReady when that is too much."""
        while True:
            news, settled = look(session, self.algorithm, self._settled)
            if news.newest == self._settled.until:
                self._tail, self._tail_seen = None, (0, 0)
                return
            held = sum(piece.rows for piece in self._pieces)
            if held + news.rows > DELTA_MOST:
                self.rebuild_reason = "too many works are not in it"
                raise IndexNotReady(f"{held + news.rows} works are not in the index of this machine yet")
            if settled.until > self._settled.until:
                if news.rows:
                    kept = self._not_swallowed(news.rows)
                    after = self._pieces[kept].after if kept < len(self._pieces) else self._settled.until
                    self._pieces = [*self._pieces[:kept], self._read(session, after, settled.until)]
                self._tail, self._tail_seen = None, (0, 0)
                self._settled = settled
                continue
            self._settled = settled
            if (news.rows, news.newest) != self._tail_seen:
                self._tail = self._read(session, settled.until, None)
                self._tail_seen = (news.rows, news.newest)
            return

    def _not_swallowed(self, rows: int) -> int:
        """How many pieces, from the first on, a new one of so many rows leaves alone."""
        kept = len(self._pieces)
        while kept and self._pieces[kept - 1].rows < SWALLOW * rows:
            kept -= 1
            rows += self._pieces[kept].rows
        return kept

    def _read(self, session: Session, after: int, until: int | None) -> Piece:
        size = self.partition_works
        works = [range(one * size + 1, (one + 1) * size + 1) for one in sorted(self.served or ())]
        rows: dict[int, list[Row]] = defaultdict(list)
        for work_id, row in read_rows(
            session, self.algorithm, after, until, works if self.served is not None else None
        ):
            rows[partition_of(work_id, size)].append(row)
        segments = {number: IndexSegment.build(some, self.algorithm) for number, some in rows.items()}
        return Piece(after, sum(map(len, rows.values())), segments)

    def _judge(self) -> None:
        rows, size = self.delta_rows, self.generation.works if self.generation else 0
        if rows > max(DELTA_LEAST, min(DELTA_SHARE * size, DELTA_MOST / 4)):
            self.rebuild_reason = f"{rows} works are not in it"


def partition_of(work_id: int, partition_works: int) -> int:
    """The partition that holds a work."""
    return (work_id - 1) // partition_works
