"""Words, figures and drawings of the shell."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from service.accounts.models import ROLES
from service.jobs import Job
from service.licences import transitions as licences
from service.portal import formats
from service.portal.dashboard import Day, draw_chart
from service.portal.edge import is_local_path
from service.portal.looks import LOOKS, ROLE_WORDS
from service.sightings import flags
from service.sightings.models import OUTCOMES, RULINGS
from service.works import transitions as works

WORDS = {"work": works.NAMES, "licence": licences.NAMES, "flag": flags.NAMES, "ruling": RULINGS, "outcome": OUTCOMES}


@pytest.mark.parametrize("kind", WORDS)
def test_every_state_has_its_own_word_and_look(app: Flask, kind: str) -> None:
    with app.test_request_context():
        shown = {value: str(look.word) for value, look in LOOKS[kind].items() if value != "expiring"}
    assert shown == WORDS[kind]


def test_every_job_state_has_a_look() -> None:
    check = next(str(one.sqltext) for one in Job.__table__.constraints if getattr(one, "name", "") == "ck_jobs_state")  # type: ignore[attr-defined]  # a Table here
    assert all(f"'{state}'" in check for state in LOOKS["job"]) and check.count("'") == 2 * len(LOOKS["job"])


def test_only_what_a_person_decided_is_red() -> None:
    red = {(kind, value) for kind, looks in LOOKS.items() for value, look in looks.items() if look.role == "bad"}
    assert red == {("flag", "confirmed"), ("flag", "breach"), ("licence", "revoked")}


def test_every_role_has_its_word(app: Flask) -> None:
    with app.test_request_context():
        assert {role: str(word) for role, word in ROLE_WORDS.items()} == ROLES


def test_figures_are_written_as_the_house_writes_them() -> None:
    moment = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)
    assert formats.shanghai(moment) == "2026-11-24 00:05" and formats.day(moment) == "2026-11-24"
    assert formats.thousands(41806) == "41,806"
    assert formats.yuan(Decimal("1234")) == "¥1,234.00"
    assert formats.percent(0.97) == "97%" and formats.percent(0.9999) == "99%" and formats.percent(1.0) == "100%"
    assert {one(None) for one in formats.FILTERS.values()} == {"—"}  # type: ignore[operator]  # filters differ in type


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)), min_size=1, max_size=40))
def test_the_chart_stays_in_its_box_and_its_words_apart(counts: list[tuple[int, int]]) -> None:
    days = [Day("01-01", *pair) for pair in counts]
    chart = draw_chart(days, 920, 250)
    points = [tuple(map(float, point.split())) for point in chart.line.removeprefix("M").split("L")]
    assert all(0 <= x <= 920 and 0 <= y <= 250 for x, y in points)
    assert all(height >= 0 and y >= 0 and y + height <= 250 for _, y, _, height in chart.bars)
    assert abs(chart.end_new - chart.end_confirmed) >= 18


@given(st.text(max_size=30))
def test_a_local_path_never_names_another_site(target: str) -> None:
    if is_local_path(target):
        assert target.startswith("/") and not target.startswith(("//", "/\\"))
        assert not any(character in target for character in "\\\r\n\t ")
