"""Tasks in a real worker over a real broker, on both databases: run twice, failing, unknown, on time."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import func, select

from service import jobs
from service.audit import Event, verify_chain
from service.broker import make_celery
from service.clock import utc_now
from service.extensions import reading
from service.sightings.models import Scan, Source
from tests.workers.conftest import COPIES, START_S, Running
from tests.workers.running import (
    enqueue,
    is_all_done,
    job_of,
    progress_of,
    rows_of,
    session_of,
    undo_scan,
    wait_for,
    wait_for_scan,
)


def test_each_task_run_twice_leaves_the_same_rows(running: Running) -> None:
    app, settings, scan_id = running.app, running.settings, running.scan_id
    progress, first = progress_of(app, scan_id), rows_of(app)
    assert (progress["total"], progress["flagged"], progress["skipped"]) == (12, len(COPIES), 1)
    assert progress["no_match"] == 12 - len(COPIES) - 1
    assert len(first["flags"]) == len(first["raised"]) == len(first["captures"]) == len(COPIES)
    requests = len(running.site.visits)
    undo_scan(app, settings, scan_id)
    wait_for_scan(app, scan_id, 30)
    wait_for("all jobs done", lambda: is_all_done(app, scan_id), 10)
    assert len(running.site.visits) >= requests + 12, "the second run must have fetched again"
    assert rows_of(app) == first


def test_one_host_gets_one_request_at_a_time(running: Running) -> None:
    visits = sorted((start, end) for path, start, end in running.site.visits if path != "/robots.txt")
    assert len(visits) >= 12
    gaps = [after[0] - before[1] for before, after in pairwise(visits)]
    assert min(gaps) >= 0.8 * running.settings.host_delay_s


def test_robots_are_asked_once_a_day(running: Running) -> None:
    paths = [path for path, _, _ in running.site.visits]
    assert paths.count("/robots.txt") == 1
    assert "/a/5.html" not in paths


def test_a_poison_job_is_dead_after_three_failures_and_others_go_on(running: Running) -> None:
    app, settings = running.app, running.settings
    poison = enqueue(app, settings, "test.poison", "poison")
    for failures in range(1, jobs.MAX_FAILURES + 1):
        wait_for(f"failure {failures}", lambda: job_of(app, poison).failures == failures, START_S)  # noqa: B023  it is called before the loop goes on
        with session_of(app) as session:  # instead of waiting for minutes
            session.get_one(jobs.Job, poison).not_before = utc_now()
            session.commit()
    dead = job_of(app, poison)
    assert dead.state == "dead"
    assert "RuntimeError: poison" in dead.error
    good = enqueue(app, settings, "test.note", "note")
    wait_for("the next job", lambda: job_of(app, good).state == "done", 15)


def test_a_failed_job_leaves_nothing_half_done(running: Running) -> None:
    half = enqueue(running.app, running.settings, "test.half", "half")
    wait_for("its failure", lambda: job_of(running.app, half).failures == 1, START_S)
    with session_of(running.app) as session, reading(session):
        assert session.scalar(select(func.count(Event.id)).where(Event.verb == "test.half")) == 0


def test_a_kind_without_a_task_fails_loudly(running: Running) -> None:
    orphan = enqueue(running.app, running.settings, "index.nothing", "orphan")
    wait_for("its failure", lambda: job_of(running.app, orphan).failures == 1, START_S)
    assert "no task serves the kind 'index.nothing'" in job_of(running.app, orphan).error


def test_a_message_delivered_many_times_runs_one_job_once(running: Running) -> None:
    app = running.app
    note = enqueue(app, running.settings, "test.note", "many")
    celery = make_celery(running.settings)
    for _ in range(5):
        celery.send_task("test.note", args=[note], queue="index", ignore_result=True)
    wait_for("the job", lambda: job_of(app, note).state == "done", START_S)
    last = enqueue(app, running.settings, "test.note", "after many")
    wait_for("a job behind them", lambda: job_of(app, last).state == "done", 15)
    with session_of(app) as session, reading(session):
        noted = select(func.count(Event.id)).where(Event.verb == "test.noted", Event.subject_id == note)
        assert session.scalar(noted) == 1
    assert job_of(app, note).attempts == 1


def test_a_second_scheduler_makes_no_second_nightly_scan(running: Running) -> None:
    app, celery = running.app, make_celery(running.settings)
    for _ in range(6):  # what six schedulers would send, to two processes
        celery.send_task("index.nightly", queue="index", ignore_result=True)

    def nightly() -> int:
        with session_of(app) as session, reading(session):
            return session.scalar(select(func.count(Scan.id)).where(Scan.trigger == "nightly")) or 0

    wait_for("the nightly scan", lambda: nightly() > 0, START_S)
    last = enqueue(app, running.settings, "test.note", "after the schedulers")
    wait_for("a job behind them", lambda: job_of(app, last).state == "done", 15)
    with session_of(app) as session, reading(session):
        assert nightly() == session.scalar(select(func.count(Source.id)).where(Source.is_enabled))


def test_events_are_sealed_by_the_clock(running: Running) -> None:
    make_celery(running.settings).send_task("index.seal", queue="index", ignore_result=True)

    def is_sealed() -> bool:
        with session_of(running.app) as session, reading(session):
            report = verify_chain(session)
            return report.links > 0 and report.unsealed == 0 and report.first_bad is None

    wait_for("the seal", is_sealed, START_S)
