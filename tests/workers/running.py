"""What tests of running workers share: waiting for the ledger, starting scans, looking at rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import jobs
from service.audit import CLI, Event
from service.broker import commit_and_publish, make_celery
from service.clock import utc_now
from service.config import Settings
from service.extensions import db, reading
from service.jobs import Job
from service.sightings.flags import Flag
from service.sightings.models import Capture, Match, Page, Ruling, Scan, Sighting
from service.sightings.scans import scan_progress, start_scan
from tests.factories import TEXT, make_source, make_work
from tests.workers.site import Site

ROWS = {
    "pages": select(Page.id, Page.canonical_url, Page.host),
    "sightings": select(Sighting.id, Sighting.scan_id, Sighting.page_id, Sighting.outcome, Sighting.content_sha256),
    "captures": select(Capture.id, Capture.page_id, Capture.content_sha256),
    "matches": select(Match.id, Match.sighting_id, Match.version_id, Match.kind, Match.coverage_of_work),
    "rulings": select(Ruling.id, Ruling.match_id, Ruling.outcome),
    "flags": select(Flag.id, Flag.page_id, Flag.work_id, Flag.match_id, Flag.state, Flag.revision),
    "jobs": select(Job.id, Job.kind, Job.key, Job.state),
    "raised": select(Event.subject_id).where(Event.verb == "flag.raised"),
}
"""What must be the same after a task ran again."""


@contextmanager
def session_of(app: Flask) -> Iterator[Session]:
    """A session on the application's database, closed afterwards."""
    with app.app_context():
        yield db.session()


def wait_for(what: str, holds: Callable[[], bool], timeout_s: float) -> float:
    """Waits until the condition holds; returns the seconds it took. Fails the test by name at the timeout."""
    started = time.monotonic()
    while not holds():
        passed = time.monotonic() - started
        assert passed < timeout_s, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(0.2)
    return time.monotonic() - started


def enqueue(app: Flask, settings: Settings, kind: str, key: str, **payload: Any) -> int:
    """Enqueues and publishes one job; returns its id."""
    with session_of(app) as session:
        job_id = jobs.enqueue(session, kind, key, queue="index", payload=payload).id
        commit_and_publish(session, make_celery(settings))
        return job_id


def job_of(app: Flask, job_id: int) -> Job:
    """The job's row as it stands, detached."""
    with session_of(app) as session, reading(session):
        job = session.get_one(Job, job_id)
        session.expunge(job)
        return job


def scan_site(app: Flask, settings: Settings, site: Site, kind: str = "site") -> int:
    """Registers the work that the site's copies carry, and starts a scan; returns the scan's id."""
    with session_of(app) as session:
        if site.copies:
            make_work(session, TEXT)
        source = make_source(session, address=site.address, kind=kind)
        scan_id = start_scan(session, CLI, source, "manual", f"test:{source.id}").id
        commit_and_publish(session, make_celery(settings))
        return scan_id


def progress_of(app: Flask, scan_id: int) -> dict[str, Any]:
    """`scan_progress`, read afresh."""
    with session_of(app) as session, reading(session):
        return scan_progress(session, scan_id)


def wait_for_scan(app: Flask, scan_id: int, timeout_s: float) -> float:
    """Waits for the end of a scan; returns the seconds."""
    return wait_for(f"scan {scan_id}", lambda: bool(progress_of(app, scan_id)["state"] == "done"), timeout_s)


def rows_of(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a scan leaves."""
    with session_of(app) as session, reading(session):
        return {name: sorted(tuple(row) for row in session.execute(query)) for name, query in ROWS.items()}


def undo_scan(app: Flask, settings: Settings, scan_id: int) -> None:
    """Puts a scan back to where a worker killed at the last moment leaves it: all written but the outcomes."""
    with session_of(app) as session:
        session.execute(update(Scan).where(Scan.id == scan_id).values(discovered=None))
        session.execute(update(Sighting).where(Sighting.scan_id == scan_id).values(outcome="pending"))
        session.execute(
            update(Job)
            .where(Job.group_key == f"scan:{scan_id}")
            .values(state="queued", sent_at=None, not_before=utc_now(), finished_at=None)
        )
        commit_and_publish(session, make_celery(settings))


def is_all_done(app: Flask, scan_id: int) -> bool:
    """True when no job of the scan is left to do."""
    with session_of(app) as session, reading(session):
        open_jobs = select(Job.id).where(Job.group_key == f"scan:{scan_id}", Job.state.in_(("queued", "running")))
        return session.scalars(open_jobs).first() is None
