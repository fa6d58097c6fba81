"""Building this machine's snapshot from the database: beside the one in force, which answers meanwhile."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from service.clock import utc_now
from service.config import Settings
from service.errors import YinjiError
from service.extensions import reading
from service.fingerprint.snapshot import write_segment
from service.works.fingerprints import active_algorithm
from service.works.index_background import MOST_TEXTS, count_background
from service.works.index_files import (
    Generation,
    build_lock,
    load_pointer,
    new_name,
    segment_folder,
    size_of,
    sweep,
    write_pointer,
)
from service.works.index_hosts import note_host
from service.works.index_live import partition_of
from service.works.index_rows import Row, Settled, anchor, count_rows, look, newest_work, read_partition

log = structlog.get_logger()

SETTLE_WAIT_S = 5.0
"""Registrations of single works last milliseconds. A longer one (an import) is waited for by trying again later."""
PROGRESS_EVERY_S = 1.0

Progress = Callable[[int, int], None]
"""Told (versions written, versions expected), about once a second, between two units of work."""


class IndexBusy(YinjiError):
    """Nothing can be built now: somebody else builds, or a long registration is under way. Try again in some seconds."""


class IndexNotBuilt(YinjiError):
    """The disk refused the new snapshot; the old one stays in force."""


def rebuild(session: Session, settings: Settings, on_progress: Progress | None = None) -> Generation:
    """Builds the snapshot of this machine's partitions, puts it in force and deletes what is old. Commits.

    Running it twice, or killing it anywhere, does no harm. Raises IndexBusy, IndexNotBuilt.
    """
    try:
        generation = _rebuild(session, settings, on_progress)
    except OSError as error:
        free = free_space(settings.index_folder)
        log.error("index not built, the old one stays in force", error=str(error), free=free)
        raise IndexNotBuilt(f"index not built ({error.strerror or error}{free}); the old one stays in force") from error
    facts = {name: value for name, value in asdict(generation).items() if name in ("algorithm", "generation", "works")}
    size, now = generation.size_bytes, generation.built
    note_host(session, settings, now, until_id=generation.until, size_bytes=size, built_at=now, **facts)
    session.commit()
    log.info("index built", generation=generation.generation, works=generation.works, bytes=generation.size_bytes)
    return generation


def _rebuild(session: Session, settings: Settings, on_progress: Progress | None) -> Generation:
    folder = settings.index_folder
    with build_lock(folder) as is_ours:
        if not is_ours:
            raise IndexBusy("another process of this machine is building the index")
        sweep(folder)
        with reading(session):
            algorithm = active_algorithm(session)
            earlier = load_pointer(folder)
            is_known = earlier is not None and earlier.anchor == anchor(session, earlier.algorithm, earlier.until)
            until = settle(session, algorithm, earlier.until if earlier and is_known else 0)
            here = anchor(session, algorithm, until)
            newest = newest_work(session)
            expected = count_rows(session, algorithm, until)
        generation = _write(session, settings, algorithm, (until, here), newest, _paced(on_progress, expected))
        sweep(folder)
    return generation


def free_space(folder: Path) -> str:
    """How much is free on the folder's disk, as the end of a message; nothing where the disk does not even tell that."""
    try:
        disk = next(path for path in (folder, *folder.parents) if path.is_dir())
        return f"; without it {shutil.disk_usage(disk).free:,} bytes are free at {disk}"
    except OSError:
        return ""


def settle(session: Session, algorithm: str, earlier: int) -> int:
    """The id up to which all fingerprint rows that are there now are there for good; `earlier` is one known to be such.

    Raises IndexBusy when a registration under way did not end within SETTLE_WAIT_S.
    """
    settled, deadline = Settled(earlier), time.monotonic() + SETTLE_WAIT_S
    while True:
        news, now_settled = look(session, algorithm, settled)
        if now_settled.until > earlier or news.newest == earlier:
            return now_settled.until
        if time.monotonic() > deadline:
            raise IndexBusy("a long registration is under way")
        settled = now_settled
        time.sleep(0.05)


def _write(
    session: Session,
    settings: Settings,
    algorithm: str,
    end: tuple[int, str],
    newest: int,
    on_progress: Callable[[int], None],
) -> Generation:
    folder, size = settings.index_folder, settings.index_partition_works
    served = settings.served_partitions
    existing = range(partition_of(max(newest, 1), size) + 1)
    partitions = [number for number in existing if served is None or number in served]
    now = utc_now()
    name = new_name(now)
    works, (until, here) = 0, end

    def rows_of(partition: int) -> Iterator[Row]:
        first = partition * size + 1
        rows = read_partition(session, algorithm, until, range(first, min(first + size, newest + 1)))
        for number, row in enumerate(rows, works + 1):
            yield row
            on_progress(number)

    try:
        (folder / name).mkdir()
        attached = count_background(session, MOST_TEXTS).to_attach()
        for partition in partitions:
            target = segment_folder(folder, name, partition)
            works += write_segment(target, rows_of(partition), algorithm, lambda: attached)
        generation = Generation(
            generation=name,
            algorithm=algorithm,
            partition_works=size,
            served=settings.index_partitions,
            partitions=tuple(partitions),
            until=until,
            anchor=here,
            works=works,
            size_bytes=size_of(folder / name),
            built_at=now.isoformat(),
        )
        write_pointer(folder, generation)
    except BaseException:  # a full disk, the job's time limit, Ctrl-C: half a snapshot helps nobody
        shutil.rmtree(folder / name, ignore_errors=True)
        raise
    return generation


def _paced(on_progress: Progress | None, expected: int) -> Callable[[int], None]:
    """Tells the progress once in PROGRESS_EVERY_S."""
    last = time.monotonic()

    def show(done: int) -> None:
        nonlocal last
        if on_progress is not None and time.monotonic() - last > PROGRESS_EVERY_S:
            last = time.monotonic()
            on_progress(done, max(done, expected))

    return show
