"""Parties outside: their channels, licences and the flags on their hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape

from service.extensions import db
from tests.factories import (
    NOW,
    make_channel,
    make_flag,
    make_licence,
    make_match,
    make_page,
    make_party,
    make_sighting,
    make_work,
)
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def test_a_party_shows_channels_licences_and_flags_on_its_subdomains(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        session = db.session()
        party = make_party(session, name="晨谷资讯")
        make_channel(session, "chengu.example", party=party)
        licence = make_licence(session, party=party)
        numbers = []
        for host in ("news.chengu.example", "notchengu.example"):
            sighting = make_sighting(session, page=make_page(session, f"https://{host}/1"), seen_at=NOW)
            numbers.append(make_flag(session, make_match(session, make_work(session), sighting)).number)
        session.commit()
        party_id, licence_number = party.id, licence.number
    page = log_in(any_app, "rights").get(f"/desk/parties/{party_id}").text
    for words in ("晨谷资讯", "chengu.example", licence_number, numbers[0]):
        assert words in page, words
    assert numbers[1] not in page, "a name that only ends alike is another site"


def test_parties_are_found_by_name_and_by_channel(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        session = db.session()
        make_channel(session, "chengu.example", party=make_party(session, name="晨谷资讯"))
        make_party(session, name="图图头条")
        session.commit()
    client = log_in(any_app, "licensing")
    for query in ("q=晨谷", "q=chengu.ex"):
        page = client.get(f"/desk/parties?{query}").text
        assert "晨谷资讯" in page
        assert "图图头条" not in page
    assert "没有符合条件的使用方" in client.get("/desk/parties?relation=partner").text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_are_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    with app.app_context():
        party = make_party(db.session(), name=payload)
        db.session.commit()
        party_id = party.id
    client = log_in(app, "rights")
    for url in ("/desk/parties", f"/desk/parties/{party_id}"):
        page = fetch(client, url).text
        assert dangers(page) == [], url
        assert escape(payload) in page


def test_an_unknown_party_is_not_found(app: Flask, log_in: LogIn) -> None:
    client = log_in(app, "rights")
    assert client.get("/desk/parties/9").status_code == 404
    assert client.get("/desk/parties/99999999999999999999").status_code == 404
    assert "还没有使用方" in client.get("/desk/parties").text
