"""Keyset pages hold every row once, in order, on both databases; counts stop at their cap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service.errors import BadInput
from service.paging import SortKey, contains, count_capped, fetch_slice, read_moment
from service.works.models import Work
from tests.factories import NOW, make_outlet, make_work

BY_TIME = SortKey(Work.first_published_at, Work.id, read_moment, is_nullable=True)
BY_ID = SortKey(Work.id, Work.id)


@pytest.fixture
def works(any_session: Any) -> list[int]:
    """Nine works: three dates shared by two each, three without a date. Ids in the order a list should show them."""
    outlet = make_outlet(any_session)
    for n in range(9):
        moment = None if n % 3 == 0 else NOW + timedelta(days=n // 3)
        make_work(any_session, outlet=outlet, published_at=moment)
    any_session.flush()
    found = any_session.scalars(select(Work)).all()
    earliest = NOW - timedelta(days=1)
    return [one.id for one in sorted(found, key=lambda one: (one.first_published_at or earliest, one.id), reverse=True)]


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 9, 10])
def test_walking_on_and_back_meets_each_row_once(any_session: Any, works: list[int], limit: int) -> None:
    seen, cursor, cursors = [], "", []
    while cursor is not None:
        part = fetch_slice(any_session, select(Work), BY_TIME, after=cursor, limit=limit)
        seen += [work.id for work in part.rows]
        cursors.append(part.before)
        cursor = part.after
    assert seen == works
    assert cursors[0] is None
    back = fetch_slice(any_session, select(Work), BY_TIME, before=cursors[-1] or "", limit=limit)
    if cursors[-1]:
        start = len(works) - len(part.rows)
        assert [work.id for work in back.rows] == works[max(0, start - limit) : start]


def test_a_count_without_any_condition_counts_the_rows(any_session: Any, works: list[int]) -> None:
    assert count_capped(any_session, select(Work)) == (9, False)
    assert count_capped(any_session, select(Work).where(Work.first_published_at.is_(None))) == (3, False)
    assert count_capped(any_session, select(Work), cap=4) == (4, True)
    assert count_capped(any_session, select(Work), cap=9) == (9, False)


@pytest.mark.parametrize(
    "cursor", ["", "~", "x~1", "1~x", "1~0", "1~-3", "~5", "2~99999999999999999999", "1" * 81 + "~1"]
)
def test_a_cursor_that_cannot_be_read_is_bad_input(session: Any, cursor: str) -> None:
    if cursor:
        with pytest.raises(BadInput):
            fetch_slice(session, select(Work), BY_ID, after=cursor)
    else:
        assert fetch_slice(session, select(Work), BY_ID, after=cursor).rows == []


def test_a_naive_moment_is_no_cursor(session: Any) -> None:
    with pytest.raises(BadInput):
        fetch_slice(session, select(Work), BY_TIME, after="2026-03-02T02:00:00~1")


def test_contains_takes_wildcards_as_typed(any_session: Any) -> None:
    outlet = make_outlet(any_session)
    for title in ("涨了50%", "涨了50点", "a_b", "aXb", r"a\b"):
        make_work(any_session, outlet=outlet, title=title)
    for text, expected in (("50%", {"涨了50%"}), ("A_B", {"a_b"}), ("\\", {r"a\b"})):
        assert set(any_session.scalars(select(Work.title).where(contains(Work.title, text)))) == expected
