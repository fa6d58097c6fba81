"""The live index over the database: what is found, when, from where, and what becomes of damaged files."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import jobs
from service.audit import CLI
from service.clock import utc_now
from service.config import Settings
from service.extensions import db, reading, write_intent
from service.fingerprint import Background, Candidate, build_background
from service.jobs import Job
from service.works import index, index_background, index_hosts, index_live
from service.works.fingerprints import active_algorithm, fingerprinter
from service.works.index_background import LEAST_TEXTS
from service.works.index_files import (
    Generation,
    write_pointer,
)
from service.works.index_hosts import IndexHost, request_nightly
from service.works.index_rows import sample_texts
from service.works.models import Work, WorkFingerprint, WorkVersion
from service.works.operations import WorkDraft, amend_work, change_work_state
from tests.factories import NOW, TEXT, make_outlet, make_work
from tests.second_algorithm import FIRST, SECOND, finish, start

STORIES = ["".join(random.Random(seed).choices(TEXT, k=320)) for seed in range(5)]
"""Characters of our text in five orders: texts that share no passage with each other."""


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """No index of an earlier test is left in this process."""
    index.forget()
    yield
    index.forget()


@pytest.fixture
def settings_here(any_session: Session) -> Settings:
    settings: Settings = current_app.config["YINJI"]
    return settings


def found(session: Session, text: str, partition: int | None = None) -> list[int]:
    """The versions found for a page with this text, by work: what a new reading transaction sees."""
    with reading(session):
        return [one.version_id for one in candidates(session, text, partition)]


def candidates(session: Session, text: str, partition: int | None = None) -> list[Candidate]:
    fingerprint = fingerprinter(index.search_algorithm(session))(text)
    assert fingerprint is not None
    return index.find_candidates(session, fingerprint, partition)


def register(session: Session, *texts: str) -> list[int]:
    """Registers works with these texts; returns their versions."""
    outlet = make_outlet(session)
    works = [make_work(session, text, outlet=outlet) for text in texts]
    session.commit()
    return [work.current.id for work in works]


def build(session: Session) -> Generation:
    settings: Settings = current_app.config["YINJI"]
    return index.rebuild(session, settings)


def live(session: Session) -> index_live.LiveIndex:
    return index.live_index(session, index.search_algorithm(session))


def test_a_work_is_found_as_soon_as_it_is_registered(any_session: Session) -> None:
    assert found(any_session, STORIES[0]) == []
    for text in STORIES:
        (version,) = register(any_session, text)
        assert found(any_session, text) == [version]
    assert len(set(found(any_session, STORIES[0]))) == 1


def test_the_snapshot_and_memory_give_the_same_answers(any_session: Session, settings_here: Settings) -> None:
    register(any_session, *STORIES)
    with reading(any_session):
        before = [candidates(any_session, text) for text in STORIES]
    built = build(any_session)
    assert built.works == len(STORIES)
    with reading(any_session):
        after = [candidates(any_session, text) for text in STORIES]
        mine = live(any_session)
    assert mine.generation == built and mine.delta_rows == 0
    assert after == before
    for one, other in zip(before, after, strict=True):
        assert [list(each.codes) for each in one] == [list(each.codes) for each in other]


def test_a_work_registered_after_the_snapshot_is_found_beside_it(any_session: Session, settings_here: Settings) -> None:
    old = register(any_session, *STORIES[:3])
    build(any_session)
    (new,) = register(any_session, STORIES[3])
    assert [found(any_session, text) for text in STORIES[:4]] == [[one] for one in (*old, new)]
    build(any_session)
    assert [found(any_session, text) for text in STORIES[:4]] == [[one] for one in (*old, new)]


def test_a_snapshot_cut_into_partitions_is_searched_whole_and_part_by_part(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two works a partition; then a machine that has only the second one."""
    versions = register(any_session, *STORIES)
    for served, partitions in (("all", (0, 1, 2)), ("1", (1,))):
        monkeypatch.setitem(
            current_app.config, "YINJI", replace(settings_here, index_partition_works=2, index_partitions=served)
        )
        index.forget()
        built = build(any_session)
        assert built.partitions == partitions
        assert built.works == sum(work // 2 in partitions for work in range(len(STORIES)))
        for work, text in enumerate(STORIES):
            own = work // 2
            assert found(any_session, text) == ([versions[work]] if own in partitions else [])
            for part in range(3):
                expected = [versions[work]] if own == part and part in partitions else []
                assert found(any_session, text, part) == expected, (served, work, part)
        assert live(any_session).generation == built and live(any_session).delta_rows == 0


def test_a_running_process_takes_up_a_new_snapshot(any_session: Session, settings_here: Settings) -> None:
    register(any_session, *STORIES[:2])
    first = build(any_session)
    assert found(any_session, STORIES[0])
    assert live(any_session).generation == first
    second = build(any_session)
    assert found(any_session, STORIES[0])
    assert live(any_session).generation == second != first


def test_only_current_versions_of_works_that_may_be_matched_are_in_the_snapshot(any_session: Session) -> None:
    register(any_session, *STORIES[:4])
    works = any_session.scalars(select(Work).order_by(Work.id)).all()
    change_work_state(any_session, CLI, works[0], "withdraw", "撤稿")
    change_work_state(any_session, CLI, works[1], "dispute", "争议")
    draft = WorkDraft(outlet=works[2].outlet, title=works[2].title, text=STORIES[4])
    amend_work(any_session, CLI, works[2], draft, NOW)
    any_session.commit()
    assert build(any_session).works == 3
    assert found(any_session, STORIES[0]) == [] and found(any_session, STORIES[2]) == []
    assert len(found(any_session, STORIES[1])) == 1, "a disputed work comes back"
    assert len(found(any_session, STORIES[4])) == 1, "the amended text is the one in force"


def test_many_registrations_make_few_segments(any_session: Session) -> None:
    outlet = make_outlet(any_session)
    for number in range(40):
        work = make_work(any_session, f"{STORIES[0]}第{number}篇。", outlet=outlet)
        any_session.commit()
        assert work.current.id in found(any_session, work.current.text) or number >= 20
    with reading(any_session):
        _, newer = live(any_session).refresh(any_session)
    assert live(any_session).delta_rows == 40
    assert len(newer) <= 3


def test_a_large_delta_asks_for_one_rebuild_and_answers_meanwhile(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_live, "DELTA_LEAST", 2)
    versions = register(any_session, *STORIES)
    assert found(any_session, STORIES[4]) == [versions[4]]
    first = index.request_needed_rebuild(any_session)
    any_session.commit()
    assert first is not None and first.kind == "index.rebuild"
    assert first.queue == jobs.host_queue(settings_here.index_host)
    assert found(any_session, STORIES[4]) == [versions[4]]
    again = index.request_needed_rebuild(any_session)
    assert again is not None and again.id == first.id
    any_session.commit()
    build(any_session)
    assert found(any_session, STORIES[4]) == [versions[4]]
    assert index.request_needed_rebuild(any_session) is None


def test_a_search_that_would_miss_works_says_so_instead(any_session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_live, "DELTA_MOST", 3)
    register(any_session, *STORIES)
    with reading(any_session), pytest.raises(index.IndexNotReady):
        index.check_ready(any_session)
    assert index.request_needed_rebuild(any_session) is not None
    any_session.commit()
    build(any_session)
    assert len(found(any_session, STORIES[4])) == 1


def test_how_common_words_are_is_counted_over_the_registry_and_follows_it(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    real = build_background

    def count(texts: Iterable[str]) -> Background:
        held = list(texts)
        counted.append(len(held))
        return real(held)

    monkeypatch.setattr(index_background, "build_background", count)
    outlet = make_outlet(any_session)
    any_session.commit()

    def grow(count: int) -> None:
        for number in range(count):
            make_work(any_session, f"{STORIES[number % 5]}第{number}篇。", outlet=outlet)
        any_session.commit()

    assert index.background(any_session) is None, "nothing is registered"
    grow(LEAST_TEXTS - 1)
    assert index.background(any_session) is None, "too few texts to tell"
    grow(2)
    first = index.background(any_session)
    assert first is not None and first.texts == LEAST_TEXTS + 1
    assert index.background(any_session) is first and counted == [0, LEAST_TEXTS - 1, LEAST_TEXTS + 1]
    build(any_session)
    counted.clear()
    index.forget()
    kept = index.background(any_session)
    assert kept is not None and kept.to_bytes() == first.to_bytes() and counted == [], "it lies in the snapshot"
    grow(3)
    later = index.background(any_session)
    assert later is not None and later.texts == LEAST_TEXTS + 4, "the snapshot's is outgrown"


def test_a_sample_of_texts_is_even_and_no_larger_than_asked(any_session: Session) -> None:
    register(any_session, *STORIES)
    texts = list(any_session.scalars(select(WorkVersion.text).order_by(WorkVersion.id)))
    assert list(sample_texts(any_session, 5)) == texts
    assert list(sample_texts(any_session, 3)) == texts[::2]
    assert len(list(sample_texts(any_session, 1))) == 1


def test_a_snapshot_of_other_settings_is_not_used(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = register(any_session, *STORIES[:2])
    built = build(any_session)
    write_pointer(settings_here.index_folder, Generation(**{**vars(built), "algorithm": "yj-text-0"}))
    assert found(any_session, STORIES[0]) == [versions[0]]
    assert live(any_session).generation is None


def test_after_a_switch_of_algorithms_the_old_snapshot_answers_until_the_new_one_is_built(
    any_session: Session, newer_program: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_live, "DELTA_MOST", 3)
    any_session.commit()
    versions = register(any_session, *STORIES[:4])
    build(any_session)
    finish(any_session, start(any_session))
    assert active_algorithm(any_session) == SECOND
    for process in ("the one that had it open", "a new one"):
        assert [found(any_session, text) for text in STORIES[:4]] == [[one] for one in versions], process
        index.forget()
    (late,) = register(any_session, STORIES[4])
    assert found(any_session, STORIES[4]) == [late]
    assert live(any_session).algorithm == FIRST
    assert index.request_needed_rebuild(any_session) is not None
    any_session.commit()
    assert build(any_session).algorithm == SECOND
    assert [found(any_session, text) for text in STORIES] == [[one] for one in (*versions, late)]
    assert live(any_session).algorithm == SECOND and index.request_needed_rebuild(any_session) is None


def test_the_nightly_round_asks_each_machine_once_and_none_that_is_gone(any_session: Session) -> None:
    now = utc_now()
    register(any_session, STORIES[0])
    build(any_session)
    values = {"partitions": "all", "partition_works": 8_000_000}
    any_session.add(IndexHost(host="new", seen_at=now, **values))
    any_session.add(IndexHost(host="gone", seen_at=now - index_hosts.GONE_AFTER, **values))
    assert request_nightly(any_session, now) == 1
    assert request_nightly(any_session, now) == 1
    hosts = [job.payload["host"] for job in any_session.scalars(select(Job).where(Job.kind == "index.rebuild"))]
    assert hosts == ["new"]


def test_a_snapshot_of_another_state_of_the_database_is_not_used(any_session: Session) -> None:
    """A backup was restored, then other works were registered: ids below the snapshot's end mean something else."""
    register(any_session, *STORIES[:3])
    build(any_session)
    rows = any_session.scalars(select(WorkFingerprint).order_by(WorkFingerprint.id)).all()
    simhash, winnow = rows[0].simhash, rows[0].winnow
    rows[-1].simhash, rows[-1].winnow = simhash, winnow  # what now stands at the snapshot's last id
    any_session.commit()
    assert sorted(found(any_session, STORIES[0])) == [rows[0].version_id, rows[-1].version_id]
    assert found(any_session, STORIES[2]) == [] and live(any_session).generation is None
    assert build(any_session).works == 3
    assert sorted(found(any_session, STORIES[0])) == [rows[0].version_id, rows[-1].version_id]


def test_ids_that_a_pruned_algorithm_leaves_are_read_when_they_come_again(any_session: Session) -> None:
    """SQLite hands the highest id out again once its row is deleted."""
    (first,) = register(any_session, STORIES[0])
    row = any_session.scalars(select(WorkFingerprint)).one()
    old = WorkFingerprint(
        version_id=first, algorithm="yj-text-0", length_chars=300, simhash=row.simhash, winnow=row.winnow
    )
    any_session.add(old)
    any_session.commit()
    build(any_session)
    assert found(any_session, STORIES[0]) == [first]
    any_session.delete(old)
    any_session.commit()
    (second,) = register(any_session, STORIES[1])
    assert found(any_session, STORIES[1]) == [second]
    build(any_session)
    assert [found(any_session, text) for text in STORIES[:2]] == [[first], [second]]


def test_a_transaction_older_than_the_snapshot_does_not_condemn_it(app: Flask) -> None:
    """On SQLite it does not see the row at which the snapshot ends."""
    with app.app_context():
        (first,) = register(db.session(), STORIES[0])
        with Session(db.engine) as old:
            token = write_intent.set(False)
            algorithm = active_algorithm(old)  # from here on it sees the database as it is now
            write_intent.reset(token)
            (second,) = register(db.session(), STORIES[1])
            built = build(db.session())
            fingerprint = fingerprinter(algorithm)(STORIES[0])
            assert fingerprint is not None
            assert [one.version_id for one in index.find_candidates(old, fingerprint)] == [first]
        assert found(db.session(), STORIES[1]) == [second]
        assert live(db.session()).generation == built and not live(db.session()).rebuild_reason
