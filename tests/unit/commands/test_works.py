"""`works refingerprint` as an operator runs it, beside or without a worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from service import jobs
from service.cli import main
from service.clock import utc_now
from service.errors import Conflict
from service.extensions import db
from service.jobs import Job
from service.works import refingerprint
from service.works.fingerprints import ALGORITHMS, FingerprintRun, active_algorithm
from tests.factories import make_work
from tests.second_algorithm import FIRST, SECOND, second_fingerprint

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(any_app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in this process on the test's database, which holds three works; (exit code, output, errors)."""
    with any_app.app_context():
        for _ in range(3):
            make_work(db.session())
        db.session.commit()

    def run_command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["yinji", "works", "refingerprint", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run_command


def active(app: Flask) -> str:
    with app.app_context():
        name = active_algorithm(db.session())
        db.session.rollback()
        return name


def test_with_nothing_to_do_it_says_so(run: Run) -> None:
    assert run()[:2] == (0, f"all works are fingerprinted by {FIRST}; nothing to do\n")


def test_it_brings_the_works_over_without_a_worker(any_app: Flask, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    monkeypatch.setattr(refingerprint, "BATCH_VERSIONS", 1)
    monkeypatch.setattr(refingerprint, "SLICE_S", -1.0)  # each batch a slice: it must take the job up again
    assert run()[:2] == (0, f"all works are fingerprinted by {SECOND}\n")
    assert active(any_app) == SECOND
    with any_app.app_context():
        assert db.session.scalars(select(Job)).one().state == "done"


def test_it_follows_the_worker_that_has_the_job(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    monkeypatch.setattr(refingerprint, "POLL_S", 0.0)
    make_work(any_session)
    job = refingerprint.ensure_newest(any_session, utc_now(), is_patient=True)
    assert job is not None
    held = jobs.claim(any_session, job.id, utc_now() + timedelta(seconds=1))
    any_session.commit()
    assert held is not None
    token, told = held.lease_token or "", []

    def worker_goes_on(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            refingerprint.refingerprint(any_session, any_session.get_one(Job, job.id))
            jobs.finish(any_session, job.id, token, utc_now())
            any_session.commit()

    refingerprint.follow(any_session, job.id, worker_goes_on)
    assert told == [(0, 0), (0, 0), (1, 1)]
    assert active_algorithm(any_session) == SECOND


def test_a_dead_job_is_told_with_its_reason(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    job = refingerprint.ensure_newest(any_session, utc_now(), is_patient=True)
    assert job is not None
    any_session.execute(update(Job).values(state="dead", error="Traceback\nRuntimeError: disk full"))
    any_session.commit()
    with pytest.raises(Conflict, match="is dead: RuntimeError: disk full"):
        refingerprint.follow(any_session, job.id, lambda _done, _total: None)


def test_pruning_asks_for_an_algorithm_that_nobody_reads(
    any_app: Flask, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, said = run("--prune", FIRST)
    assert (code, said) == (1, f"Error: “{FIRST}” is in use\n")
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    run()
    code, _, said = run("--prune", FIRST)
    assert code == 1 and said.startswith(f"Error: readers may still use “{FIRST}” until ")
    with any_app.app_context():
        long_ago = utc_now() - refingerprint.PRUNE_AFTER
        db.session.execute(
            update(FingerprintRun).where(FingerprintRun.algorithm == SECOND).values(finished_at=long_ago)
        )
        db.session.commit()
    assert run("--prune", FIRST)[:2] == (0, f"3 fingerprints of {FIRST} deleted\n")
    assert active(any_app) == SECOND
