"""Whose channel a host is, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from service.audit import CLI, Event
from service.errors import BadInput, Conflict
from service.parties.operations import add_channel, add_party, change_relation, channel_for
from tests import factories as make


def test_the_nearest_domain_wins(any_session: Any) -> None:
    wide = make.make_channel(any_session, "a.example")
    near = make.make_channel(any_session, "news.a.example")
    assert channel_for(any_session, "x.news.a.example") is near
    assert channel_for(any_session, "sport.a.example") is wide
    assert channel_for(any_session, "a.example:8080") is wide
    assert channel_for(any_session, "aa.example") is None


def test_an_address_with_its_port_is_nobody_elses(any_session: Any) -> None:
    channel = make.make_channel(any_session, "127.0.0.1:9001")
    assert channel_for(any_session, "127.0.0.1:9001") is channel
    assert channel_for(any_session, "127.0.0.1:9002") is None and channel_for(any_session, "127.0.0.1") is None


def test_an_account_of_the_same_name_is_no_domain(any_session: Any) -> None:
    make.make_channel(any_session, "a.example", kind="app")
    assert channel_for(any_session, "a.example") is None


def test_a_channel_has_one_party(any_session: Any) -> None:
    party = make.make_party(any_session)
    first = add_channel(any_session, CLI, party, "domain", "https://A.example/")
    assert add_channel(any_session, CLI, party, "domain", "a.example") is first
    with pytest.raises(Conflict, match=party.name):
        add_channel(any_session, CLI, make.make_party(any_session), "domain", "a.example")
    with pytest.raises(BadInput):
        add_channel(any_session, CLI, party, "telegram", "a")


def test_only_an_own_party_names_an_outlet(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    assert add_party(any_session, CLI, "本报网站", relation="own", outlet=outlet).outlet_id == outlet.id
    for over in ({"relation": "own"}, {"relation": "third", "outlet": outlet}, {"relation": "friend"}):
        with pytest.raises(BadInput):
            add_party(any_session, CLI, "另一家", **over)


def test_a_party_is_named_once_whatever_its_spaces(any_session: Any) -> None:
    add_party(any_session, CLI, "河口 融媒", credit_code="91350100M000100Y43")
    with pytest.raises(Conflict):
        add_party(any_session, CLI, " 河口  融媒 ")
    with pytest.raises(Conflict, match="91350100M000100Y43"):
        add_party(any_session, CLI, "晨谷", credit_code="91350100M000100Y43")
    with pytest.raises(BadInput):
        add_party(any_session, CLI, "坏\u202e名")


def test_a_changed_relation_leaves_an_event(any_session: Any) -> None:
    party = make.make_party(any_session)
    assert change_relation(any_session, CLI, party, "partner")
    assert not change_relation(any_session, CLI, party, "partner")
    any_session.flush()
    event = any_session.scalars(select(Event).where(Event.verb == "party.relation_changed")).one()
    assert (event.old_state, event.new_state, event.subject_id) == ("third", "partner", party.id)
