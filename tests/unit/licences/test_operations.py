"""Granting, ending and finding licences, on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from service.audit import CLI, Event
from service.errors import BadInput, Conflict, IllegalTransition
from service.licences.facts import HISTORIC_SWITCH, is_historic_loaded
from service.licences.models import Licence
from service.licences.operations import (
    change_licence_state,
    expire_licences,
    licence_state_on,
    licences_for,
    set_switch,
    terms_of,
)
from service.parties.models import Party
from tests import factories as make

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("dates", "state"),
    [
        ({"valid_from": DAY, "valid_to": DAY}, "active"),
        ({"valid_from": DAY + timedelta(1), "valid_to": None}, "pending"),
        ({"valid_from": None, "valid_to": DAY - timedelta(1)}, "expired"),
        ({"valid_from": None, "valid_to": None}, "active"),
        ({"valid_from": date(2020, 1, 1), "valid_to": None, "is_perpetual": True}, "active"),
    ],
)
def test_a_licence_begins_in_the_state_of_its_dates(any_session: Any, dates: dict[str, Any], state: str) -> None:
    licence = make.make_licence(any_session, **dates)
    assert licence.state == state == licence_state_on(licence, DAY)


def test_every_step_leaves_its_event(any_session: Any) -> None:
    licence = make.make_licence(any_session, valid_to=DAY - timedelta(1))
    any_session.flush()
    steps = any_session.execute(
        select(Event.old_state, Event.new_state)
        .where(Event.subject_kind == "licences", Event.subject_id == licence.id)
        .order_by(Event.id)
    ).all()
    assert [tuple(step) for step in steps] == [(None, "pending"), ("pending", "active"), ("active", "expired")]


def test_the_daily_run_starts_and_expires_once(any_session: Any) -> None:
    coming = make.make_licence(any_session, valid_from=DAY + timedelta(1))
    going = make.make_licence(any_session, valid_to=DAY)
    later = make.NOW + timedelta(days=1)
    assert expire_licences(any_session, later) == 2 and expire_licences(any_session, later) == 0
    assert (coming.state, going.state) == ("active", "expired")


def test_a_revocation_needs_a_reason_and_keeps_its_day(any_session: Any) -> None:
    licence = make.make_licence(any_session)
    with pytest.raises(BadInput):
        change_licence_state(any_session, CLI, licence, "revoke", on=DAY)
    change_licence_state(any_session, CLI, licence, "revoke", on=DAY, reason="拖欠费用")
    assert (terms_of(licence).ended_on, terms_of(licence).ended_as) == (DAY, "revoked")
    assert licence_state_on(licence, date(2030, 1, 1)) == "revoked"
    with pytest.raises(IllegalTransition):
        change_licence_state(any_session, CLI, licence, "resume", on=DAY)


def test_a_resumed_licence_has_not_ended(any_session: Any) -> None:
    licence = make.make_licence(any_session)
    change_licence_state(any_session, CLI, licence, "suspend", on=DAY, reason="核查")
    change_licence_state(any_session, CLI, licence, "resume", on=DAY)
    assert (licence.state, licence.ended_on) == ("active", None)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"scope": "everything"}, "scope"),
        ({"scope": "works"}, "works"),
        ({"acts": ["steal"]}, "acts"),
        ({"forms": ["opera"]}, "forms"),
        ({"is_perpetual": True}, "perpetual"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to"),
        ({"reference": "x" * 81}, "reference"),
        ({"credit_text": "坏\n行"}, "credit_text"),
    ],
)
def test_unfit_terms_are_refused_by_field(session: Any, over: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        make.make_licence(session, **over)
    assert caught.value.field == field


def test_a_channel_of_another_party_cannot_be_granted(session: Any) -> None:
    with pytest.raises(BadInput, match="another party"):
        make.make_licence(session, channels=[make.make_channel(session)])


def test_a_reference_is_used_once(any_session: Any) -> None:
    make.make_licence(any_session, reference="甘版许2025-7")
    with pytest.raises(Conflict):
        make.make_licence(any_session, reference="甘版许2025-7")


def test_the_terms_are_what_was_granted(any_session: Any) -> None:
    party = make.make_party(any_session)
    channel = make.make_channel(any_session, party=party)
    work = make.make_work(any_session)
    licence = make.make_licence(any_session, party=party, works=[work], channels=[channel], acts=["repost", "excerpt"])
    any_session.commit()
    terms = terms_of(any_session.get(Licence, licence.id))
    assert (terms.work_ids, terms.channel_ids, terms.acts) == ({work.id}, {channel.id}, {"repost", "excerpt"})
    assert (terms.scope, terms.valid_from, terms.credit_required) == ("works", date(2026, 1, 1), True)


def test_a_party_gets_its_own_licences_and_a_stranger_the_open_ones(any_session: Any) -> None:
    channel = make.make_channel(any_session)
    mine = make.make_licence(any_session, party=channel.party, channels=[channel])
    open_one = make.make_licence(any_session, all_channels=True)
    unrecorded = make.make_licence(any_session, channels=[])
    assert licences_for(any_session, mine.party_id) == [mine]
    assert licences_for(any_session, None) == [open_one, unrecorded]


def test_more_licences_cost_no_more_queries(any_session: Any) -> None:
    party = make.make_party(any_session)
    statements: list[str] = []
    event.listen(any_session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    costs, party_id = [], party.id
    for _ in range(2):
        for _ in range(4):
            works = [make.make_work(any_session), make.make_work(any_session)]
            make.make_licence(any_session, party=any_session.get(Party, party_id), works=works)
        any_session.commit()
        any_session.expunge_all()
        statements.clear()
        [terms_of(licence) for licence in licences_for(any_session, party_id)]
        costs.append(sum(one.startswith("SELECT") for one in statements))
    assert costs[0] == costs[1] <= 4


def test_the_historic_switch_has_one_event_for_each_change(any_session: Any) -> None:
    assert not is_historic_loaded(any_session)
    for is_on in (False, True, True, False):
        set_switch(any_session, CLI, HISTORIC_SWITCH, is_on, make.NOW)
        assert is_historic_loaded(any_session) == is_on
    any_session.flush()
    events = any_session.scalars(select(Event).where(Event.verb == "switch.set").order_by(Event.id)).all()
    assert [(one.old_state, one.new_state) for one in events] == [("off", "on"), ("on", "off")]
