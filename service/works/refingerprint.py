"""Bringing all works to the newest algorithm, slice after slice, while readers go on with the old one; and pruning.

Each step may run twice and be killed anywhere: the rows of a step and the place that it reached are one commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from service import jobs
from service.audit import Actor, record
from service.clock import utc_now
from service.errors import BadInput, Conflict, NotFound
from service.extensions import reading
from service.jobs import Job, Postpone
from service.works.fingerprints import (
    ALGORITHMS,
    FingerprintRun,
    active_algorithm,
    begin_run,
    find_run,
    fingerprint_row,
    fingerprinter,
    finish_run,
    is_under_way,
    newest_algorithm,
)
from service.works.models import WorkFingerprint, WorkVersion

Progress = Callable[[int, int], None]
"""Told how many versions are treated, and how many there are."""

KIND = "works.refingerprint"
BATCH_VERSIONS = 500
"""Work versions a commit: a kill loses at most this much work (some 50 ms), and registrations wait no longer."""
BATCH_CHARACTERS = 2_000_000
"""And no more text than this at once (8 MB): a batch of the longest texts must fit in memory."""
SLICE_S = 60.0
"""Then the job steps aside for others and is sent again: far below the queue's time limit of 240 s."""
PRUNE_AFTER = timedelta(hours=24)
"""Since the switch: by then each host has built its nightly index, and no reader uses the old rows any more."""
DELETE_ROWS = 5_000
POLL_S = 0.5


def ensure_newest(session: Session, now: datetime, *, is_patient: bool = False) -> Job | None:
    """The job that brings this database to the newest algorithm, enqueued if need be; None when it is there already.

    Commits the begun run, so that registrations know of it before the job starts; the caller commits and publishes the
    job. Raises OperationalError where it may not wait for registrations under way (see `begin_run`).
    """
    newest = newest_algorithm()
    run = find_run(session, newest)
    if run is not None and run.state == "done":
        return None
    if run is None:
        run = begin_run(session, newest, now, is_patient=is_patient)
        session.commit()
    payload = {"algorithm": newest, "started_at": run.started_at.isoformat(), "after": 0, "done": 0}
    return jobs.enqueue(
        session, KIND, f"{KIND}:{newest}:{run.started_at:%Y%m%dT%H%M%S.%f}", queue="index", payload=payload
    )


def refingerprint(session: Session, job: Job, on_progress: Progress | None = None) -> None:
    """One slice of the job: batches until SLICE_S have passed or everything is treated, which makes the run *done*.

    Raises Postpone when there is more to do. A run that was set back or pruned meanwhile has another job, or none, and
    this one ends.
    """
    algorithm, started_at = job.payload["algorithm"], datetime.fromisoformat(job.payload["started_at"])
    job_id, token, began = job.id, job.lease_token or "", time.monotonic()
    place = {"after": int(job.payload["after"]), "done": int(job.payload["done"])}
    with reading(session):
        total = session.scalar(select(func.count()).select_from(WorkVersion)) or 0
    while batch := _read_batch(session, place["after"]):
        rows = _missing_rows(session, algorithm, batch)
        place = {"after": batch[-1][0], "done": place["done"] + len(batch)}
        if not jobs.renew(session, job_id, token, utc_now()):
            session.rollback()
            return  # another worker has the job; the ledger lets it, and not this one, go on
        if not is_under_way(session, algorithm, started_at):
            return
        if rows:
            session.execute(insert(WorkFingerprint), rows)
        job = session.get_one(Job, job_id)
        job.payload = {**job.payload, **place}
        jobs.report_progress(session, job, place["done"], max(total, place["done"]))
        session.commit()
        if on_progress:
            on_progress(place["done"], max(total, place["done"]))
        if time.monotonic() - began > SLICE_S:
            raise Postpone(0)
    if not finish_run(session, algorithm, started_at, utc_now()):
        session.rollback()


def follow(session: Session, job_id: int, on_progress: Progress) -> None:
    """Brings the job to its end: does it in this process unless a worker has it, and then watches.

    Raises Conflict when it ends dead.
    """
    while True:
        claimed = jobs.claim(session, job_id, utc_now())
        token = claimed.lease_token or "" if claimed is not None else ""
        session.commit()
        if claimed is not None:
            try:
                refingerprint(session, claimed, on_progress)
                if not jobs.finish(session, job_id, token, utc_now()):
                    session.rollback()
            except Postpone as wait:
                session.rollback()
                jobs.postpone(session, job_id, token, wait.delay_s, utc_now())
            session.commit()
        with reading(session):
            job = session.get_one(Job, job_id, populate_existing=True)
            state, done, total, error = job.state, job.done, job.total or 0, job.error.strip()
        on_progress(done, total)
        if state == "done":
            return
        if state not in ("queued", "running"):
            raise Conflict(f"job {job_id} is {state}: {(error.splitlines() or ['no error noted'])[-1]}")
        if claimed is None:
            time.sleep(POLL_S)


def _read_batch(session: Session, after: int) -> Sequence[tuple[int, str]]:
    """The next versions by id with their texts; () at the end. No transaction stays open."""
    with reading(session):
        next_ids = select(WorkVersion.id, WorkVersion.length_chars).where(WorkVersion.id > after)
        sizes = session.execute(next_ids.order_by(WorkVersion.id).limit(BATCH_VERSIONS)).all()
        reached = accumulate(row.length_chars for row in sizes)
        ids = [row.id for row, total in zip(sizes, reached, strict=True) if total <= BATCH_CHARACTERS]
        ids = ids or [row.id for row in sizes[:1]]  # the longest text alone may be more than a batch
        texts = select(WorkVersion.id, WorkVersion.text).where(WorkVersion.id.in_(ids)).order_by(WorkVersion.id)
        return [(row.id, row.text) for row in session.execute(texts)]


def _missing_rows(session: Session, algorithm: str, batch: Sequence[tuple[int, str]]) -> list[dict[str, object]]:
    """The rows that these versions still lack; those of versions registered since the run began are there already."""
    with reading(session):
        has_row = select(WorkFingerprint.version_id).where(
            WorkFingerprint.algorithm == algorithm, WorkFingerprint.version_id.in_([one[0] for one in batch])
        )
        there = set(session.scalars(has_row))
    compute = fingerprinter(algorithm)
    found = ((version_id, compute(text)) for version_id, text in batch if version_id not in there)
    return [{"version_id": version_id, **fingerprint_row(one)} for version_id, one in found if one is not None]


def prune(
    session: Session, actor: Actor, algorithm: str, now: datetime, on_progress: Callable[[int], None] | None = None
) -> int:
    """Deletes the fingerprints of an algorithm that nobody reads any more, in many commits; returns how many rows.

    An interrupted prune goes on where it stopped. Raises NotFound when there are none, BadInput for the algorithm that
    readers use or that is being built, Conflict until PRUNE_AFTER has passed since the switch.
    """
    active = active_algorithm(session)
    if algorithm in (active, newest_algorithm()):
        raise BadInput(f"“{algorithm}” is in use", "algorithm")
    in_use, run = find_run(session, active), find_run(session, algorithm)
    assert in_use is not None and in_use.finished_at is not None
    if run is not None and run.id > in_use.id and algorithm not in ALGORITHMS:
        raise BadInput(f"“{algorithm}” belongs to a newer version of Yinji", "algorithm")
    rows = select(WorkFingerprint.id).where(WorkFingerprint.algorithm == algorithm)
    if run is None and session.scalars(rows.limit(1)).first() is None:
        raise NotFound(f"there are no fingerprints “{algorithm}”")
    if now < (ready_at := in_use.finished_at + PRUNE_AFTER):
        raise Conflict(f"readers may still use “{algorithm}” until {ready_at:%Y-%m-%d %H:%M} UTC")
    session.execute(select(FingerprintRun.id).with_for_update()).all()  # registrations under way still write its rows
    run = find_run(session, algorithm)
    if run is not None:
        record(session, actor, "fingerprints.pruned", run, old=run.state, algorithm=algorithm)
        session.delete(run)
    session.commit()
    deleted = 0
    while ids := session.scalars(rows.order_by(WorkFingerprint.id).limit(DELETE_ROWS)).all():
        session.execute(delete(WorkFingerprint).where(WorkFingerprint.id.in_(ids)))
        session.commit()
        deleted += len(ids)
        if on_progress:
            on_progress(deleted)
    return deleted
