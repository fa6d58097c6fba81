"""Politeness: one host gets one request at a time, spaced, and only what its robots.txt allows.

All workers share `host_states`; whoever wins the conditional UPDATE has the turn. A turn that its worker does not live
to give back ends by itself after HOLD.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import CursorResult, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.clock import utc_now
from service.config import Settings
from service.extensions import reading
from service.intake.charset import decode_html
from service.intake.fetch import fetch_bytes
from service.intake.limits import FetchLimits
from service.intake.page import FetchFailed
from service.intake.robots import MAX_ROBOTS_BYTES, RobotsRules, parse_robots
from service.jobs import Job, Postpone
from service.parties.identifiers import host_of
from service.sightings.models import HostState

HOLD = timedelta(seconds=20)
"""A turn not given back (its worker was killed) ends after this. A fetch may rarely last longer: then two overlap."""
ROBOTS_FRESH = timedelta(hours=24)
"""RFC 9309, section 2.4: a cached robots.txt should not be used for more than 24 hours."""
ROBOTS_UNREACHABLE_FRESH = timedelta(hours=1)
"""A server that failed is asked again sooner; until then nothing on it is allowed."""
WAIT_IN_PLACE_S = 1.0
"""A shorter wait than this is slept through; a longer one gives the worker to other hosts."""
USUAL_FETCH_S = 0.1
"""Guess of how long the one before needs; its real end cannot be known."""
RETRY_AFTER_S = (5.0, 30.0)
"""Waits before the second and the third try of a page (each ± half, so that retries do not march in step)."""
LONGEST_RETRY_S = 600.0
"""A server that asks for more patience (Retry-After) is left alone until the next scan."""
TRANSIENT = frozenset({"timeout", "connection", "dns", "bad_response", "bad_encoding"})
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


def insert_new(session: Session, model: Any, rows: list[dict[str, Any]], unique: list[str]) -> None:
    """Inserts the rows that are not there yet; rows that another worker inserted meanwhile are no error."""
    if rows:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(dialect.insert(model).values(rows).on_conflict_do_nothing(index_elements=unique))


def limits_of(settings: Settings) -> FetchLimits:
    """The limits of one fetch that the settings name."""
    return FetchLimits(
        max_decompressed_bytes=settings.max_page_bytes, user_agent=settings.user_agent, allow=settings.fetch_allow
    )


def reserve(session: Session, host: str, now: datetime) -> float:
    """Takes the host's turn for HOLD: 0.0 when taken, else the seconds until it is free at the latest. Commit at once."""
    insert_new(session, HostState, [{"host": host, "next_fetch_at": now}], ["host"])
    taken = session.execute(
        update(HostState)
        .where(HostState.host == host, HostState.next_fetch_at <= now)
        .values(next_fetch_at=now + HOLD)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(taken, CursorResult)
    if taken.rowcount == 1:
        return 0.0
    free_at = session.scalars(select(HostState.next_fetch_at).where(HostState.host == host)).one()
    return max((free_at - now).total_seconds(), 0.01)


def release(session: Session, host: str, free_at: datetime) -> None:
    """Gives the turn back; the next request may go at `free_at`."""
    session.execute(
        update(HostState)
        .where(HostState.host == host)
        .values(next_fetch_at=free_at)
        .execution_options(synchronize_session=False)
    )


@contextmanager
def turn(session: Session, settings: Settings, url: str, group: str | None = None) -> Iterator[RobotsRules]:
    """The right to make one request to the address's host, with the host's robots rules (cached for a day).

    On success the turn's end is flushed, not committed: it belongs to the caller's last transaction. `group` names the
    jobs that wait for the same host.

    Raises:
        Postpone: another worker has the turn, or the host rests; nothing was requested.
    """
    host = host_of(url)
    _take(session, settings, host, group)
    delay_s = settings.host_delay_s
    try:
        rules = read_robots(session, settings, url)
        delay_s = max(delay_s, rules.crawl_delay(_agent(settings)) or 0.0)
        yield rules
    except BaseException:  # whatever went wrong, a stop signal included, the host must not stay taken
        session.rollback()
        release(session, host, utc_now() + timedelta(seconds=delay_s))
        session.commit()
        raise
    release(session, host, utc_now() + timedelta(seconds=delay_s))


def is_allowed(rules: RobotsRules, settings: Settings, url: str) -> bool:
    """Whether the site's robots.txt lets us fetch this address."""
    return rules.allowed(url, _agent(settings))


def read_robots(session: Session, settings: Settings, url: str) -> RobotsRules:
    """The host's robots rules, from `host_states` or freshly fetched. No transaction is open during the fetch."""
    host = host_of(url)
    with reading(session):
        state = session.get(HostState, host)
        cached, fetched_at = (state.robots, state.robots_fetched_at) if state else (None, None)
    if fetched_at is not None:
        fresh = ROBOTS_FRESH if cached is not None else ROBOTS_UNREACHABLE_FRESH
        if utc_now() - fetched_at < fresh:
            return _rules(cached)
    text = _fetch_robots_text(url, settings)
    session.execute(
        update(HostState)
        .where(HostState.host == host)
        .values(robots=text, robots_fetched_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return _rules(text)


def retry_wait_s(failure: FetchFailed, tries: int) -> float | None:
    """Seconds until the next try after `tries` failed ones, or None when trying again would not help."""
    is_transient = failure.reason in TRANSIENT or failure.status in TRANSIENT_STATUS
    if not is_transient or tries > len(RETRY_AFTER_S) or (failure.retry_after_s or 0) > LONGEST_RETRY_S:
        return None
    jittered = RETRY_AFTER_S[tries - 1] * random.uniform(0.5, 1.5)  # noqa: S311  spreads load, hides nothing
    return max(jittered, float(failure.retry_after_s or 0))


def _take(session: Session, settings: Settings, host: str, group: str | None) -> None:
    deadline = time.monotonic() + WAIT_IN_PLACE_S
    while True:
        left_s = reserve(session, host, utc_now())
        session.commit()
        if left_s == 0.0:
            return
        # A rest ends when it says; a turn that is held ends long before HOLD as a rule.
        wait_s = min(left_s, settings.host_delay_s + USUAL_FETCH_S)
        if time.monotonic() + wait_s > deadline:
            raise Postpone(wait_s + _spread_s(session, settings, group))
        time.sleep(wait_s)


def _spread_s(session: Session, settings: Settings, group: str | None) -> float:
    """As many turns as visits wait: without the spread all of them would ask again at the same moment, in vain."""
    if group is None:
        return 0.0
    with reading(session):
        waiting = len(
            session.scalars(
                select(Job.id)
                .where(Job.group_key == group, Job.state == "queued", Job.not_before <= utc_now())
                .limit(200)
            ).all()
        )
    return random.uniform(0, waiting * settings.host_delay_s)  # noqa: S311  spreads load, hides nothing


def _fetch_robots_text(url: str, settings: Settings) -> str | None:
    """The file's text; "" where there is none (4xx: no wish); None where it cannot be had (RFC 9309, section 2.3.1)."""
    try:
        page = fetch_bytes(urljoin(url, "/robots.txt"), limits_of(settings), truncate_at=MAX_ROBOTS_BYTES)
    except FetchFailed as failure:
        status = failure.status if failure.reason == "bad_status" else None
        return "" if status is not None and 400 <= status < 500 and status not in TRANSIENT_STATUS else None
    return decode_html(page.body, page.content_type)[0]


@lru_cache(maxsize=256)
def _rules(text: str | None) -> RobotsRules:
    if text is None:
        return RobotsRules("unreachable")
    return parse_robots(text.encode()) if text else RobotsRules("absent")


def _agent(settings: Settings) -> str:
    return settings.user_agent.partition("/")[0]
