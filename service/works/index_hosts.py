"""Which machines keep an index, which partitions they search, and how new their snapshots are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service import jobs
from service.config import Settings
from service.extensions import Identified
from service.jobs import Job

KIND = "index.rebuild"
GONE_AFTER = timedelta(days=3)
"""A machine that neither started a worker nor built its index for three nights is off, or was renamed."""


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


def note_host(session: Session, settings: Settings, now: datetime, **facts: Any) -> None:
    """Writes what this machine is and, given as `facts`, what it built."""
    host = session.scalars(select(IndexHost).where(IndexHost.host == settings.index_host)).first()
    if host is None:
        host = IndexHost(host=settings.index_host)
        session.add(host)
    host.partitions, host.partition_works = settings.index_partitions, settings.index_partition_works
    host.seen_at = now
    for name, value in facts.items():
        setattr(host, name, value)
    session.flush()


def request_rebuild(session: Session, host: str, occasion: str, reason: str) -> Job:
    """The job that builds the index of this machine: the one that is open, or of this occasion, or a new one."""
    is_open = Job.state.in_(("queued", "running"))
    waiting = session.scalars(select(Job).where(Job.group_key == group_of(host), is_open)).first()
    return waiting or jobs.enqueue(
        session,
        KIND,
        f"{KIND}:{jobs.host_queue(host)}:{occasion}",
        queue=jobs.host_queue(host),
        payload={"host": host, "reason": reason},
        group=group_of(host),
    )


def group_of(host: str) -> str:
    """The group key of a machine's rebuild jobs."""
    return f"index:{host}"
