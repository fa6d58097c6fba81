"""Which machines keep an index, which partitions they search, and how new their snapshots are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service import jobs
from service.clock import to_shanghai
from service.config import Settings, parse_partitions
from service.extensions import Identified
from service.jobs import Job

KIND = "index.rebuild"
REBUILD_AT = (1, 0)
"""Hour and minute in Shanghai: before the nightly scans (02:00 unless set otherwise), after the day's registrations."""
GONE_AFTER = timedelta(days=3)
"""A machine whose workers did nothing for three nights is off, or was renamed."""
SEEN_EVERY = timedelta(hours=1)
_noted: dict[str, datetime] = {}
"""When this process noted a machine last."""


class IndexHost(Identified):
    """A machine with workers: what it says about its own index. `generation` is "" until its first snapshot stands.

    `until_id`: the highest fingerprint row in the snapshot; `works`: how many versions; `partitions` as in the settings.
    """

    __tablename__ = "index_hosts"

    host: Mapped[str] = mapped_column(String(64), unique=True)
    partitions: Mapped[str] = mapped_column(String(200))
    partition_works: Mapped[int]
    algorithm: Mapped[str] = mapped_column(String(32), default="")
    generation: Mapped[str] = mapped_column(String(64), default="")
    until_id: Mapped[int] = mapped_column(default=0)
    works: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(default=0)
    built_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]

    def takes_searches(self, partition: int) -> bool:
        """True when this machine searches the partition for others; one that searches all does so for itself alone."""
        return partition in (parse_partitions(self.partitions) or ())


def note_host(session: Session, settings: Settings, now: datetime, **facts: Any) -> None:
    """Writes what this machine is and, given as `facts`, what it built."""
    here = select(IndexHost).where(IndexHost.host == settings.index_host)
    values = {
        "partitions": settings.index_partitions,
        "partition_works": settings.index_partition_works,
        "seen_at": now,
        **facts,
    }
    host = session.scalars(here).first()
    if host is None:
        try:
            with session.begin_nested():
                session.add(IndexHost(host=settings.index_host, **values))
            return
        except IntegrityError:  # another worker of this machine came first
            host = session.scalars(here).one()
    for name, value in values.items():
        setattr(host, name, value)
    session.flush()


def renew_host(session: Session, settings: Settings, now: datetime) -> bool:
    """Notes the machine once in SEEN_EVERY, however often a process asks: true when it did, and the caller commits."""
    noted = _noted.get(settings.index_host)
    if noted is not None and now - noted < SEEN_EVERY:
        return False
    note_host(session, settings, now)
    _noted[settings.index_host] = now
    return True


def request_rebuild(session: Session, host: str, reason: str, now: datetime) -> Job:
    """The job that builds the index of this machine: the one that is open, or a new one; the caller commits.

    Where builds fail, one an hour: its key is the snapshot that it replaces, and the hour.
    """
    is_open = Job.state.in_(("queued", "running"))
    waiting = session.scalars(select(Job).where(Job.group_key == group_of(host), is_open)).first()
    if waiting is not None:
        return waiting
    generation = session.scalars(select(IndexHost.generation).where(IndexHost.host == host)).first()
    queue = jobs.host_queue(host)
    return jobs.enqueue(
        session,
        KIND,
        f"{queue}:{generation or 'none'}:{now:%Y%m%dT%H}",
        queue=queue,
        payload={"host": host, "reason": reason},
        group=group_of(host),
    )


def request_nightly(session: Session, now: datetime) -> int:
    """Enqueues the rebuild of each machine whose index is older than REBUILD_AT of today; returns how many machines.

    Machines that are GONE_AFTER a while are left out: their jobs would wait for ever.
    """
    clock = to_shanghai(now)
    start = clock.replace(hour=REBUILD_AT[0], minute=REBUILD_AT[1], second=0, microsecond=0)
    if clock < start:
        start -= timedelta(days=1)
    is_old = or_(IndexHost.built_at.is_(None), IndexHost.built_at < start)
    old = session.scalars(select(IndexHost.host).where(is_old, IndexHost.seen_at > now - GONE_AFTER)).all()
    for host in old:
        request_rebuild(session, host, "nightly", now)
    return len(old)


def group_of(host: str) -> str:
    """The group key of a machine's rebuild jobs."""
    return f"index:{host}"
