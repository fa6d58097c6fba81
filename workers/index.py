"""Queue *index*: the rounds of the clock."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import seal_events
from service.clock import utc_now
from service.jobs import Job
from service.sightings import scans
from workers.app import periodic_task, settings


@periodic_task("index.tick")
def take_back(session: Session) -> None:
    """Puts jobs back whose worker was lost; like every periodic task it ends by publishing what is due.

    A running job without a token was sent again but is not claimed yet: its lease, made longer by the sending, would
    turn away the very worker it was sent to.
    """
    now = utc_now()
    lost = update(Job).where(Job.state == "running", (Job.lease_until < now) | Job.lease_token.is_(None))
    session.execute(
        lost.values(state="queued", lease_token=None, lease_until=None, sent_at=None).execution_options(
            synchronize_session=False
        )
    )


@periodic_task("index.nightly")
def start_nightly_scans(session: Session) -> int:
    """Starts the nightly scans that are due; returns how many."""
    return scans.dispatch_due(session, utc_now(), settings.nightly_at)


@periodic_task("index.seal")
def seal(session: Session) -> int:
    """Chains new audit events, and ends what dead jobs left open; returns how many events were chained."""
    scans.settle_dead(session)
    session.commit()
    try:
        return seal_events(session)
    except IntegrityError:  # another sealer took the same positions; its work stands
        session.rollback()
        return 0
