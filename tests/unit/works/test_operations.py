"""Registering and amending works, on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from service.audit import CLI, Event
from service.errors import BadInput, IllegalTransition
from service.works.models import Work, WorkFingerprint
from service.works.operations import (
    WorkDraft,
    amend_work,
    change_work_state,
    register_work,
    register_works,
)
from tests import factories as make


def draft(outlet: Any, **over: Any) -> WorkDraft:
    values = {"title": "修渠记", "text": make.TEXT, "external_id": "a-1", "published_at": make.NOW}
    return WorkDraft(outlet=outlet, **{**values, "url": "http://Outlet.example:80/1.html?utm_source=x", **over})


def verbs_about(session: Any, work: Work) -> list[tuple[str, str | None, str | None]]:
    session.flush()
    rows = session.execute(
        select(Event.verb, Event.old_state, Event.new_state)
        .where(Event.subject_kind == "works", Event.subject_id == work.id)
        .order_by(Event.id)
    )
    return [tuple(row) for row in rows]


def test_a_registered_work_has_all_its_parts(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    mandate = make.make_mandate(any_session, outlet)
    statement = make.make_reservation(any_session)
    done = register_work(any_session, CLI, draft(outlet, form="photograph"), make.NOW)
    any_session.commit()
    work = any_session.get(Work, done.work.id)
    assert done.created and done.duplicate_of is None
    assert (work.state, work.category, work.current.number) == ("registered", "摄影", 1)
    assert (work.mandate_id, work.reservation_id) == (mandate.id, statement.id)
    assert work.publications[0].canonical_url == "http://outlet.example/1.html"
    assert work.first_published_at == make.NOW
    fingerprint = work.current.fingerprints[0]
    assert -(2**63) <= fingerprint.simhash < 2**63 and len(fingerprint.winnow) % 5 == 0


def test_every_step_of_registration_leaves_its_event(any_session: Any) -> None:
    work = make.make_work(any_session)
    assert verbs_about(any_session, work) == [
        ("work.submit", "draft", "submitted"),
        ("work.register", "submitted", "registered"),
    ]


def test_the_same_draft_again_creates_nothing(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    first = register_work(any_session, CLI, draft(outlet), make.NOW)
    again = register_work(any_session, CLI, draft(outlet), make.NOW + timedelta(days=1))
    assert (again.work.id, again.created, again.amended) == (first.work.id, False, ())
    assert any_session.scalar(select(func.count(Work.id))) == 1


def test_changed_text_makes_a_new_version_and_the_work_stays_registered(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    work = register_work(any_session, CLI, draft(outlet), make.NOW).work
    again = register_work(any_session, CLI, draft(outlet, text=make.TEXT + "（更正）", byline="白朔"), make.NOW)
    any_session.commit()
    any_session.refresh(work)
    assert set(again.amended) == {"text", "byline"} and not again.created
    assert [(one.number, one.is_current) for one in work.versions] == [(1, False), (2, True)]
    assert work.state == "registered" and verbs_about(any_session, work)[-1][0] == "work.amended"


def test_what_a_later_draft_does_not_state_stays(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    work = register_work(any_session, CLI, draft(outlet, byline="白朔"), make.NOW).work
    register_work(any_session, CLI, draft(outlet, byline="", url="", published_at=None), make.NOW)
    assert (work.byline, work.first_published_at, len(work.publications)) == ("白朔", make.NOW, 1)


def test_the_earliest_appearance_is_the_first_publication(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    work = register_work(any_session, CLI, draft(outlet), make.NOW).work
    earlier = make.NOW - timedelta(hours=5)
    changed = amend_work(
        any_session, CLI, work, draft(outlet, url="https://app.example/9", published_at=earlier), make.NOW
    )
    assert changed == ("published",) and work.first_published_at == earlier and len(work.publications) == 2


def test_the_same_text_is_found_whatever_its_spelling(any_session: Any) -> None:
    first = make.make_work(any_session, make.TEXT)
    traditional = make.TEXT.replace("谷口村", "谷口 村").replace("，", ",").replace("学校", "學校")
    second = make.make_work(any_session, traditional)
    third, fourth = register_works(
        any_session,
        CLI,
        [draft(first.outlet, external_id="b", text="另一篇" + make.TEXT), draft(first.outlet, external_id="c")],
        make.NOW,
    )
    assert second.same_text_as_id == first.id
    assert third.duplicate_of is None and fourth.duplicate_of is first


def test_twins_inside_one_batch_point_to_the_first(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    drafts = [draft(outlet, external_id=str(number)) for number in range(3)]
    done = register_works(any_session, CLI, drafts, make.NOW)
    assert [one.work.same_text_as_id for one in done] == [None, done[0].work.id, done[0].work.id]


def test_a_short_text_is_registered_without_fingerprint(any_session: Any) -> None:
    work = make.make_work(any_session, "图为谷口村。")
    assert any_session.scalar(select(func.count(WorkFingerprint.id))) == 0 and work.current.length_chars == 6


def test_a_work_published_before_mandate_and_statement_has_neither(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    make.make_mandate(any_session, outlet, valid_from=date(2026, 3, 3))
    make.make_reservation(any_session, published_on=date(2026, 3, 3))
    work = make.make_work(any_session, outlet=outlet)
    assert (work.mandate_id, work.reservation_id) == (None, None)


def test_an_undated_work_claims_no_mandate_of_a_day(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    make.make_mandate(any_session, outlet)
    assert make.make_work(any_session, outlet=outlet, published_at=None).mandate_id is None


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "题" * 501}, "title"),
        ({"text": "……！"}, "text"),
        ({"text": "正文\x00"}, "text"),
        ({"text": "正文\ud800"}, "text"),
        ({"url": "ftp://a.example/"}, "url"),
        ({"form": "opera"}, "form"),
    ],
)
def test_unfit_values_are_refused_by_field(session: Any, over: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        register_work(session, CLI, draft(make.make_outlet(session), **over), make.NOW)
    assert caught.value.field == field and session.scalar(select(func.count(Work.id))) == 0


def test_a_withdrawn_work_is_not_amended(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    work = register_work(any_session, CLI, draft(outlet), make.NOW).work
    change_work_state(any_session, CLI, work, "withdraw", "事实有误")
    assert register_work(any_session, CLI, draft(outlet), make.NOW).amended == ()
    with pytest.raises(IllegalTransition, match="撤稿"):
        register_work(any_session, CLI, draft(outlet, text=make.TEXT + "新"), make.NOW)


def test_steps_against_a_work_need_a_reason_and_leave_it_in_the_event(any_session: Any) -> None:
    work = make.make_work(any_session)
    with pytest.raises(BadInput):
        change_work_state(any_session, CLI, work, "dispute")
    with pytest.raises(IllegalTransition):
        change_work_state(any_session, CLI, work, "submit")
    change_work_state(any_session, CLI, work, "dispute", "作者来函")
    assert verbs_about(any_session, work)[-1] == ("work.dispute", "registered", "disputed")
