"""Scans and politeness, on both databases: started once, joined, discovered, settled, counted; turns of a host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from service import jobs
from service.audit import CLI, Event
from service.clock import utc_now
from service.config import Settings
from service.errors import BadInput, Conflict, NotFound, Refused
from service.extensions import db
from service.intake.page import FetchFailed
from service.jobs import Job, Postpone
from service.sightings import hosts, scans
from service.sightings.models import HostState, Page, Scan, Sighting
from tests.factories import make_scan, make_sighting, make_source
from tests.workers.site import Site, served

EVENING = datetime(2026, 11, 23, 17, 59, tzinfo=UTC)
"""01:59 in Shanghai on the 24th."""


@pytest.fixture
def site() -> Iterator[Site]:
    """Six articles on loopback."""
    with served(Site(6, robots="User-agent: YinjiBot\nDisallow: /a/1.html\nCrawl-delay: 2\n")) as site:
        yield site


@pytest.fixture
def polite(settings: Settings, site: Site) -> Settings:
    """Settings that let the guard pass the site, with half a second between its pages."""
    return replace(settings, fetch_allow=frozenset({site.allow}), host_delay_s=0.5)


def start(session: Any, key: str = "k", **over: Any) -> Scan:
    scan = scans.start_scan(session, CLI, make_source(session, **over), "manual", key)
    session.commit()
    return scan


def test_a_started_scan_has_one_discovery_and_one_event(any_session: Any) -> None:
    scan = start(any_session)
    job = any_session.scalars(select(Job)).one()
    assert (job.kind, job.payload, job.group_key) == ("crawl.discover", {"scan_id": scan.id}, f"scan:{scan.id}")
    assert any_session.scalars(select(Event.verb).where(Event.subject_kind == "scans")).all() == ["scan.started"]


def test_a_second_start_joins_the_running_scan_and_a_finished_one_lets_a_new_one_begin(any_session: Any) -> None:
    scan = start(any_session)
    assert scans.start_scan(any_session, CLI, scan.source, "manual", "other") is scan
    scan.discovered = 0
    assert scans.start_scan(any_session, CLI, scan.source, "manual", "k") is scan, "its key is used up"
    assert scans.start_scan(any_session, CLI, scan.source, "manual", "other") is not scan


def test_a_disabled_source_is_not_scanned(any_session: Any) -> None:
    with pytest.raises(BadInput, match="停用"):
        scans.start_scan(any_session, CLI, make_source(any_session, is_enabled=False), "manual", "k")


def test_nightly_scans_start_once_a_shanghai_day_after_their_hour(any_session: Any) -> None:
    make_source(any_session)
    make_source(any_session)
    make_source(any_session, is_enabled=False)
    any_session.commit()
    assert scans.dispatch_due(any_session, EVENING, "02:00") == 0
    assert scans.dispatch_due(any_session, EVENING + timedelta(minutes=1), "02:00") == 2
    assert scans.dispatch_due(any_session, EVENING + timedelta(minutes=2), "02:00") == 0
    any_session.query(Scan).update({"discovered": 0})
    any_session.commit()
    assert scans.dispatch_due(any_session, EVENING + timedelta(days=1, minutes=1), "02:00") == 2


def test_a_source_under_scan_gets_its_nightly_scan_afterwards(any_session: Any) -> None:
    running = start(any_session)
    late = EVENING + timedelta(minutes=1)
    assert scans.dispatch_due(any_session, late, "02:00") == 0
    running.discovered = 0
    any_session.commit()
    assert scans.dispatch_due(any_session, late, "02:00") == 1


def test_discovery_finds_the_links_spaces_their_visits_and_may_run_twice(
    any_session: Any, polite: Settings, site: Site
) -> None:
    scan = start(any_session, address=site.address)
    for _ in range(2):
        assert scans.discover(any_session, polite, scan.id) == 6
        any_session.commit()
    visits = any_session.scalars(select(Job).where(Job.kind == "screening.visit").order_by(Job.id)).all()
    assert len(visits) == len(any_session.scalars(select(Sighting)).all()) == 6
    waits = [(job.not_before - visits[0].not_before).total_seconds() for job in visits]
    assert waits == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5], abs=0.2)
    assert {page.host for page in any_session.scalars(select(Page))} == {site.allow}


def test_no_transaction_is_open_while_the_source_is_fetched(any_session: Any, polite: Settings, site: Site) -> None:
    scan_id, seen = start(any_session, address=site.address).id, []
    answer = site.answer
    site.answer = lambda path: seen.append(any_session.in_transaction()) or answer(path)  # type: ignore[method-assign]  # a spy
    scans.discover(any_session, polite, scan_id)
    assert seen == [False, False], "robots.txt and the page"


def test_a_page_source_is_that_page_and_nothing_else(any_session: Any, polite: Settings, site: Site) -> None:
    scan = start(any_session, address=f"{site.address}a/3.html", kind="page")
    assert scans.discover(any_session, polite, scan.id) == 1
    assert any_session.scalars(select(Page.canonical_url)).all() == [f"{site.address}a/3.html"]
    assert site.visits == []


def test_links_beyond_the_cap_are_counted_in_the_scans_problem(any_session: Any, polite: Settings, site: Site) -> None:
    site.count = scans.MAX_LINKS + 7
    scan = start(any_session, address=site.address)
    assert scans.discover(any_session, polite, scan.id) == scans.MAX_LINKS
    assert "略过 7 个" in scan.problem


def test_a_forbidden_or_unreachable_robots_file_keeps_us_away(any_session: Any, polite: Settings, site: Site) -> None:
    site.answer = lambda path: (503, "")  # type: ignore[method-assign]  # a broken server
    scan = start(any_session, address=site.address)
    assert scans.discover(any_session, polite, scan.id) == 0
    assert "robots.txt" in scan.problem
    assert [path for path, _, _ in site.visits] == ["/robots.txt"]


def test_progress_counts_by_outcome_in_one_query(any_session: Any) -> None:
    scan = make_scan(any_session)
    assert scans.scan_progress(any_session, scan.id)["state"] == "running", "nothing discovered yet"
    scan.discovered = 3
    for outcome in ("pending", "flagged", "flagged"):
        make_sighting(any_session, scan=scan, outcome=outcome)
    any_session.commit()
    scan_id = scan.id
    queries: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: queries.append(args[2]))
    progress = scans.scan_progress(any_session, scan_id)
    assert len([query for query in queries if query.startswith("SELECT")]) == 1
    assert (progress["state"], progress["total"], progress["done"], progress["flagged"]) == ("running", 3, 2, 2)
    any_session.query(Sighting).update({"outcome": "no_match"})
    assert scans.scan_progress(any_session, scan_id)["state"] == "done"
    with pytest.raises(NotFound):
        scans.scan_progress(any_session, 10**6)


def test_dead_jobs_do_not_leave_a_scan_running_for_ever(any_session: Any) -> None:
    undiscovered = start(any_session)
    discovered = make_scan(any_session, discovered=2)
    lost, fine = (make_sighting(any_session, scan=discovered) for _ in range(2))
    for sighting in (lost, fine):
        payload = {"sighting_id": sighting.id}
        jobs.enqueue(any_session, "screening.visit", f"visit:{sighting.id}", queue="screening", payload=payload)
    doomed = select(Job).where(Job.key.in_((f"visit:{lost.id}", f"discover:{undiscovered.id}")))
    for job in any_session.scalars(doomed):
        job.state = "dead"
    any_session.commit()
    assert scans.settle_dead(any_session) == 2
    any_session.commit()
    assert scans.settle_dead(any_session) == 0
    any_session.expire_all()
    assert (lost.outcome, fine.outcome) == ("failed", "pending")
    assert "死信" in lost.reason
    assert "死信" in undiscovered.problem
    assert scans.scan_progress(any_session, undiscovered.id)["state"] == "done"


def test_sources_are_checked_and_unique(any_session: Any) -> None:
    source = scans.add_source(any_session, CLI, "转载站", "HTTPS://News.Example/?utm_source=x#top")
    assert source.address == "https://news.example/"
    with pytest.raises(Conflict):
        scans.add_source(any_session, CLI, "again", "https://news.example")
    with pytest.raises(Refused):
        scans.add_source(any_session, CLI, "inside", "http://169.254.169.254/")
    with pytest.raises(BadInput):
        scans.add_source(any_session, CLI, "  ", "https://other.example/")
    assert any_session.scalar(select(func.count(Event.id)).where(Event.verb == "source.added")) == 1


def test_one_worker_at_a_time_has_a_hosts_turn(any_session: Any) -> None:
    now = utc_now()
    assert hosts.reserve(any_session, "a.example", now) == 0
    assert 0 < hosts.reserve(any_session, "a.example", now) <= hosts.HOLD.total_seconds()
    assert hosts.reserve(any_session, "b.example", now) == 0
    hosts.release(any_session, "a.example", now + timedelta(seconds=3))
    assert hosts.reserve(any_session, "a.example", now + timedelta(seconds=2)) == pytest.approx(1)
    assert hosts.reserve(any_session, "a.example", now + timedelta(seconds=3)) == 0


def test_a_turn_of_a_killed_worker_ends_by_itself(any_session: Any) -> None:
    now = utc_now()
    hosts.reserve(any_session, "a.example", now)
    assert hosts.reserve(any_session, "a.example", now + hosts.HOLD) == 0


def test_a_busy_host_postpones(any_session: Any, polite: Settings, site: Site) -> None:
    hosts.reserve(any_session, site.allow, utc_now())
    any_session.commit()
    slow = replace(polite, host_delay_s=5)
    with pytest.raises(Postpone) as caught, hosts.turn(any_session, slow, site.address):
        pass
    assert 0 < caught.value.delay_s <= 6
    assert site.visits == []


def test_a_turn_reads_robots_once_keeps_to_its_delay_and_ends_when_its_work_fails(
    any_session: Any, polite: Settings, site: Site
) -> None:
    with hosts.turn(any_session, polite, site.address) as rules:
        assert hosts.is_allowed(rules, polite, f"{site.address}a/2.html")
        assert not hosts.is_allowed(rules, polite, f"{site.address}a/1.html")
    any_session.commit()
    state = any_session.get_one(HostState, site.allow)
    assert (state.next_fetch_at - utc_now()).total_seconds() == pytest.approx(2, abs=0.5), "Crawl-delay beats ours"
    state.next_fetch_at = utc_now()
    any_session.commit()
    with pytest.raises(FetchFailed), hosts.turn(any_session, polite, site.address):
        raise FetchFailed("timeout", "对方服务器响应超时")
    any_session.expire_all()
    assert state.next_fetch_at - utc_now() < timedelta(seconds=2.5)
    assert [path for path, _, _ in site.visits] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("failure", "tries", "waits"),
    [
        (FetchFailed("timeout", ""), 1, True),
        (FetchFailed("timeout", ""), 2, True),
        (FetchFailed("timeout", ""), 3, False),
        (FetchFailed("bad_status", "", status=503), 1, True),
        (FetchFailed("bad_status", "", status=404), 1, False),
        (FetchFailed("not_html", ""), 1, False),
        (FetchFailed("refused_address", ""), 1, False),
        (FetchFailed("bad_status", "", status=429, retry_after_s=60), 1, True),
        (FetchFailed("bad_status", "", status=429, retry_after_s=86_400), 1, False),
    ],
)
def test_only_failures_that_may_pass_are_tried_again(failure: FetchFailed, tries: int, waits: bool) -> None:
    wait_s = hosts.retry_wait_s(failure, tries)
    assert (wait_s is not None) == waits
    assert wait_s is None or wait_s >= (failure.retry_after_s or 0)
