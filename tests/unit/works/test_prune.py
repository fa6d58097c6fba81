"""Pruning old fingerprints, and the races of a new run with registrations under way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from service.audit import CLI, Event
from service.clock import utc_now
from service.errors import BadInput, Conflict, NotFound
from service.extensions import db
from service.jobs import Job
from service.works import refingerprint
from service.works.fingerprints import ALGORITHMS, active_algorithm, begin_run, finish_run
from tests.factories import NOW, make_work
from tests.second_algorithm import FIRST, SECOND, claimed, finish, judgeable, rows_of, second_fingerprint, start


@pytest.mark.usefixtures("newer_program")
def test_pruning_deletes_only_what_nobody_reads(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refingerprint, "DELETE_ROWS", 2)
    for _ in range(3):
        make_work(any_session)
    any_session.commit()
    with pytest.raises(BadInput, match="in use"):
        refingerprint.prune(any_session, CLI, FIRST, NOW)
    job = start(any_session)
    with pytest.raises(BadInput, match="in use"):
        refingerprint.prune(any_session, CLI, SECOND, NOW)
    finish(any_session, job)
    with pytest.raises(Conflict, match="may still use"):
        refingerprint.prune(any_session, CLI, FIRST, utc_now())
    with pytest.raises(NotFound):
        refingerprint.prune(any_session, CLI, "xx-9", utc_now() + refingerprint.PRUNE_AFTER)
    told: list[int] = []
    late = utc_now() + refingerprint.PRUNE_AFTER
    assert refingerprint.prune(any_session, CLI, FIRST, late, told.append) == 3
    assert told == [2, 3]
    assert rows_of(any_session, FIRST) == []
    assert len(rows_of(any_session, SECOND)) == 3
    assert any_session.scalars(select(Event).where(Event.verb == "fingerprints.pruned")).one().old_state == "done"
    assert [one.algorithm for one in make_work(any_session).current.fingerprints] == [SECOND]


@pytest.mark.usefixtures("newer_program")
def test_an_interrupted_prune_goes_on(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refingerprint, "DELETE_ROWS", 1)
    for _ in range(3):
        make_work(any_session)
    any_session.commit()
    finish(any_session, start(any_session))
    late = utc_now() + refingerprint.PRUNE_AFTER

    def interrupt(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refingerprint.prune(any_session, CLI, FIRST, late, interrupt)
    any_session.rollback()
    assert refingerprint.prune(any_session, CLI, FIRST, late) == 2
    assert rows_of(any_session, FIRST) == []


def test_an_older_program_cannot_prune_what_a_newer_one_made(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_work(any_session)
    any_session.commit()
    with monkeypatch.context() as newer:
        newer.setitem(ALGORITHMS, SECOND, second_fingerprint)
        start(any_session)
    with pytest.raises(BadInput, match="newer version"):
        refingerprint.prune(any_session, CLI, SECOND, utc_now() + refingerprint.PRUNE_AFTER)


class TestRaceOnPostgresql:
    """A registration that does not know of the run must not commit behind its back (SQLite has one writer at a time)."""

    @pytest.fixture
    def app(self, make_app: Callable[..., Flask]) -> Flask:
        return make_app("postgresql")

    def test_a_run_begins_only_after_registrations_that_do_not_know_of_it(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)

        def begin() -> None:
            with app.app_context():
                job = refingerprint.ensure_newest(db.session(), utc_now(), is_patient=True)
                assert job is not None
                db.session.commit()

        with app.app_context(), ThreadPoolExecutor(1) as pool:
            session = db.session()
            early = make_work(session).current.id  # not committed yet
            with app.app_context(), pytest.raises(OperationalError):
                refingerprint.ensure_newest(db.session(), utc_now(), is_patient=False)
            begun = pool.submit(begin)
            with pytest.raises(TimeoutError):
                begun.result(timeout=0.5)
            session.commit()
            begun.result(timeout=10)
            job = session.scalars(select(Job)).one()
            late = make_work(session)
            session.commit()
            assert {one.algorithm for one in late.current.fingerprints} == {FIRST, SECOND}
            finish(session, claimed(session, job.id))
            assert early in rows_of(session, SECOND)
            assert rows_of(session, SECOND) == judgeable(session)

    def test_a_registration_under_way_does_not_hold_up_the_switch(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
        with app.app_context():
            session = db.session()
            begin_run(session, SECOND, NOW)
            session.commit()
            under_way = make_work(session).current.id  # holds its lock, not committed
            with app.app_context():
                assert finish_run(db.session(), SECOND, NOW, utc_now())
                db.session.commit()
            session.commit()
            assert active_algorithm(session) == SECOND
            assert under_way in rows_of(session, SECOND)
