"""The job ledger: the database holds the truth, a queue message carries only a job id.

enqueue (inside the caller's transaction) → commit → publish_pending. A worker claims the row by conditional UPDATE and
holds it by a lease; whatever the queue loses or delivers twice, `publish_pending` sends again and the claim lets one in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, CursorResult, Index, String, Text, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.clock import utc_now
from service.errors import IllegalTransition
from service.extensions import Identified

QUEUES = ("crawl", "screening", "index", "mail")
PARTITION_PREFIX = "screening.p"
_OF_SOME_MACHINES = re.compile(r"screening\.p[0-9]{1,2}|index\.[0-9a-f]{10}")
"""Queues that only some machines serve: the searches of one partition of the index, the builds of one machine."""
LEASE = timedelta(seconds=30)
"""Renewed every LEASE/3 while the task runs; a killed worker's job is taken over after at most this."""
RESEND_AFTER = timedelta(seconds=20)
"""A sent message that nobody claimed for so long counts as lost; a double delivery is harmless, so shorter is safe."""
RESEND_TO_HOST_AFTER = timedelta(minutes=1)
"""The same for a build of one machine: one job a machine, and its pages may wait for it. A machine that is off leaves
1,440 messages a day in its queue, instead of 4,320."""
RESEND_TO_PARTITION_AFTER = timedelta(minutes=10)
"""The same for the searches of a partition. Its machines may all be off for days, and every message sent meanwhile stays
in the queue: 144 a day and job, of which there may be thousands."""
MAX_FAILURES = 3
"""Errors raised by the handler before the job is dead-lettered."""
MAX_ATTEMPTS = 10
"""Claims, lost workers included, before the job is dead-lettered: a job that kills its worker must end too."""
BACKOFF_S = (5, 60, 300)

Send = Callable[["Job"], None]


def partition_queue(partition: int) -> str:
    """The queue of the searches in one partition of the index."""
    return f"{PARTITION_PREFIX}{partition}"


def host_queue(host: str) -> str:
    """The queue of the jobs that only this machine can do. A digest: names of machines have any length."""
    return f"index.{hashlib.sha256(host.encode()).hexdigest()[:10]}"


def is_queue(name: str) -> bool:
    """True for the name of a queue that jobs may be sent to."""
    return name in QUEUES or _OF_SOME_MACHINES.fullmatch(name) is not None


class Job(Identified):
    """One piece of work. `key` makes it one: enqueuing the same key again returns the same row."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'dead', 'cancelled')", name="state"),
        Index("ix_jobs_due", "state", "queue", "not_before", "id"),
        Index("ix_jobs_lease", "state", "lease_until"),
        Index("ix_jobs_group", "group_key", "state"),
    )

    kind: Mapped[str] = mapped_column(String(48))
    queue: Mapped[str] = mapped_column(String(16))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    group_key: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


def enqueue(
    session: Session,
    kind: str,
    key: str,
    *,
    queue: str,
    payload: dict[str, Any] | None = None,
    group: str | None = None,
    delay_s: float = 0,
) -> Job:
    """The job of this key, new or already there. It leaves for the queue when the edge has committed and published.

    Two at the same moment: the second waits until the first has committed and gets its job.
    """
    existing = session.scalars(select(Job).where(Job.key == key)).first()
    if existing is not None:
        return existing
    if not is_queue(queue):
        raise ValueError(f"no queue {queue!r}")
    job = Job(kind=kind, key=key, queue=queue, payload=payload or {}, group_key=group)
    job.not_before = utc_now() + timedelta(seconds=delay_s)
    try:
        with session.begin_nested():  # the caller's own writes outlive a key that another transaction took meanwhile
            session.add(job)
    except IntegrityError:
        return session.scalars(select(Job).where(Job.key == key)).one()
    return job


def claim(session: Session, job_id: int, now: datetime) -> Job | None:
    """The job, leased to the caller, or None when it is done, not due, or somebody holds it. Commit at once."""
    free = or_(Job.state == "queued", and_(Job.state == "running", Job.lease_until < now))
    token = secrets.token_hex(16)
    taken = _changed(
        session,
        update(Job)
        .where(Job.id == job_id, free, Job.not_before <= now)
        .values(state="running", lease_token=token, lease_until=now + LEASE, attempts=Job.attempts + 1),
    )
    return session.get_one(Job, job_id, populate_existing=True) if taken else None


def renew(session: Session, job_id: int, token: str, now: datetime) -> bool:
    """Extends the lease; False when it was lost meanwhile (the task should stop)."""
    held = update(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == "running")
    return _changed(session, held.values(lease_until=now + LEASE))


def report_progress(session: Session, job: Job, done: int, total: int | None = None) -> None:
    """Notes how far a long job is, for the page and the command line."""
    session.execute(
        update(Job).where(Job.id == job.id).values(done=done, total=total if total is not None else Job.total)
    )


def finish(session: Session, job_id: int, token: str, now: datetime) -> bool:
    """Marks the job done if the caller still holds it; part of the same transaction as the task's last write."""
    held = update(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == "running")
    return _changed(session, held.values(state="done", finished_at=now, lease_token=None, lease_until=None, error=""))


def fail(session: Session, job: Job, token: str, error: str, now: datetime) -> None:
    """Puts the job back with a growing delay, or dead-letters it after MAX_FAILURES errors."""
    failures = job.failures + 1
    dead = failures >= MAX_FAILURES or job.attempts >= MAX_ATTEMPTS
    wait = timedelta(seconds=BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])
    held = update(Job).where(Job.id == job.id, Job.lease_token == token, Job.state == "running")
    _changed(
        session,
        held.values(
            state="dead" if dead else "queued",
            failures=failures,
            error=error[-4000:],
            lease_token=None,
            lease_until=None,
            not_before=now + wait,
            sent_at=None,
            finished_at=now if dead else None,
        ),
    )


class Postpone(Exception):
    """Raised by a handler that cannot go on yet (its host is busy): the job waits `delay_s`, not counted as a failure."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"postponed by {delay_s:.1f} s")
        self.delay_s = delay_s


def postpone(session: Session, job_id: int, token: str, delay_s: float, now: datetime) -> None:
    """Puts a claimed job back until `delay_s` from now."""
    held = update(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == "running")
    later = now + timedelta(seconds=delay_s)
    _changed(
        session,
        held.values(
            state="queued",
            attempts=Job.attempts - 1,
            lease_token=None,
            lease_until=None,
            not_before=later,
            sent_at=None,
        ),
    )


def retry(session: Session, job: Job) -> None:
    """A person sends a dead job again. Raises IllegalTransition when it is not dead."""
    if job.state != "dead":
        raise IllegalTransition("只有进入死信的任务可以重试。")
    run_again(job)


def run_again(job: Job, payload: dict[str, Any] | None = None) -> None:
    """Sends a job again as if it were new, with this payload if one is given. Not one that somebody is running."""
    job.state, job.failures, job.attempts, job.error = "queued", 0, 0, ""
    job.not_before, job.sent_at, job.finished_at = utc_now(), None, None
    if payload is not None:
        job.payload = payload


def due(session: Session, now: datetime, limit: int = 500) -> Sequence[Job]:
    """Jobs to send: never sent (those first), held by a lease that ran out, or sent but unclaimed for too long."""
    unsent = and_(Job.state == "queued", Job.not_before <= now, Job.sent_at.is_(None))
    to_partition = Job.queue.startswith(PARTITION_PREFIX, autoescape=True)
    sent_long_ago = or_(
        and_(Job.sent_at < now - RESEND_AFTER, Job.queue.in_(QUEUES)),
        and_(Job.sent_at < now - RESEND_TO_HOST_AFTER, ~to_partition),
        Job.sent_at < now - RESEND_TO_PARTITION_AFTER,
    )
    lost = and_(Job.state == "queued", Job.not_before <= now, sent_long_ago)
    abandoned = and_(Job.state == "running", Job.lease_until < now)
    chosen = select(Job).where(or_(unsent, lost, abandoned))
    return session.scalars(chosen.order_by(Job.sent_at.is_not(None), Job.id).limit(limit)).all()


def publish_pending(session: Session, send: Send, now: datetime | None = None, limit: int = 500) -> int:
    """Sends what is due and notes when; returns how many. Call it after the commit, in a transaction of its own.

    A job that lost its worker MAX_ATTEMPTS times is dead-lettered here.
    """
    now = now or utc_now()
    sent = 0
    for job in due(session, now, limit):
        # As it was read, or not at all: a worker may have claimed it meanwhile (each claim counts an attempt).
        unclaimed = update(Job).where(Job.id == job.id, Job.attempts == job.attempts, Job.state == job.state)
        free = {"lease_token": None, "lease_until": None}
        if job.attempts >= MAX_ATTEMPTS:
            error = job.error or "its worker was lost again and again"
            _changed(session, unclaimed.values(state="dead", error=error, finished_at=now, **free))
        elif _changed(session, unclaimed.values(state="queued", sent_at=now, **free)):
            send(job)
            sent += 1
    session.expire_all()
    return sent


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
