"""Deciding flags: the whole state table, guards, races on a stale page, and undo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.audit import Actor, Event
from service.errors import BadInput, Conflict, IllegalTransition, NotFound, YinjiError
from service.extensions import db
from service.sightings.flags import FLAG, Flag
from service.sightings.models import Match
from service.sightings.review import bulk_decide, decide_flag, facts_for, find_flag
from service.states import all_states
from tests.factories import make_flag, make_match, make_ruling, make_user

ACTIONS = sorted({action for steps in FLAG.values() for action in steps})


@pytest.fixture
def reviewer(any_session: Session) -> Actor:
    return Actor.user(make_user(any_session, "rights").id)


def put_in_state(session: Session, state: str, reviewer: Actor) -> Flag:
    flag = make_flag(session)
    flag.state = state
    flag.dismiss_reason = "duplicate" if state == "dismissed" else None
    flag.claimed_by_id = reviewer.id if state == "reviewing" else None
    session.commit()
    return flag


@pytest.mark.parametrize("state", sorted(all_states(FLAG)))
@pytest.mark.parametrize("action", ACTIONS)
def test_every_state_and_action_follows_the_table(session: Session, state: str, action: str) -> None:
    reviewer = Actor.user(make_user(session, "rights").id)
    flag = put_in_state(session, state, reviewer)
    allowed = FLAG.get(state, {}).get(action)
    if allowed is None or action == "return":
        with pytest.raises(IllegalTransition):
            decide_flag(session, reviewer, flag, action, revision=0, dismiss_reason="duplicate")
        return
    decide_flag(session, reviewer, flag, action, revision=0, dismiss_reason="duplicate", note="依据")
    session.commit()
    assert (flag.state, flag.revision) == (allowed, 1)
    event = session.scalars(select(Event).where(Event.verb == f"flag.{action}")).one()
    assert (event.old_state, event.new_state, event.actor_id) == (state, allowed, reviewer.id)


def test_a_stale_revision_is_refused_and_changes_nothing(any_session: Session, reviewer: Actor) -> None:
    flag = put_in_state(any_session, "new", reviewer)
    decide_flag(any_session, reviewer, flag, "watch", revision=0)
    any_session.commit()
    with pytest.raises(Conflict, match="同事"):
        decide_flag(any_session, reviewer, flag, "confirm", revision=0)
    any_session.rollback()
    assert flag.state == "watching"


def test_a_flag_that_a_colleague_reviews_is_theirs(any_session: Session, reviewer: Actor) -> None:
    flag = put_in_state(any_session, "reviewing", reviewer)
    other = Actor.user(make_user(any_session, "rights").id)
    with pytest.raises(Conflict, match="同事"):
        decide_flag(any_session, other, flag, "confirm", revision=0)
    assert decide_flag(any_session, other, flag, "release", revision=0).state == "new"


def test_dismissing_needs_a_reason_of_the_list(any_session: Session, reviewer: Actor) -> None:
    flag = put_in_state(any_session, "new", reviewer)
    for reason in (None, "", "because"):
        with pytest.raises(BadInput) as caught:
            decide_flag(any_session, reviewer, flag, "dismiss", revision=0, dismiss_reason=reason)
        assert caught.value.field == "dismiss_reason"


def test_confirming_what_is_unclear_needs_a_note(any_session: Session, reviewer: Actor) -> None:
    match = make_match(any_session)
    make_ruling(any_session, match, outcome="unclear", reasons=[{"code": "page_date_unknown"}])
    flag = make_flag(any_session, match)
    any_session.commit()
    with pytest.raises(BadInput) as caught:
        decide_flag(any_session, reviewer, flag, "confirm", revision=0)
    assert caught.value.field == "note"
    assert decide_flag(any_session, reviewer, flag, "confirm", revision=0, note="对方来函承认").state == "confirmed"


def test_undo_gives_the_flag_back_to_the_queue(any_session: Session, reviewer: Actor) -> None:
    flag = put_in_state(any_session, "new", reviewer)
    decide_flag(any_session, reviewer, flag, "dismiss", revision=0, dismiss_reason="gone")
    decide_flag(any_session, reviewer, flag, "undo", revision=1)
    assert (flag.state, flag.dismiss_reason, flag.decided_by_id) == ("new", None, None)


def test_bulk_never_confirms_and_names_what_it_could_not_do(any_session: Session, reviewer: Actor) -> None:
    flags = [put_in_state(any_session, state, reviewer) for state in ("new", "new", "confirmed")]
    with pytest.raises(BadInput, match="不能批量"):
        bulk_decide(any_session, reviewer, [flag.number for flag in flags], "confirm")
    done, problems = bulk_decide(any_session, reviewer, [*(flag.number for flag in flags), "F26-99999"], "watch")
    assert [flag.state for flag in done] == ["watching", "watching"]
    assert [number for number, _ in problems] == [flags[2].number, "F26-99999"]


def test_an_unknown_number_is_not_found(any_session: Session, reviewer: Actor) -> None:
    put_in_state(any_session, "new", reviewer)
    for number in ("", "F26-", "F26-abc", "F26-00001x", "X", "F99-00001", "F26-99999999999999999999", "F26-١"):
        with pytest.raises(NotFound):
            find_flag(any_session, number)


def test_the_five_checks_name_what_is_missing(any_session: Session, reviewer: Actor) -> None:
    flag = put_in_state(any_session, "new", reviewer)
    checks = facts_for(any_session, flag)
    assert [check.state for check in checks] == ["warn", "warn", "warn", "warn", "ok"]


def test_fifty_threads_deciding_the_same_flag_have_one_effect(any_app: Flask) -> None:
    with any_app.app_context():
        session = db.session()
        reviewer = Actor.user(make_user(session, "rights").id)
        flag_id = put_in_state(session, "new", reviewer).id

    def decide(_: int) -> str:
        with any_app.app_context():
            try:
                decide_flag(db.session(), reviewer, db.session.get_one(Flag, flag_id), "confirm", revision=0)
                db.session.commit()
            except YinjiError as error:
                return type(error).__name__
            return "done"

    with ThreadPoolExecutor(50) as pool:
        results: list[Any] = list(pool.map(decide, range(50)))
    assert results.count("done") == 1
    assert set(results) <= {"done", "Conflict", "IllegalTransition"}
    with any_app.app_context():
        assert db.session.query(Event).filter(Event.verb == "flag.confirm").count() == 1
        assert db.session.query(Match).count() == 1


def test_what_the_machine_finds_permitted_is_never_confirmed(any_session: Session, reviewer: Actor) -> None:
    match = make_match(any_session)
    make_ruling(any_session, match, outcome="permitted", reasons=[{"code": "licensed", "licence": "L1"}])
    flag = make_flag(any_session, match)
    any_session.commit()
    for action in ("confirm", "breach"):
        with pytest.raises(Conflict):
            decide_flag(any_session, reviewer, flag, action, revision=0, note="依据")
