"""The workers' Celery application with a few job kinds that only tests need."""

from __future__ import annotations

import time

from sqlalchemy.orm import Session

from service.audit import WORKER, record
from service.jobs import Job
from workers.app import celery_app, job_task

__all__ = ["celery_app"]


@job_task("test.note")
def note(session: Session, job: Job) -> None:
    """Leaves one event."""
    record(session, WORKER, "test.noted", job)


@job_task("test.poison")
def poison(_session: Session, _job: Job) -> None:
    """Fails whenever it is tried."""
    raise RuntimeError("poison")


@job_task("test.half")
def half(session: Session, job: Job) -> None:
    """Writes, then fails: what it wrote must not stay."""
    record(session, WORKER, "test.half", job)
    session.flush()
    raise RuntimeError("half done")


@job_task("test.sleep")
def sleep(session: Session, job: Job) -> None:
    """Longer than one renewal of the lease; then one event."""
    seconds = float(job.payload["seconds"])
    session.rollback()
    time.sleep(seconds)
    record(session, WORKER, "test.slept", job)
