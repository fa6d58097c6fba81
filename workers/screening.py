"""Queue *screening*: visiting one page and comparing it with the works; *screening.p0* …: searching one partition for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from service import screening
from service.errors import YinjiError
from service.extensions import reading
from service.intake.page import FetchFailed
from service.jobs import Job, Postpone
from service.sightings import hosts, partitions, scans
from service.sightings.models import Sighting
from service.works.index import IndexNotReady, request_needed_rebuild
from workers.app import blob_store, job_task, log, settings, try_again_or_raise

READY_WAIT_S = 30.0
"""Between two looks of a page at an index that is being built: thousands may wait for many minutes, and each look is a
claim and a postponement in the ledger."""


@job_task("screening.visit")
def visit(session: Session, job: Job) -> None:
    """One polite visit to a page. A visit that has its outcome is not made again; a failed one may be, by a person."""
    sighting_id, group = int(job.payload["sighting_id"]), job.group_key
    with ready_index(session):
        with reading(session):
            sighting = session.get_one(Sighting, sighting_id)
            url, outcome = sighting.page.canonical_url, sighting.outcome
            if outcome not in ("pending", "failed") or partitions.is_held(session, sighting_id):
                return
            screening.check_index(session, settings)
        try:
            with hosts.turn(session, settings, url, group) as rules:
                if hosts.is_allowed(rules, settings, url):
                    screening.screen_sighting(session, sighting_id, settings=settings, blobs=blob_store())
                else:
                    scans.end_visit(session, sighting_id, "skipped", "对方 robots.txt 不允许访问该页面")
        except FetchFailed as failure:
            try:
                try_again_or_raise(session, job, failure)
            except FetchFailed:
                scans.end_visit(session, sighting_id, "failed", failure.message, failure.status)


@job_task(partitions.SEARCH)
def search(session: Session, job: Job) -> None:
    """One partition's part of a page that no machine can search alone."""
    payload = job.payload
    partition, size = int(payload["partition"]), int(payload["partition_works"])
    if size != settings.index_partition_works or partition not in (settings.served_partitions or ()):
        raise YinjiError(
            f"partition {partition} of {size} works is not searched here (YINJI_INDEX_PARTITIONS="
            f"{settings.index_partitions}, YINJI_INDEX_PARTITION_WORKS={settings.index_partition_works})"
        )
    with ready_index(session):
        screening.search_partition(
            session, int(payload["sighting_id"]), str(payload["token"]), partition, blobs=blob_store()
        )


@job_task(partitions.CONCLUDE)
def conclude(session: Session, job: Job) -> None:
    """The careful half of a page that several partitions searched."""
    screening.conclude_sighting(session, int(job.payload["sighting_id"]), str(job.payload["token"]), blobs=blob_store())


@contextmanager
def ready_index(session: Session) -> Iterator[None]:
    """Postpones the job while this machine's index is not ready, and asks for a rebuild where one is needed."""
    try:
        yield
    except IndexNotReady as waiting:
        session.rollback()
        log.info("waiting for the index", reason=waiting.message)
        request_needed_rebuild(session)
        session.commit()
        raise Postpone(READY_WAIT_S) from waiting
    request_needed_rebuild(session)
