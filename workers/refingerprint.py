"""Queue *index*: bringing all works to the newest fingerprint algorithm, as soon as the program has one."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.clock import utc_now
from service.jobs import Job
from service.works import refingerprint as operations
from workers.app import job_task, log, periodic_task


@periodic_task("index.refingerprint")
def begin_refingerprinting(session: Session) -> None:
    """Enqueues the job where works lack the newest algorithm; with a registration under way, the next round does."""
    try:
        operations.ensure_newest(session, utc_now())
    except OperationalError as error:
        session.rollback()
        log.info("re-fingerprinting waits for registrations under way", error=str(error.orig))


@job_task(operations.KIND)
def refingerprint(session: Session, job: Job) -> None:
    """One slice of the work; the ledger sends the job again until nothing is left."""
    operations.refingerprint(session, job)
