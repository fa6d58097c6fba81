"""Pages that wait for the index's partitions: kept whole, answered once by each, concluded once, whatever runs twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import jobs
from service.blobs import BlobStore, open_store
from service.clock import utc_now
from service.config import Settings
from service.extensions import db
from service.fingerprint import Candidate
from service.intake.page import Hop, Page
from service.jobs import Job
from service.screening import conclude_sighting, search_partition
from service.sightings.flags import Flag
from service.sightings.held import HeldPage, PartitionAnswer
from service.sightings.models import Sighting
from service.sightings.partitions import (
    answered_candidates,
    enqueue_conclusion,
    held_page,
    hold_page,
    note_answer,
    pack_page,
    release_page,
    settle_dead,
    unpack_page,
    visit_recut,
)
from service.works import index
from service.works.index_hosts import IndexHost, note_host
from service.works.index_status import index_status
from tests.factories import TEXT, make_outlet, make_sighting, make_work
from tests.pages import page_of
from tests.workers.site import HEAD

OTHER = "".join(random.Random(5).choices(TEXT, k=300))
header_lists = st.lists(st.tuples(st.text(max_size=10), st.text(max_size=10)), max_size=3).map(tuple)
pages = st.builds(
    Page,
    requested_url=st.text(max_size=20),
    url=st.text(max_size=20),
    status=st.integers(100, 599),
    reason_phrase=st.text(max_size=10),
    http_version=st.just("HTTP/1.1"),
    request_headers=header_lists,
    response_headers=header_lists,
    ip=st.text(max_size=10),
    body=st.binary(max_size=200),
    raw_body=st.binary(max_size=200),
    sha256=st.text(max_size=64),
    fetched_at=st.datetimes(timezones=st.just(UTC)),
    elapsed_s=st.floats(0, 100),
    tls_certificate=st.none() | st.binary(max_size=50),
    redirects=st.lists(st.builds(Hop, st.text(), st.text(), st.integers(300, 308), st.text()), max_size=2).map(tuple),
    not_modified=st.booleans(),
    is_truncated=st.booleans(),
)


@given(pages)
def test_a_page_comes_back_as_it_was_kept(page: Page) -> None:
    assert unpack_page(pack_page(page)) == page


@pytest.fixture
def small_partitions(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each work is a partition of its own; this machine searches the first two for everybody."""
    monkeypatch.setenv("YINJI_INDEX_PARTITION_WORKS", "1")
    monkeypatch.setenv("YINJI_INDEX_PARTITIONS", "0-1")


@pytest.fixture
def held(small_partitions: None, any_session: Session) -> Iterator[tuple[Session, int, str]]:
    """Two works, and a page that carries both, held for two partitions: session, sighting, token."""
    index.forget()
    outlet = make_outlet(any_session)
    for text in (TEXT, OTHER):
        make_work(any_session, text, outlet=outlet)
    yield any_session, *hold(any_session, f"<p>{TEXT}</p><p>{OTHER}</p>")
    index.forget()


def hold(session: Session, body: str) -> tuple[int, str]:
    sighting = make_sighting(session)
    html = HEAD.format(title="见闻") + f"<article>{body}</article>"
    hold_page(session, sighting.id, page_of(sighting.page.canonical_url, html.encode()), 2, 1)
    session.commit()
    return sighting.id, session.scalars(select(HeldPage.token).where(HeldPage.sighting_id == sighting.id)).one()


@pytest.fixture
def blobs(tmp_path: Any) -> BlobStore:
    return open_store(str(tmp_path / "blobs"))


def count(session: Session, column: Any, *where: Any) -> int:
    return session.scalar(select(func.count(column)).where(*where)) or 0


def test_a_held_page_has_one_search_in_each_partition_on_its_queue(held: tuple[Session, int, str]) -> None:
    session, sighting_id, token = held
    searches = session.scalars(select(Job).where(Job.kind == "screening.search").order_by(Job.id)).all()
    assert [job.queue for job in searches] == ["screening.p0", "screening.p1"]
    hold_page(session, sighting_id, page_of("https://x.example/", b"other"), 2, 1)  # the visit ran twice
    session.commit()
    assert count(session, HeldPage.id) == 1 and count(session, Job.id, Job.kind == "screening.search") == 2
    kept = held_page(session, sighting_id, token)
    assert kept is not None and TEXT[:20] in kept[1].body.decode()


def test_each_partition_gives_its_own_works_and_the_conclusion_flags_all(
    held: tuple[Session, int, str], blobs: BlobStore
) -> None:
    session, sighting_id, token = held
    for _ in range(2):  # every search runs twice
        for partition in (1, 0):
            search_partition(session, sighting_id, token, partition, blobs=blobs)
            session.commit()
    assert [len(row) for row in session.scalars(select(PartitionAnswer.candidates))] == [1, 1]
    assert count(session, Job.id, Job.kind == "screening.conclude") == 1
    for _ in range(2):
        conclude_sighting(session, sighting_id, token, blobs=blobs)
        session.commit()
    assert sorted(session.scalars(select(Flag.work_id))) == [1, 2]
    assert count(session, HeldPage.id) == count(session, PartitionAnswer.id) == 0


def test_a_page_that_no_partition_knows_is_concluded_by_the_last_search(
    held: tuple[Session, int, str], blobs: BlobStore
) -> None:
    session = held[0]
    sighting_id, token = hold(session, f"<p>{TEXT[::-1]}</p>")
    for partition in (0, 1):
        search_partition(session, sighting_id, token, partition, blobs=blobs)
        session.commit()
    assert count(session, Job.id, Job.kind == "screening.conclude") == 0
    assert count(session, HeldPage.id, HeldPage.sighting_id == sighting_id) == 0
    assert session.scalars(select(Flag)).all() == []


def test_a_dead_search_fails_its_sighting_and_a_retry_still_concludes_it(
    held: tuple[Session, int, str], blobs: BlobStore
) -> None:
    session, sighting_id, token = held
    search = session.scalars(select(Job).where(Job.queue == "screening.p1")).one()
    search.state, search.finished_at = "dead", utc_now()
    assert settle_dead(session) == 1 and settle_dead(session) == 0
    session.commit()
    page = held_page(session, sighting_id, token)
    assert page is not None
    jobs.retry(session, search)
    for partition in (0, 1):
        search_partition(session, sighting_id, token, partition, blobs=blobs)
        session.commit()
    conclude_sighting(session, sighting_id, token, blobs=blobs)
    session.commit()
    assert count(session, Flag.id) == 2


def machines(session: Session, settings: Settings, **partitions: str) -> None:
    """The machines that were seen lately, with the partitions that each says it serves, cut as in the settings."""
    session.query(IndexHost).delete()
    for host, served in partitions.items():
        of_one = replace(settings, index_host=host, index_partitions=served)
        note_host(session, of_one, utc_now())


def states(session: Session, *where: Any) -> list[str]:
    return sorted(session.scalars(select(Job.state).where(*where)))


@pytest.mark.parametrize("is_dead", [False, True])
@pytest.mark.parametrize(("works", "partitions"), [(1000, "0"), (1, "all")], ids=["cut otherwise", "no longer shared"])
def test_a_page_that_waits_for_partitions_which_are_no_more_is_seen_and_visited_anew(
    held: tuple[Session, int, str], works: int, partitions: str, is_dead: bool
) -> None:
    session, sighting_id, token = held
    searches = (Job.kind == "screening.search",)
    note_answer(session, sighting_id, token, 0, [])
    session.scalars(select(Job).where(Job.queue == "screening.p0")).one().state = "done"
    visit = jobs.enqueue(session, "screening.visit", f"visit:{sighting_id}", queue="screening")
    visit.state, visit.attempts, visit.payload = "done", 3, {"sighting_id": sighting_id, "tries": 2}
    settings = replace(current_app.config["YINJI"], index_partition_works=works, index_partitions=partitions)
    machines(session, settings, one=partitions)
    status = index_status(session, settings, utc_now())
    assert status.waiting == {1: 1} and status.served_by[1] == []
    assert any("no machine searches partition 1" in problem for problem in status.problems)
    if is_dead:
        session.scalars(select(Job).where(Job.queue == "screening.p1")).one().state = "dead"
        assert settle_dead(session) == 1
    assert visit_recut(session, settings, utc_now()) == 1
    session.commit()
    assert count(session, HeldPage.id) == count(session, PartitionAnswer.id) == 0
    assert states(session, *searches) == ["cancelled", "done"]
    assert session.get_one(Sighting, sighting_id).outcome == "pending"
    session.refresh(visit)
    assert (visit.state, visit.attempts, visit.payload) == ("queued", 0, {"sighting_id": sighting_id})
    assert visit_recut(session, settings, utc_now()) == 0


def test_a_page_goes_on_waiting_where_it_will_be_searched_or_the_machines_disagree(
    held: tuple[Session, int, str],
) -> None:
    session = held[0]
    here: Settings = current_app.config["YINJI"]
    machines(session, here, one="0-1")
    assert visit_recut(session, here, utc_now()) == 0
    machines(session, here, one="all", two="1")  # the second is switched off, or restarted
    assert visit_recut(session, here, utc_now()) == 0
    other = replace(here, index_partition_works=1000)
    assert visit_recut(session, other, utc_now()) == 0  # the machines still cut as before
    assert states(session, Job.kind == "screening.search") == ["queued", "queued"]
    machines(session, other, one="0")
    assert visit_recut(session, other, utc_now()) == 1


def test_two_last_answers_at_the_same_moment_make_one_conclusion(
    small_partitions: None, make_app: Callable[..., Flask]
) -> None:
    app = make_app("postgresql")
    with app.app_context():
        sighting_id, token = hold(db.session(), "<p>x</p>")
        engine = db.engine
    for _ in range(10):
        barrier = Barrier(2)

        def answer(partition: int, barrier: Barrier = barrier) -> bool:
            with Session(engine) as own:
                own.execute(select(1))
                barrier.wait()
                is_last = note_answer(own, sighting_id, token, partition, [Candidate(partition, 3, None)])
                if is_last:
                    enqueue_conclusion(own, sighting_id, token)
                own.commit()
                return is_last

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(answer, (0, 1))) == [False, True]
        with Session(engine) as own:
            held_id = own.scalars(select(HeldPage.id)).one()
            assert [one.version_id for one in answered_candidates(own, held_id)] == [0, 1]
            own.query(PartitionAnswer).delete()
            own.commit()
    with Session(engine) as own:
        assert release_page(own, held_id) and not release_page(own, held_id)
        assert note_answer(own, sighting_id, token, 0, []) is False


def test_a_moment_of_the_fetch_survives_the_wait() -> None:
    at = datetime(2026, 3, 1, 4, 5, 6, 789, tzinfo=UTC)
    assert unpack_page(pack_page(page_of("https://x.example/", b"a\nb", fetched_at=at))).fetched_at == at
