"""From one fingerprint algorithm to the next: old and new side by side, the switch, registrations meanwhile, pruning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import jobs
from service.audit import CLI, Event
from service.clock import utc_now
from service.errors import NotFound, YinjiError
from service.jobs import Job, Postpone
from service.works import refingerprint
from service.works.fingerprints import (
    ALGORITHMS,
    FingerprintRun,
    active_algorithm,
    algorithms_to_write,
    begin_run,
    find_run,
    fingerprinter,
    finish_run,
)
from service.works.operations import WorkDraft, amend_work
from tests.factories import NOW, TEXT, make_outlet, make_work
from tests.second_algorithm import FIRST, SECOND, claimed, finish, judgeable, rows_of, second_fingerprint, start

SHORT = "谷口村的水渠修好了。"


def test_a_database_at_the_newest_algorithm_has_nothing_to_do(any_session: Any) -> None:
    make_work(any_session)
    assert refingerprint.ensure_newest(any_session, NOW) is None
    assert any_session.scalar(select(func.count(Job.id))) == 0


@pytest.mark.usefixtures("newer_program", "small_batches")
def test_readers_stay_with_the_old_algorithm_until_every_work_has_the_new_one(
    any_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_work(any_session)
    make_work(any_session, SHORT)
    any_session.commit()
    job, seen = start(any_session), []
    renew = jobs.renew

    def look(*args: Any) -> bool:
        seen.append((active_algorithm(any_session), len(rows_of(any_session, SECOND))))
        return renew(*args)

    monkeypatch.setattr(jobs, "renew", look)
    finish(any_session, job)
    assert seen == [(FIRST, 0), (FIRST, 2), (FIRST, 4)]
    assert active_algorithm(any_session) == SECOND
    assert rows_of(any_session, SECOND) == judgeable(any_session)
    assert len(judgeable(any_session)) == 5
    done = any_session.get_one(Job, job.id, populate_existing=True)
    assert (done.state, done.done, done.total) == ("done", 6, 6)
    switched = any_session.scalars(select(Event).where(Event.verb == "fingerprints.completed")).one()
    assert (switched.old_state, switched.new_state) == ("running", "done")


@pytest.mark.usefixtures("newer_program")
def test_every_version_of_a_work_is_treated(any_session: Any) -> None:
    work = make_work(any_session, outlet=make_outlet(any_session))
    amend_work(any_session, CLI, work, WorkDraft(outlet=work.outlet, title=work.title, text=TEXT + "（更正）"), NOW)
    any_session.commit()
    finish(any_session, start(any_session))
    assert rows_of(any_session, SECOND) == [version.id for version in work.versions]


@pytest.mark.usefixtures("newer_program", "small_batches")
def test_a_slice_steps_aside_and_the_next_one_goes_on_from_its_place(
    any_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_work(any_session)
    any_session.commit()
    treated: list[str] = []

    def counting(text: Any) -> Any:
        treated.append(text)
        return second_fingerprint(text)

    monkeypatch.setitem(ALGORITHMS, SECOND, counting)
    monkeypatch.setattr(refingerprint, "SLICE_S", -1.0)
    job, slices = start(any_session), 0
    while True:
        try:
            finish(any_session, job)
            break
        except Postpone:
            any_session.rollback()
            slices += 1
            jobs.postpone(any_session, job.id, job.lease_token or "", 0, utc_now())
            any_session.commit()
            assert active_algorithm(any_session) == FIRST
            job = claimed(any_session, job.id)
            assert job.done == min(2 * slices, 5)
    assert slices == 3
    assert len(treated) == 5, "no version twice"
    assert rows_of(any_session, SECOND) == judgeable(any_session)


@pytest.mark.usefixtures("newer_program", "small_batches")
def test_a_killed_slice_loses_and_doubles_nothing(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        make_work(any_session)
    any_session.commit()

    class Killed(Exception):
        """Stands for kill -9: what was not committed is gone."""

    job, calls, renew = start(any_session), [], jobs.renew

    def die_at_the_second(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 2:
            raise Killed
        return renew(*args)

    monkeypatch.setattr(jobs, "renew", die_at_the_second)
    with pytest.raises(Killed):
        refingerprint.refingerprint(any_session, job)
    any_session.rollback()
    assert len(rows_of(any_session, SECOND)) == 2
    monkeypatch.setattr(jobs, "renew", renew)
    later = utc_now() + timedelta(hours=2)
    again = jobs.claim(any_session, job.id, later)  # its lease ran out
    any_session.commit()
    assert again is not None
    finish(any_session, again)
    assert rows_of(any_session, SECOND) == judgeable(any_session)
    assert active_algorithm(any_session) == SECOND


@pytest.mark.usefixtures("newer_program")
def test_a_worker_that_lost_its_job_writes_nothing_more(any_session: Any) -> None:
    make_work(any_session)
    any_session.commit()
    job = start(any_session)
    other = jobs.claim(any_session, job.id, utc_now() + timedelta(hours=2))
    any_session.commit()
    assert other is not None
    stale = Job(id=job.id, payload=dict(job.payload), lease_token="0" * 32)
    refingerprint.refingerprint(any_session, stale)
    any_session.commit()
    assert rows_of(any_session, SECOND) == []
    assert active_algorithm(any_session) == FIRST


@pytest.mark.usefixtures("newer_program", "small_batches")
def test_a_work_registered_meanwhile_has_both_at_once(any_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        make_work(any_session)
    any_session.commit()
    added: list[int] = []
    job, renew = start(any_session), jobs.renew

    def register_between(*args: Any) -> bool:
        if not added:
            added.append(make_work(any_session).current.id)
        return renew(*args)

    monkeypatch.setattr(jobs, "renew", register_between)
    finish(any_session, job)
    assert added[0] in rows_of(any_session, SECOND)
    assert added[0] in judgeable(any_session)
    assert rows_of(any_session, SECOND) == judgeable(any_session)


@pytest.mark.usefixtures("newer_program")
def test_after_the_switch_the_old_rows_stay_and_are_still_written(any_session: Any) -> None:
    make_work(any_session)
    any_session.commit()
    finish(any_session, start(any_session))
    later = make_work(any_session)
    any_session.commit()
    assert sorted(one.algorithm for one in later.current.fingerprints) == [SECOND, FIRST]
    assert len(judgeable(any_session)) == 2


def test_registering_before_the_run_began_makes_no_rows_of_the_new_algorithm(
    any_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    work = make_work(any_session)
    assert [one.algorithm for one in work.current.fingerprints] == [FIRST]


def test_an_older_program_sends_readers_back_until_its_works_are_treated(
    any_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_work(any_session)
    any_session.commit()
    monkeypatch.setitem(ALGORITHMS, SECOND, second_fingerprint)
    first = start(any_session)
    finish(any_session, first)
    assert active_algorithm(any_session) == SECOND
    with monkeypatch.context() as older:
        older.delitem(ALGORITHMS, SECOND)
        late = make_work(any_session).current.id
        any_session.commit()
        assert active_algorithm(any_session) == FIRST
    assert active_algorithm(any_session) == FIRST, "the newer program must see it too"
    second = start(any_session, NOW + timedelta(minutes=1))
    assert second.id != first.id
    finish(any_session, second)
    assert late in rows_of(any_session, SECOND)
    assert active_algorithm(any_session) == SECOND


@pytest.mark.usefixtures("newer_program")
def test_a_job_whose_run_was_set_back_ends_without_a_trace(any_session: Any) -> None:
    make_work(any_session)
    any_session.commit()
    job = start(any_session)
    run = find_run(any_session, SECOND)
    assert run is not None
    run.started_at = run.started_at + timedelta(seconds=1)
    any_session.commit()
    finish(any_session, job)
    assert active_algorithm(any_session) == FIRST
    assert rows_of(any_session, SECOND) == []


@pytest.mark.usefixtures("newer_program")
def test_a_run_set_back_at_the_last_moment_does_not_switch(any_session: Any) -> None:
    begin_run(any_session, SECOND, NOW)
    any_session.commit()
    assert not finish_run(any_session, SECOND, NOW - timedelta(seconds=1), utc_now())
    assert active_algorithm(any_session) == FIRST
    assert finish_run(any_session, SECOND, NOW, utc_now())
    assert not finish_run(any_session, SECOND, NOW, utc_now()), "it is done already"


def test_an_unknown_algorithm_is_told_by_name(session: Session) -> None:
    with pytest.raises(NotFound, match="xx-9"):
        fingerprinter("xx-9")
    run = session.scalars(select(FingerprintRun)).one()
    run.algorithm = "xx-9"
    session.commit()
    with pytest.raises(YinjiError, match="works refingerprint"):
        active_algorithm(session)
    with pytest.raises(YinjiError, match="xx-9"):
        algorithms_to_write(session)


def test_the_longest_texts_are_read_one_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    works = [make_work(session, TEXT * 3), make_work(session, TEXT), make_work(session, TEXT)]
    session.commit()
    monkeypatch.setattr(refingerprint, "BATCH_CHARACTERS", works[1].current.length_chars * 2 + 20)
    after, batches = 0, []
    while batch := refingerprint._read_batch(session, after):
        after = batch[-1][0]
        batches.append([version_id for version_id, _ in batch])
    ids = [work.current.id for work in works]
    assert batches == [ids[:1], ids[1:]]
