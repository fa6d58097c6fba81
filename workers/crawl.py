"""Queue *crawl*: reading a source and finding its pages."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.intake.page import FetchFailed
from service.jobs import Job
from service.sightings import scans
from workers.app import job_task, settings, try_again_or_raise


@job_task("crawl.discover")
def discover(session: Session, job: Job) -> None:
    """Finds the pages of a scan; a source that cannot be read ends it, with the reason."""
    scan_id = int(job.payload["scan_id"])
    try:
        scans.discover(session, settings, scan_id)
    except FetchFailed as failure:
        session.rollback()
        try:
            try_again_or_raise(session, job, failure)
        except FetchFailed:
            scans.give_up(session, scan_id, failure.message)
