"""The Celery application of the workers, and the one way in which every job runs.

claim (commit) → handler, its lease renewed meanwhile → finish, in the transaction of the handler's last writes →
publish what the handler enqueued. A message may arrive twice or not at all; the ledger decides.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Event, Thread
from typing import Any

import structlog
from celery import signals
from flask import Flask
from sqlalchemy.orm import Session

from service import jobs
from service.app import create_app
from service.blobs import BlobStore, open_store
from service.broker import (
    LIMIT_GRACE_S,
    TIME_LIMIT_S,
    commit_and_publish,
    machine_queues,
    make_celery,
    make_queue,
)
from service.clock import utc_now
from service.comparison import likely_candidates
from service.config import load
from service.extensions import db
from service.fingerprint import IndexSegment, fingerprint_text, normalise
from service.fingerprint.hamming import BRUTE_FORCE_ROWS
from service.intake.page import FetchFailed
from service.jobs import LEASE, Job, Postpone
from service.matching import compare
from service.sightings.hosts import retry_wait_s
from service.supervisor import alive_path
from service.works.index import forget
from service.works.index_files import sweep_if_idle
from service.works.index_hosts import note_host, renew_host
from workers import folder
from workers.schedule import SCHEDULE

log = structlog.get_logger()

Handler = Callable[[Session, Job], None]
RENEW_EVERY_S = LEASE.total_seconds() / 3
PR_SET_PDEATHSIG = 1  # linux/prctl.h

folder.install()
settings = load()
celery_app = make_celery(settings)
celery_app.conf.update(
    include=["workers.crawl", "workers.screening", "workers.index", "workers.refingerprint"],
    beat_schedule=SCHEDULE,
    # In memory: all that a schedule of intervals could keep on disk is what a killed process leaves corrupt.
    beat_scheduler="celery.beat:Scheduler",
    worker_enable_remote_control=not settings.broker_url.startswith("filesystem"),
)


@cache
def flask_app() -> Flask:
    """The application of this process: settings, database, extensions."""
    return create_app(settings)


@cache
def blob_store() -> BlobStore:
    """The capture store of this process."""
    return open_store(settings.blobs_url)


def job_task(kind: str, *, limit_s: int = TIME_LIMIT_S) -> Callable[[Handler], Handler]:
    """Registers a handler as the task of a job kind; `limit_s`: how long it may run, in seconds."""

    def register(handler: Handler) -> Handler:
        def task(job_id: int) -> None:
            run_job(job_id, handler)
            say_alive()

        celery_app.task(name=kind, soft_time_limit=limit_s, time_limit=limit_s + LIMIT_GRACE_S)(task)
        return handler

    return register


def periodic_task(name: str) -> Callable[[Callable[[Session], object]], Callable[[Session], object]]:
    """Registers what the schedule calls: no job row, nothing lost when a round is dropped."""

    def register(function: Callable[[Session], object]) -> Callable[[Session], object]:
        def task() -> None:
            with flask_app().app_context():
                function(db.session())
                commit_and_publish(db.session(), celery_app)
            say_alive()

        celery_app.task(name=name)(task)
        return function

    return register


def say_alive() -> None:
    """Says that this process works: to the supervisor after each task, and now and then to all machines.

    The machine's old snapshots go then too: it may build none for long.
    """
    alive_path(settings).touch()
    with flask_app().app_context():
        if renew_host(db.session(), settings, utc_now()):
            db.session.commit()
            sweep_if_idle(settings.index_folder)


def run_job(job_id: int, handler: Handler) -> None:
    """Runs one job if nobody else holds it. Its outcome is in the ledger; nothing is raised for the queue to judge."""
    with flask_app().app_context(), structlog.contextvars.bound_contextvars(job=job_id):
        session = db.session()
        job = jobs.claim(session, job_id, utc_now())
        token, kind = (job.lease_token or "", job.kind) if job is not None else ("", "")
        session.commit()
        if job is None:
            return
        with renewed_lease(job_id, token):
            try:
                handler(session, job)
                if jobs.finish(session, job_id, token, utc_now()):
                    commit_and_publish(session, celery_app)
                else:
                    session.rollback()
                    log.warning("lease lost, another worker has the job", kind=kind)
            except Postpone as wait:
                session.rollback()
                jobs.postpone(session, job_id, token, wait.delay_s, utc_now())
                session.commit()
            # Broad on purpose, the border of the job: whatever its code raised, the time limit included, is written
            # into the ledger, counted, and tried again or dead-lettered; in the queue's own error handling it would
            # vanish for those who look at the ledger.
            except Exception as error:
                session.rollback()
                text = "".join(traceback.format_exception(error))
                jobs.fail(session, session.get_one(Job, job_id), token, text, utc_now())
                session.commit()
                log.error("job failed", kind=kind, error=text)


@contextmanager
def renewed_lease(job_id: int, token: str) -> Iterator[None]:
    """Renews the job's lease from a thread of its own, with its own connection, until the block ends."""
    ended, engine = Event(), db.engine

    def renew() -> None:
        while not ended.wait(RENEW_EVERY_S):
            alive_path(settings).touch()
            with Session(engine) as session:
                is_held = jobs.renew(session, job_id, token, utc_now())
                session.commit()
            if not is_held:
                return

    thread = Thread(target=renew, name=f"lease-{job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def try_again_or_raise(session: Session, job: Job, failure: FetchFailed) -> None:
    """Postpones the job when the failure may pass and tries are left; else raises the failure.

    The tries of a page are counted in the payload: a slow site is no error of ours, so no `failures`.
    """
    tries = int(job.payload.get("tries", 0)) + 1
    wait_s = retry_wait_s(failure, tries)
    if wait_s is None:
        raise failure
    job.payload = {**job.payload, "tries": tries}
    session.commit()
    raise Postpone(wait_s)


@signals.celeryd_after_setup.connect
def _serve_own_queues(instance: Any = None, **_: Any) -> None:
    """A worker also serves the queues of its machine that go with those named on its command line."""
    queues = celery_app.amqp.queues
    for name in machine_queues(settings, list(queues.consume_from)):
        queues.select_add(make_queue(name, settings.broker_url))


@signals.worker_ready.connect
def _note_host(**_: Any) -> None:
    """Says that this machine has workers now, and which partitions they search."""
    with flask_app().app_context():
        try:
            note_host(db.session(), settings, utc_now())
            db.session.commit()
        finally:
            db.session.remove()
            db.engine.dispose()  # children forked later must not share the connection


@signals.worker_init.connect
def _warm_before_fork(**_: Any) -> None:
    """The application and the compiled kernels are made once; the children share the memory.

    One text goes the whole way of a page that carries a work, in an index large enough to be searched by bands.
    """
    flask_app()
    work = "".join(map(chr, range(0x4E00, 0x4F00)))
    page = normalise(work)
    fingerprint = fingerprint_text(page)
    assert fingerprint is not None
    rows = ((number, fingerprint, page.codes) for number in range(BRUTE_FORCE_ROWS + 1))
    likely_candidates(page, IndexSegment.build(rows).find(fingerprint))
    reordered = "。".join(work[start : start + 9] for start in range(0, len(work), 7))
    compare(work, reordered, work_title="", page_title="", distance=None)


@signals.worker_process_init.connect
def _reopen_after_fork(**_: Any) -> None:
    """A child shares no connection with its parent, and does not outlive it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with flask_app().app_context():
        db.engine.dispose(close=False)
    blob_store.cache_clear()
    forget()


@signals.task_unknown.connect
def _fail_unknown_kind(name: str = "", message: Any = None, **_: Any) -> None:
    """A job whose kind no task serves fails in the ledger, where people look, instead of going round for ever."""
    arguments = message.decode()[0] if message is not None else []
    log.error("no task of this name", kind=name, arguments=arguments)
    if not arguments:
        return
    with flask_app().app_context():
        session = db.session()
        job = jobs.claim(session, int(arguments[0]), utc_now())
        if job is not None:
            jobs.fail(session, job, job.lease_token or "", f"no task serves the kind {name!r}", utc_now())
        session.commit()
