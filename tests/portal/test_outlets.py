"""Member outlets: grant kind, dates and statements are always in sight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask

from service.extensions import db
from tests.factories import make_channel, make_mandate, make_outlet, make_party, make_reservation, make_work
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def test_the_list_always_shows_the_kind_of_grant(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        session = db.session()
        for kind in ("assignment", "exclusive", "plain", "agency"):
            make_mandate(session, make_outlet(session), grant_kind=kind, may_enforce=kind == "exclusive")
        make_outlet(session, name="没有授权书的报")
        make_mandate(session, make_outlet(session), valid_to=date(2025, 6, 1))
        session.commit()
    page = log_in(any_app, "registrar").get("/desk/outlets").text
    for words in ("转让", "专有许可", "普通许可", "代理", "可以自己名义", "须以媒体名义"):
        assert words in page, words
    assert page.count("没有有效授权书") == 2
    assert "声明尚未录入" in page


def test_an_outlet_shows_mandates_statements_channels_and_works(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        session = db.session()
        outlet = make_outlet(session, code="XLRB", name="雪岭日报")
        make_mandate(session, outlet, forms=["text", "photograph"])
        make_reservation(session, outlet=outlet, text="本报稿件未经许可不得转载。")
        make_reservation(session, text="本中心统一声明。")
        make_channel(session, "www.xueling.example", party=make_party(session, relation="own", outlet=outlet))
        make_work(session, outlet=outlet)
        session.commit()
    page = log_in(any_app, "auditor").get("/desk/outlets/XLRB").text
    for words in ("雪岭日报", "文字、摄影", "本报稿件未经许可", "本中心统一声明", "xueling.example", "已登记"):
        assert words in page, words


def test_without_a_mandate_today_the_page_warns(app: Flask, log_in: LogIn) -> None:
    with app.app_context():
        code = make_outlet(db.session()).code
        db.session.commit()
    assert "今天没有有效的授权书" in log_in(app, "rights").get(f"/desk/outlets/{code}").text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_and_statements_are_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    with app.app_context():
        outlet = make_outlet(db.session(), name=payload)
        make_reservation(db.session(), outlet=outlet, text=payload)
        db.session.commit()
        code = outlet.code
    client = log_in(app, "registrar")
    for url in ("/desk/outlets", f"/desk/outlets/{code}"):
        assert dangers(fetch(client, url).text) == [], url


def test_an_unknown_outlet_is_not_found(any_app: Flask, log_in: LogIn) -> None:
    client = log_in(any_app, "registrar")
    assert client.get("/desk/outlets/NONE").status_code == 404
    assert client.get("/desk/outlets/%00").status_code == 404
    assert "还没有媒体" in client.get("/desk/outlets").text
