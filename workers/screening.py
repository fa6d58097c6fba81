"""Queue *screening*: visiting one page and comparing it with the works."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.extensions import reading
from service.intake.page import FetchFailed
from service.jobs import Job
from service.screening import screen_sighting
from service.sightings import hosts, scans
from service.sightings.models import Sighting
from workers.app import blob_store, job_task, settings, try_again_or_raise


@job_task("screening.visit")
def visit(session: Session, job: Job) -> None:
    """One polite visit to a page. A visit that has its outcome is not made again; a failed one may be, by a person."""
    sighting_id, group = int(job.payload["sighting_id"]), job.group_key
    with reading(session):
        sighting = session.get_one(Sighting, sighting_id)
        url, outcome = sighting.page.canonical_url, sighting.outcome
    if outcome not in ("pending", "failed"):
        return
    try:
        with hosts.turn(session, settings, url, group) as rules:
            if hosts.is_allowed(rules, settings, url):
                screen_sighting(session, sighting_id, settings=settings, blobs=blob_store())
            else:
                scans.end_visit(session, sighting_id, "skipped", "对方 robots.txt 不允许访问该页面")
    except FetchFailed as failure:
        try:
            try_again_or_raise(session, job, failure)
        except FetchFailed:
            scans.end_visit(session, sighting_id, "failed", failure.message, failure.status)
