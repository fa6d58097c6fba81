"""The index for operators: settings, queues of some machines, `index rebuild` and `index status`."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, current_app
from sqlalchemy.orm import Session

from service import jobs
from service.broker import LIMIT_GRACE_S, LONGEST_LIMIT_S, machine_queues, make_celery
from service.cli import cli
from service.clock import utc_now
from service.commands.index import _progress as commands_progress
from service.config import Settings, load
from service.errors import BadInput
from service.extensions import db
from service.jobs import Job, host_queue, partition_queue
from service.works import index, index_hosts
from service.works import index_status as index_status_module
from service.works.index_files import POINTER, read_pointer
from service.works.index_hosts import GONE_AFTER, IndexHost, note_host, renew_host, request_nightly, request_rebuild
from service.works.index_status import index_status
from tests.factories import make_sighting, make_work


def yinji(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@pytest.mark.parametrize(("text", "served"), [("all", None), ("0", {0}), ("0,2-4", {0, 2, 3, 4}), (" 1 , 63", {1, 63})])
def test_partitions_are_read_as_written(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, text: str, served: set[int] | None
) -> None:
    monkeypatch.setenv("YINJI_INDEX_PARTITIONS", text)
    assert load().served_partitions == served


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("YINJI_INDEX_PARTITIONS", value) for value in ("some", "2-1", "64", "-1", "0,,1", "1.5", "0," * 200 + "1")),
        *(("YINJI_INDEX_PARTITION_WORKS", value) for value in ("0", "many", "16777216")),
    ],
)
def test_bad_settings_are_refused_by_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=name):
        load()


def test_a_machine_serves_its_own_builds_and_the_partitions_it_names(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine_queues(settings, jobs.QUEUES) == [host_queue(settings.index_host)]
    monkeypatch.setenv("YINJI_INDEX_HOST", "盘/one ..")
    monkeypatch.setenv("YINJI_INDEX_PARTITIONS", "2,0")
    settings = load()
    assert settings.index_folder == settings.data / "index" / "--one---"
    assert machine_queues(settings, jobs.QUEUES) == [host_queue("--one---"), "screening.p0", "screening.p2"]
    assert machine_queues(settings, ["screening"]) == ["screening.p0", "screening.p2"]
    assert machine_queues(settings, ["crawl"]) == []
    names = {queue.name for queue in make_celery(settings).conf.task_queues}
    assert names == {*jobs.QUEUES, *machine_queues(settings, jobs.QUEUES)}


def test_only_known_queues_are_accepted() -> None:
    good = ("crawl", "screening.p0", "screening.p63", host_queue("any machine at all, 任何名字"))
    assert all(jobs.is_queue(name) and len(name) <= 16 for name in good)
    assert not any(jobs.is_queue(name) for name in ("", "crawl.p0", "screening.p", "screening.p0x", "index.one"))


def test_waiting_searches_do_not_push_new_jobs_aside_and_are_sent_again_seldom(any_session: Session) -> None:
    now = utc_now()
    for number in range(5):
        job = jobs.enqueue(any_session, "screening.search", f"s{number}", queue=partition_queue(1))
        job.sent_at = now - timedelta(minutes=5)
    assert jobs.due(any_session, now) == []
    for job in any_session.query(Job):
        job.sent_at = now - timedelta(minutes=11)
    new = jobs.enqueue(any_session, "crawl.discover", "new", queue="crawl")
    assert next(iter(jobs.due(any_session, now + timedelta(seconds=1), limit=3))) is new
    assert len(jobs.due(any_session, now + timedelta(seconds=1))) == 6


def test_a_lost_message_of_a_rebuild_is_sent_again_within_a_minute(any_session: Session) -> None:
    now = utc_now()
    job = request_rebuild(any_session, "one", "large", now)
    job.sent_at, job.not_before = now, now
    any_session.flush()
    assert jobs.due(any_session, now + timedelta(seconds=30)) == []
    assert jobs.due(any_session, now + timedelta(seconds=61)) == [job]


def test_redis_waits_for_the_longest_job(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINJI_BROKER_URL", "redis://127.0.0.1:1/0")
    timeout = make_celery(load()).conf.broker_transport_options["visibility_timeout"]
    assert timeout > LONGEST_LIMIT_S + LIMIT_GRACE_S


def test_rebuild_and_status_on_the_command_line(app: Flask) -> None:
    with app.app_context():
        folder = current_app.config["YINJI"].index_folder
        for _ in range(3):
            make_work(db.session())
        db.session.commit()
    before = yinji("index", "status")
    assert before.exit_code == 0 and "snapshot    none" in before.output and "3 works" in before.output
    built = yinji("index", "rebuild")
    assert built.exit_code == 0 and "3 work versions indexed" in built.output
    status = json.loads(yinji("index", "status", "--json").output)
    pointer = read_pointer(folder)
    assert pointer is not None
    assert status["generation"]["generation"] == pointer.generation
    assert (status["generation"]["works"], status["delta_rows"], status["problems"]) == (3, 0, [])
    (folder / POINTER).write_text("{}")
    harmed = yinji("index", "status")
    assert harmed.exit_code == 1 and "pointer to the snapshot is damaged" in harmed.output


def test_status_tells_a_snapshot_that_cannot_be_opened_now_from_a_damaged_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with app.app_context():
        make_work(db.session())
        db.session.commit()
    assert yinji("index", "rebuild").exit_code == 0
    monkeypatch.setattr(index_status_module, "open_segment", full)
    said = yinji("index", "status")
    assert said.exit_code == 1 and "cannot be opened now: Too many open files" in said.output


@pytest.mark.parametrize(("is_terminal", "printed"), [(True, "\rworks: 1 of 2\rworks: 2 of 2\n"), (False, None)])
def test_the_line_of_progress_is_ended_before_anything_else_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool, printed: str | None
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    with pytest.raises(KeyboardInterrupt), commands_progress() as show:
        show(1, 2)
        show(2, 2)
        raise KeyboardInterrupt
    assert capsys.readouterr().err == (printed or "works: 1 of 2\nworks: 2 of 2\n")


def test_a_folder_that_cannot_be_made_is_one_clear_line(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        (tmp_path / "data" / "index").write_text("a file where the folder should be")
    result = yinji("index", "rebuild")
    assert result.exit_code == 1 and "\nError: index not built (Not a directory; " in result.output
    assert "Traceback" not in result.output


def test_status_names_dead_rebuilds_partitions_without_a_machine_and_unequal_cuts(
    any_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = current_app.config["YINJI"]
    now = utc_now()
    note_host(any_session, settings, now)
    assert status_of(any_session, settings).problems == []
    values: dict[str, Any] = {"seen_at": now, "partitions": "1", "partition_works": settings.index_partition_works}
    any_session.add(IndexHost(host="two", **values))
    any_session.flush()
    assert any("partition 0" in problem for problem in status_of(any_session, settings).problems)
    any_session.add(IndexHost(host="one", **{**values, "partitions": "0", "partition_works": 5}))
    make_work(any_session)
    monkeypatch.setattr(index_status_module, "DELTA_MOST", 0)
    job = request_rebuild(any_session, settings.index_host, "by hand", now)
    job.state, job.error = "dead", "Traceback …\nIndexNotBuilt: no space"
    any_session.flush()
    waiting, first, second = status_of(any_session, settings).problems
    assert waiting == "1 works are not in a snapshot: pages wait until it is built"
    assert "cut the works differently" in first and "IndexNotBuilt: no space" in second


@pytest.mark.parametrize("state", ["queued", "running"])
def test_status_names_a_rebuild_that_does_not_begin(any_session: Session, state: str) -> None:
    settings: Settings = current_app.config["YINJI"]
    now = utc_now()
    note_host(any_session, settings, now)
    job = request_rebuild(any_session, settings.index_host, "by hand", now)
    job.state, job.created_at = state, now - timedelta(minutes=9)
    any_session.flush()
    assert index_status(any_session, settings, now).problems == []
    job.created_at = now - timedelta(minutes=12)
    any_session.flush()
    (problem,) = index_status(any_session, settings, now).problems
    assert f"asked for 12 minutes ago has not begun (job {job.id})" in problem
    job.done = 7
    any_session.flush()
    assert index_status(any_session, settings, now).problems == []


def status_of(session: Session, settings: Settings) -> Any:
    return index_status(session, settings, utc_now())


def test_a_failed_rebuild_is_asked_for_again_in_the_next_hour_and_not_before(any_session: Session) -> None:
    now = utc_now().replace(minute=5)
    job = request_rebuild(any_session, "one", "large", now)
    assert request_rebuild(any_session, "one", "large", now + timedelta(hours=1)) is job
    job.state = "dead"
    any_session.flush()
    assert request_rebuild(any_session, "one", "large", now + timedelta(minutes=20)) is job
    assert request_rebuild(any_session, "one", "large", now + timedelta(hours=1)) is not job
    assert request_rebuild(any_session, "two", "large", now) is not job


def at_the_same_moment(app: Flask, act: Callable[[Session, int], Any]) -> list[Any]:
    """What two sessions get that both looked before either had written: the first commits while the second waits."""
    with app.app_context():
        engine = db.engine
    done = []
    with Session(engine) as first, ThreadPoolExecutor(1) as pool:
        done.append(act(first, 0))
        first.flush()

        def second() -> Any:
            with Session(engine) as own:
                result = act(own, 1)
                own.commit()
                return result

        waiting = pool.submit(second)
        wait([waiting], timeout=0.5)
        assert not waiting.done()
        first.commit()
        done.append(waiting.result(timeout=10))
    return done


def test_two_that_ask_for_the_same_rebuild_at_once_get_one_job_and_keep_their_own_writes(
    make_app: Callable[..., Flask],
) -> None:
    app, now = make_app("postgresql"), utc_now()

    def ask(session: Session, number: int) -> int:
        jobs.enqueue(session, "crawl.discover", f"own{number}", queue="crawl")
        return request_rebuild(session, "one", "large", now).id

    first, second = at_the_same_moment(app, ask)
    assert first == second
    with app.app_context():
        assert {job.key for job in db.session.query(Job)} >= {"own0", "own1"}


def test_two_workers_of_a_new_machine_may_start_at_once(make_app: Callable[..., Flask]) -> None:
    app, now = make_app("postgresql"), utc_now()
    with app.app_context():
        settings: Settings = current_app.config["YINJI"]

    def start(session: Session, number: int) -> None:
        note_host(session, settings, now + timedelta(seconds=number))

    at_the_same_moment(app, start)
    with app.app_context():
        assert [host.seen_at for host in db.session.query(IndexHost)] == [now + timedelta(seconds=1)]


def test_a_machine_that_works_but_builds_nothing_for_days_is_not_gone(
    any_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = current_app.config["YINJI"]
    monkeypatch.setattr(index_hosts, "_noted", {})
    start = utc_now()
    renewed = [renew_host(any_session, settings, start + timedelta(minutes=10 * turn)) for turn in range(13)]
    assert [turn for turn, is_new in enumerate(renewed) if is_new] == [0, 6, 12]
    later = start + GONE_AFTER + timedelta(hours=1)
    assert index_status(any_session, settings, later).hosts[0]["is_gone"] is False
    assert request_nightly(any_session, later) == 1


def test_the_index_of_a_process_is_forgotten_after_a_fork(any_session: Session) -> None:
    make_sighting(any_session)
    first = index.live_index(any_session, "yj-text-1")
    assert index.live_index(any_session, "yj-text-1") is first
    index.forget()
    assert index.live_index(any_session, "yj-text-1") is not first
