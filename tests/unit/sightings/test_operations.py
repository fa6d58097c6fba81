"""What screening writes about a match: identical and rewritten text apart, named by what measured it, twice the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.audit import Event
from service.fingerprint import Passage
from service.fingerprint.text import ALGORITHM
from service.matching import Measured, compare
from service.sightings.flags import Flag
from service.sightings.models import Match, Sighting
from service.sightings.operations import MATERIAL_CHANGE, raise_flag, record_match, severity_of
from service.works.models import Work
from tests.factories import NOW, TEXT, make_flag, make_match, make_page, make_ruling, make_sighting, make_work

PAGE = f"小编按。\n{TEXT}"
REWORDED = (Passage(0, 40, 5, 50, 0.61234), Passage(60, 90, 70, 95, 0.5))


def measured(work: Work, **over: Any) -> Measured:
    """What the comparison of PAGE gives, with some of it set."""
    found = compare(work.current.text, PAGE, work_title=work.title, page_title="渠修好了", distance=3)
    assert found is not None
    return replace(found, **over)


@pytest.fixture
def work(any_session: Session) -> Work:
    return make_work(any_session)


@pytest.fixture
def sighting(any_session: Session) -> Sighting:
    return make_sighting(any_session, seen_at=NOW, outcome="flagged")


def test_a_match_keeps_identical_and_rewritten_text_apart(any_session: Any, work: Work, sighting: Sighting) -> None:
    found = measured(work, rewritten=REWORDED, rewritten_coverage=(0.21, 0.19), is_condensed=True)
    match = record_match(any_session, sighting, work.current.id, found, None, ALGORITHM)
    any_session.commit()
    any_session.refresh(match)
    assert match.spans == found.spans
    assert match.spans
    assert match.rewritten == [[0, 40, 5, 50, 0.6123], [60, 90, 70, 95, 0.5]]
    assert match.rewritten_coverage_of_work == min(0.21, 1 - match.coverage_of_work) > 0
    assert match.rewritten_coverage_of_page == min(0.19, 1 - match.coverage_of_page) > 0
    assert match.taken_of_work <= 1
    assert match.coverage_of_work == found.overlap.coverage
    assert match.quoted_coverage_of_work == found.quoted_coverage
    assert match.is_condensed is True


def test_a_match_names_the_fingerprint_and_the_aligners(any_session: Any, work: Work, sighting: Sighting) -> None:
    match = record_match(any_session, sighting, work.current.id, measured(work), None, "yj-text-7")
    names = match.algorithm.split(" ")
    assert names[0] == "yj-text-7", "the one that found it, whatever is in use when it is written"
    assert [name.rpartition("-")[0] for name in names[1:]] == ["yj-align", "yj-rewritten", "yj-background", "yj-match"]


def test_measured_again_the_row_is_the_same_one_with_the_new_values(
    any_session: Any, work: Work, sighting: Sighting
) -> None:
    first = record_match(any_session, sighting, work.current.id, measured(work, rewritten=REWORDED), None, ALGORITHM)
    again = record_match(any_session, sighting, work.current.id, measured(work, rewritten=()), True, ALGORITHM)
    assert (again.id, again.rewritten, again.is_credited) == (first.id, [], True)
    assert any_session.scalar(select(func.count(Match.id))) == 1


def test_what_was_taken_in_other_words_weighs_like_what_was_copied(session: Session) -> None:
    copied = make_match(session, coverage_of_work=0.8, longest_run=20)
    reworded = make_match(session, coverage_of_work=0.1, rewritten_coverage_of_work=0.7, longest_run=20)
    little = make_match(session, coverage_of_work=0.1, longest_run=20)
    ruled = [severity_of(match, make_ruling(session, match)) for match in (copied, reworded, little)]
    assert ruled[0] == ruled[1] > ruled[2]


def dismissed(session: Session, work: Work, **over: Any) -> Flag:
    """A flag that a person dismissed on such a match."""
    sighting = make_sighting(session, make_page(session), seen_at=NOW, outcome="flagged")
    flag = make_flag(session, make_match(session, work, sighting, coverage_of_work=0.3, **over))
    flag.state, flag.dismiss_reason = "dismissed", "exception"
    session.flush()
    return flag


def see_again(session: Session, flag: Flag, **over: Any) -> Flag:
    """The next visit to its page finds such a match."""
    sighting = make_sighting(session, flag.page, seen_at=NOW + timedelta(days=1), outcome="flagged")
    match = make_match(session, flag.work, sighting, coverage_of_work=0.3, **over)
    raised = raise_flag(session, sighting, flag.work_id, match, make_ruling(session, match))
    assert raised is flag
    return flag


def test_a_dismissed_flag_returns_when_much_more_was_reworded(any_session: Any, work: Work) -> None:
    flag = dismissed(any_session, work, algorithm="a 1", rewritten_coverage_of_work=0.1)
    see_again(any_session, flag, algorithm="a 1", rewritten_coverage_of_work=0.1 + MATERIAL_CHANGE + 0.01)
    assert flag.state == "new"
    reason = any_session.scalars(select(Event.reason).where(Event.verb == "flag.returned")).one()
    assert reason == "copy changed: 40% → 61% of the work"


@pytest.mark.parametrize(
    ("algorithm", "reworded"), [("a 2", 0.6), ("a 1", 0.1 + MATERIAL_CHANGE - 0.01)], ids=["newer eyes", "little more"]
)
def test_a_dismissed_flag_stays_where_the_page_itself_hardly_changed(
    any_session: Any, work: Work, algorithm: str, reworded: float
) -> None:
    flag = dismissed(any_session, work, algorithm="a 1", rewritten_coverage_of_work=0.1)
    see_again(any_session, flag, algorithm=algorithm, rewritten_coverage_of_work=reworded)
    assert flag.state == "dismissed"
