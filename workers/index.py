"""Queue *index*: the rounds of the clock."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import seal_events
from service.clock import utc_now
from service.licences.operations import expire_licences
from service.sightings import scans
from workers.app import periodic_task, settings


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
    session.commit()
    try:
        return seal_events(session)
    except IntegrityError:  # another sealer took the same positions; its work stands
        session.rollback()
        return 0
