"""Licences, and the switch that every ruling depends on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from service.audit import Event
from service.clock import shanghai_date, utc_now
from service.extensions import db
from service.licences.facts import is_historic_loaded
from tests.factories import make_channel, make_licence, make_party, make_work
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def test_the_switch_is_set_explained_and_taken_back(any_app: Flask, log_in: LogIn) -> None:
    client = log_in(any_app, "licensing")
    assert "尚未标记为全部录入" in client.get("/desk/licences").text
    for is_on, words in (("1", "撤销标记"), ("0", "标记为全部录入")):
        answer = client.submit("/desk/licences/historic", {"is_on": is_on})
        assert answer.status_code == 302
        assert words in client.get(answer.location).text
        with any_app.app_context():
            assert is_historic_loaded(db.session()) is (is_on == "1")
    with any_app.app_context():
        events = db.session.scalars(select(Event).where(Event.verb == "switch.set").order_by(Event.id)).all()
        assert [(one.old_state, one.new_state, one.actor_id) for one in events] == [
            ("off", "on", client.user_id),
            ("on", "off", client.user_id),
        ]


def test_only_the_licensing_officer_may_set_it(app: Flask, log_in: LogIn) -> None:
    client = log_in(app, "rights")
    assert 'name="is_on"' not in client.get("/desk/licences").text
    assert client.submit("/desk/licences/historic", {"is_on": "1"}).status_code == 403
    assert log_in(app, "licensing").submit("/desk/licences/historic", {"is_on": "maybe"}).status_code == 422


def test_a_licence_shows_scope_channels_and_term(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        session = db.session()
        party = make_party(session, name="河口融媒")
        make_channel(session, "hekou.example", party=party)
        work = make_work(session, title="许可的作品")
        licence = make_licence(session, party=party, works=[work], reference="纸-2026-07", acts=["repost", "excerpt"])
        unknown = make_licence(session, party=party, reference="电话-1", valid_from=None, valid_to=None, acts=[])
        session.commit()
        ids = licence.id, unknown.id
    client = log_in(any_app, "finance")
    page = client.get(f"/desk/licences/{ids[0]}").text
    for words in ("河口融媒", "纸-2026-07", "许可的作品", "转载、摘编", "hekou.example", "2026-01-01", "第二十九条"):
        assert words in page, words
    assert client.get(f"/desk/licences/{ids[1]}").text.count("不详") >= 3
    assert "未载明" in client.get("/desk/licences").text


def test_expiring_soon_is_derived_from_today(any_app: Flask, log_in: LogIn) -> None:
    today = shanghai_date(utc_now())
    with any_app.app_context():
        session = db.session()
        for name, days in (("快到期的", 20), ("还早的", 200)):
            make_licence(
                session,
                party=make_party(session, name=name),
                all_channels=True,
                valid_from=today - timedelta(days=100),
                valid_to=today + timedelta(days=days),
            )
        session.commit()
    client = log_in(any_app, "licensing")
    page = client.get("/desk/licences").text
    assert page.count("state-warn") == 1
    page = client.get("/desk/licences?state=expiring").text
    assert "快到期的" in page
    assert "还早的" not in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_licence_says_is_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    with app.app_context():
        licence = make_licence(
            db.session(), party=make_party(db.session(), name=payload), reference=payload, all_channels=True
        )
        licence.note = licence.credit_text = payload
        db.session.commit()
        licence_id = licence.id
    client = log_in(app, "licensing")
    for url in ("/desk/licences", f"/desk/licences/{licence_id}"):
        assert dangers(fetch(client, url).text) == [], url


def test_an_unknown_licence_is_not_found(app: Flask, log_in: LogIn) -> None:
    client = log_in(app, "licensing")
    assert client.get("/desk/licences/99999999999999999999").status_code == 404
    assert "还没有许可" in client.get("/desk/licences").text
