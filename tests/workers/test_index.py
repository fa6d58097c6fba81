"""The index of a running worker: built by a job, harmed under its feet, and built again by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from service.broker import commit_and_publish, make_celery
from service.clock import utc_now
from service.config import Settings, load
from service.extensions import reading
from service.fingerprint.snapshot import DATA
from service.jobs import Job
from service.supervisor import Supervisor
from service.works.index_files import Generation, read_pointer, segment_folder
from service.works.index_hosts import KIND, IndexHost, request_rebuild
from service.works.index_status import index_status
from tests.workers.conftest import START_S
from tests.workers.running import (
    is_all_done,
    job_of,
    progress_of,
    rows_of,
    scan_site,
    session_of,
    undo_scan,
    wait_for,
    wait_for_scan,
)
from tests.workers.site import Site, served

pytestmark = pytest.mark.xdist_group("workers-sqlite")
COPIES = frozenset({1, 3})


@dataclass(frozen=True)
class Built:
    """A worker that has scanned a site with a snapshot in force."""

    app: Flask
    settings: Settings
    scan_id: int
    generation: Generation


@pytest.fixture
def built(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Iterator[Built]:
    with served(Site(5, COPIES)) as site:
        monkeypatch.setenv("YINJI_FETCH_ALLOW", site.allow)
        monkeypatch.setenv("YINJI_HOST_DELAY_S", "0")
        monkeypatch.setenv("YINJI_WORKER_PROCESSES", "1")
        app, settings = make_app("sqlite"), load()
        with Supervisor(settings, ("worker", "scheduler")):
            scan_id = scan_site(app, settings, site)
            wait_for_scan(app, scan_id, START_S)
            with session_of(app) as session:
                job_id = request_rebuild(session, settings.index_host, "asked for by hand", utc_now()).id
                commit_and_publish(session, make_celery(settings))
            wait_for("the rebuild", lambda: job_of(app, job_id).state == "done", START_S)
            generation = read_pointer(settings.index_folder)
            assert generation is not None
            yield Built(app, settings, scan_id, generation)


def scan_again(built: Built) -> None:
    undo_scan(built.app, built.settings, built.scan_id)
    wait_for_scan(built.app, built.scan_id, START_S)
    wait_for("all jobs done", lambda: is_all_done(built.app, built.scan_id), 20)


def test_a_job_builds_the_snapshot_and_a_worker_goes_on_beside_harm_until_it_is_built_anew(built: Built) -> None:
    app, settings, generation = built.app, built.settings, built.generation
    with session_of(app) as session, reading(session):
        host = session.scalars(select(IndexHost)).one()
        assert (host.host, host.generation, host.works) == (settings.index_host, generation.generation, 1)
        job = session.scalars(select(Job).where(Job.kind == KIND)).one()
        assert (job.done, job.total) == (1, 1)
        assert index_status(session, settings, utc_now()).problems == []
    first = {name: rows for name, rows in rows_of(app).items() if name != "jobs"}
    assert len(first["flags"]) == len(COPIES)
    scan_again(built)  # the worker has the snapshot open now
    data = segment_folder(settings.index_folder, generation.generation, 0) / DATA
    with data.open("r+b") as file:
        body = bytearray(file.read())
        body[len(body) // 3] ^= 0xFF
        file.seek(0)
        file.write(body)
    scan_again(built)
    assert {name: rows for name, rows in rows_of(app).items() if name != "jobs"} == first
    assert progress_of(app, built.scan_id)["failed"] == 0

    def is_built_anew() -> bool:
        now = read_pointer(settings.index_folder)
        return now is not None and now.generation != generation.generation

    wait_for("a new snapshot", is_built_anew, 30)
    with session_of(app) as session, reading(session):
        assert index_status(session, settings, utc_now()).problems == []
    log = (settings.data / "logs" / "worker.log").read_text("utf-8")
    assert "index snapshot damaged, it is built anew" in log


def test_pages_wait_for_the_first_snapshot_and_none_is_fetched_in_vain(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(Site(5, COPIES)) as site:
        monkeypatch.setenv("YINJI_FETCH_ALLOW", site.allow)
        monkeypatch.setenv("YINJI_HOST_DELAY_S", "0")
        app, settings = make_app("sqlite"), load()
        with Supervisor(settings, ("worker", "scheduler"), celery_app="tests.workers.small_memory"):
            scan_id = scan_site(app, settings, site)
            wait_for_scan(app, scan_id, START_S)
        assert "waiting for the index" in (settings.data / "logs" / "worker.log").read_text("utf-8")
        fetched = [path for path, _, _ in site.visits if path.startswith("/a/")]
    assert sorted(fetched) == [f"/a/{number}.html" for number in range(5)]
    assert progress_of(app, scan_id)["flagged"] == len(COPIES)
    with session_of(app) as session, reading(session):
        (job,) = session.scalars(select(Job).where(Job.kind == KIND))
        assert (job.state, job.payload["reason"]) == ("done", "too many works are not in it")
