"""How the index of this machine and those of the others stand: for the operator, from files, ledger and database."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.config import Settings, parse_partitions
from service.fingerprint.snapshot import SnapshotDamaged, open_segment
from service.jobs import PARTITION_PREFIX, Job, host_queue
from service.works.fingerprints import active_algorithm
from service.works.index_files import Generation, read_pointer, segment_folder, stamp
from service.works.index_hosts import GONE_AFTER, IndexHost, group_of
from service.works.index_live import DELTA_MOST, partition_of
from service.works.index_rows import Settled, anchor, look, newest_work

STALE_AFTER = timedelta(hours=49)
"""Two nights without a build."""

BEGUN_WITHIN = timedelta(minutes=10)
"""From a rebuild's request until its first works are written; it waits for registrations, an import of a year included."""


@dataclass(frozen=True)
class IndexStatus:
    """`generation`: the snapshot in force here, None when there is none; `delta_rows`: works registered since.

    `served_by`: partition → machines that search it for others; `waiting`: partition → searches that wait for one.
    Both also name partitions that there were under other settings, as long as searches wait for them.
    `problems`: what an operator should look at, one sentence each.
    """

    host: str
    queue: str
    folder: str
    algorithm: str
    generation: Generation | None
    age_s: float | None
    delta_rows: int
    partitions: int
    served_by: dict[int, list[str]]
    waiting: dict[int, int]
    rebuild: str
    hosts: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def index_status(session: Session, settings: Settings, now: datetime) -> IndexStatus:
    """The status at this moment. Reads and checks the snapshot's files where no process has done so since they changed."""
    algorithm = active_algorithm(session)
    found = read_pointer(settings.index_folder)
    problems = _file_problems(session, settings, found, algorithm)
    news, _ = look(session, algorithm, Settled(found.until if found and not problems else 0))
    if news.rows > DELTA_MOST:
        problems.append(f"{news.rows:,} works are not in a snapshot: pages wait until it is built")
    if found is not None and now - found.built > STALE_AFTER:
        problems.append(f"the snapshot is {(now - found.built).days} days old: is a scheduler running?")
    count = partition_of(max(newest_work(session), 1), settings.index_partition_works) + 1
    hosts = session.scalars(select(IndexHost).order_by(IndexHost.host)).all()
    seen = [host for host in hosts if now - host.seen_at < GONE_AFTER]
    waiting = _waiting(session)
    numbers = sorted({*range(count), *waiting})
    served_by = {number: [host.host for host in seen if host.takes_searches(number)] for number in numbers}
    settings_of_all = [settings.served_partitions, *(parse_partitions(host.partitions) for host in seen)]
    is_shared = any(served is not None and not served >= set(range(count)) for served in settings_of_all)
    unserved = [str(number) for number, names in served_by.items() if not names and (is_shared or number in waiting)]
    if unserved:
        problems.append(f"no machine searches partition {', '.join(unserved)}: pages wait (YINJI_INDEX_PARTITIONS)")
    sizes = {host.partition_works for host in seen}
    if len(sizes | {settings.index_partition_works}) > 1:
        problems.append("machines cut the works differently: set YINJI_INDEX_PARTITION_WORKS alike on all")
    job = session.scalars(
        select(Job).where(Job.group_key == group_of(settings.index_host)).order_by(Job.id.desc()).limit(1)
    ).first()
    if job is not None and job.state == "dead":
        problems.append(f"the last rebuild failed (job {job.id}): {(job.error.strip().splitlines() or [''])[-1]}")
    elif (
        job is not None and job.state in ("queued", "running") and not job.done and now - job.created_at > BEGUN_WITHIN
    ):
        minutes = int((now - job.created_at).total_seconds() // 60)
        problems.append(
            f"the rebuild asked for {minutes} minutes ago has not begun (job {job.id}): does a worker run here, "
            "and does a registration under way ever end?"
        )
    return IndexStatus(
        host=settings.index_host,
        queue=host_queue(settings.index_host),
        folder=str(settings.index_folder),
        algorithm=algorithm,
        generation=found,
        age_s=(now - found.built).total_seconds() if found else None,
        delta_rows=news.rows,
        partitions=count,
        served_by=served_by,
        waiting=waiting,
        rebuild=_describe(job),
        hosts=[_host_row(host, now) for host in hosts],
        problems=problems,
    )


def _file_problems(session: Session, settings: Settings, found: Generation | None, algorithm: str) -> list[str]:
    """What is wrong with the files of this machine; nothing is, when there are none."""
    folder = settings.index_folder
    if found is None:
        return [] if stamp(folder) is None else ["the pointer to the snapshot is damaged"]
    made_for = (found.algorithm, found.partition_works, found.served)
    if made_for != (algorithm, settings.index_partition_works, settings.index_partitions):
        return [f"the snapshot was built for other settings ({', '.join(map(str, made_for))})"]
    if found.anchor != anchor(session, algorithm, found.until):
        return ["the snapshot is of another state of the database (was a backup restored?)"]
    try:
        for number in found.partitions:
            open_segment(segment_folder(folder, found.generation, number))
    except SnapshotDamaged as damage:
        return [f"the snapshot is damaged: {damage}"]
    except OSError as error:  # not damage: too many open files, no right to read
        return [f"the snapshot cannot be opened now: {error.strerror}"]
    return []


def _waiting(session: Session) -> dict[int, int]:
    """Partition → searches that wait, of all partitions that have any, whatever the settings are now."""
    rows = session.execute(
        select(Job.queue, func.count(Job.id))
        .where(Job.state == "queued", Job.queue.startswith(PARTITION_PREFIX, autoescape=True))
        .group_by(Job.queue)
    )
    return {int(queue.removeprefix(PARTITION_PREFIX)): size for queue, size in rows}


def _describe(job: Job | None) -> str:
    if job is None:
        return "never asked for"
    progress = f", {job.done} of {job.total}" if job.state == "running" and job.total else ""
    return f"job {job.id} {job.state}{progress} ({job.payload.get('reason', '')})"


def _host_row(host: IndexHost, now: datetime) -> dict[str, Any]:
    return {
        "host": host.host,
        "partitions": host.partitions,
        "generation": host.generation,
        "works": host.works,
        "size_bytes": host.size_bytes,
        "built_at": host.built_at.isoformat() if host.built_at else None,
        "seen_at": host.seen_at.isoformat(),
        "is_gone": now - host.seen_at >= GONE_AFTER,
    }
