"""Queue *index*: the rounds of the clock, and the builds of each machine's own index."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import seal_events
from service.broker import LONGEST_LIMIT_S
from service.clock import utc_now
from service.errors import YinjiError
from service.jobs import Job, Postpone, report_progress
from service.licences.operations import expire_licences
from service.sightings import partitions, scans
from service.works import index_hosts
from service.works.index_build import IndexBusy, rebuild
from workers.app import job_task, periodic_task, settings

BUSY_WAIT_S = 5.0
"""Until a build that cannot begin is tried again."""


@periodic_task("index.tick")
def tick(_session: Session) -> None:
    """Nothing of its own: every periodic task ends by publishing what is due, and this one comes every two seconds."""


@periodic_task("index.nightly")
def start_nightly_scans(session: Session) -> int:
    """Starts the nightly scans that are due, after licences whose day has come; returns how many were started."""
    expire_licences(session, utc_now())
    session.commit()
    return scans.dispatch_due(session, utc_now(), settings.nightly_at)


@periodic_task("index.seal")
def seal(session: Session) -> int:
    """Chains new audit events, and ends what dead jobs left open; returns how many events were chained."""
    scans.settle_dead(session)
    partitions.settle_dead(session)
    session.commit()
    try:
        return seal_events(session)
    except IntegrityError:  # another sealer took the same positions; its work stands
        session.rollback()
        return 0


@periodic_task("index.renew")
def request_rebuilds(session: Session) -> int:
    """Enqueues the nightly build of each machine's index; returns how many machines were due.

    Pages held for partitions that are no more are visited anew.
    """
    partitions.visit_recut(session, settings, utc_now())
    session.commit()
    return index_hosts.request_nightly(session, utc_now())


@job_task(index_hosts.KIND, limit_s=LONGEST_LIMIT_S)
def rebuild_index(session: Session, job: Job) -> None:
    """Builds this machine's index. Postponed while another process does, or while a long registration is under way."""
    job_id, host = job.id, job.payload["host"]
    if host != settings.index_host:
        raise YinjiError(f"this is {settings.index_host}; the index of {host} is built there")

    def show(done: int, total: int) -> None:
        report_progress(session, session.get_one(Job, job_id), done, total)
        session.commit()

    try:
        built = rebuild(session, settings, show)
    except IndexBusy as busy:
        raise Postpone(BUSY_WAIT_S) from busy
    report_progress(session, session.get_one(Job, job_id), built.works, built.works)
