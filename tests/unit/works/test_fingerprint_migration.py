"""The step to fingerprint runs and rewritten passages, up and down, over rows that are there, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from service.extensions import db
from service.sightings.models import Match
from service.works.fingerprints import FingerprintRun, active_algorithm, newest_algorithm
from tests.factories import make_flag, make_match

BEFORE, AFTER = "0003", "0004"
KEPT = ("matches", "rulings", "flags", "sightings", "work_versions", "work_fingerprints")


def counts(session: Any) -> dict[str, int]:
    return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in KEPT}  # noqa: S608  our own names


def checks_of_matches() -> set[str | None]:
    return {one["name"] for one in inspect(db.session.connection()).get_check_constraints("matches")}


def test_a_populated_database_goes_down_and_up_without_losing_a_row(any_app: Flask) -> None:
    with any_app.app_context():
        session = db.session()
        match = make_match(
            session,
            algorithm="yj-text-1 yj-align-1 yj-rewritten-1 yj-match-1",
            rewritten=[[0, 9, 0, 9, 0.5]],
            rewritten_coverage_of_work=0.2,
        )
        make_flag(session, match)
        session.commit()
        rows, spans, match_id = counts(session), match.spans, match.id
        checks = checks_of_matches()
        db.session.rollback()

        downgrade(revision=BEFORE)
        assert counts(db.session()) == rows
        assert "rewritten" not in {column["name"] for column in inspect(db.session.connection()).get_columns("matches")}
        assert not inspect(db.session.connection()).has_table("fingerprint_runs")
        assert checks_of_matches() == checks - {"ck_matches_rewritten", "ck_matches_quoted"}
        db.session.rollback()

        upgrade(revision=AFTER)
        assert counts(db.session()) == rows
        again = db.session.get_one(Match, match_id)
        assert (again.spans, again.rewritten, again.rewritten_coverage_of_work) == (spans, [], 0)
        assert (again.is_condensed, again.quoted_coverage_of_work) == (False, 0)
        assert again.algorithm.startswith("yj-text-1 ")
        assert checks_of_matches() == checks
        assert list(db.session.scalars(select(FingerprintRun.algorithm))) == [newest_algorithm()]


@pytest.mark.parametrize(
    "column",
    ["rewritten_coverage_of_work", "rewritten_coverage_of_page", "quoted_coverage_of_work", "coverage_of_work"],
)
def test_a_share_beyond_the_whole_is_refused(any_session: Any, column: str) -> None:
    with pytest.raises(IntegrityError):
        make_match(any_session, None, None, **{column: 1.01})


def test_a_fresh_database_starts_with_the_newest_algorithm(any_session: Any) -> None:
    assert active_algorithm(any_session) == newest_algorithm()
