"""A second fingerprint algorithm that only tests know: its fingerprints share nothing with those of the first.

Mixing the two up finds nothing, so a right answer proves that page and works were treated alike. Below it, what the
tests of re-fingerprinting share.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import jobs
from service.clock import utc_now
from service.fingerprint import Fingerprint, Normalised, fingerprint_text
from service.jobs import Job
from service.works import refingerprint
from service.works.fingerprints import Fingerprinter, newest_algorithm
from service.works.models import WorkFingerprint
from tests.factories import NOW

FIRST = newest_algorithm()
"""What the program itself brings every database to."""
SECOND = "test-text-9"
"""What its next version would bring it to."""
FLIP = (1 << 40) - 1  # winnow hashes have 40 bits


def second_fingerprint(text: str | Normalised, *, wait_s: float = 0.0) -> Fingerprint | None:
    """The first algorithm's fingerprint with every bit turned over, after a pause where a test needs slowness."""
    time.sleep(wait_s)
    first = fingerprint_text(text)
    if first is None:
        return None
    turned = np.sort(first.winnow ^ np.uint64(FLIP))
    return replace(first, algorithm=SECOND, simhash=first.simhash ^ (2**64 - 1), winnow=turned)


def slow_fingerprinter(wait_s: float) -> Fingerprinter:
    """The same, slowly."""
    return partial(second_fingerprint, wait_s=wait_s)


def rows_of(session: Session, algorithm: str) -> list[int]:
    """Version ids that have a row, in order."""
    chosen = select(WorkFingerprint.version_id).where(WorkFingerprint.algorithm == algorithm)
    return list(session.scalars(chosen.order_by(WorkFingerprint.version_id)))


def judgeable(session: Session) -> list[int]:
    """Version ids whose text is long enough, in order."""
    return rows_of(session, FIRST)


def start(session: Session, now: datetime = NOW) -> Job:
    """The job, claimed as a worker does."""
    job = refingerprint.ensure_newest(session, now, is_patient=True)
    assert job is not None
    session.commit()
    return claimed(session, job.id)


def claimed(session: Session, job_id: int) -> Job:
    job = jobs.claim(session, job_id, utc_now() + timedelta(hours=1))
    assert job is not None
    session.commit()
    return job


def finish(session: Session, job: Job) -> None:
    """What the ledger does after the handler."""
    refingerprint.refingerprint(session, job)
    assert jobs.finish(session, job.id, job.lease_token or "", utc_now())
    session.commit()
