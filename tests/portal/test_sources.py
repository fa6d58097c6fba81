"""Sources and scans: what is watched, a scan's ledger and its progress."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from service.extensions import db
from service.jobs import Job
from service.sightings.models import OUTCOMES, Scan, Source
from tests.factories import (
    NOW,
    make_flag,
    make_match,
    make_page,
    make_party,
    make_scan,
    make_sighting,
    make_source,
    make_work,
)
from tests.portal.escaping import PAYLOADS, dangers, fetch

LogIn = Callable[..., Any]


def count(app: Flask, model: Any) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_public_address_becomes_a_source(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        party_id = make_party(db.session(), name="晨谷资讯").id
        db.session.commit()
    client = log_in(any_app, "rights")
    data = {"name": "晨谷", "address": "http://93.184.215.14/News", "kind": "site", "party_id": party_id}
    answer = client.submit("/desk/sources/new", data)
    assert answer.status_code == 302, answer.text
    page = client.get(answer.location).text
    assert "93.184.215.14/News" in page
    assert "晨谷资讯" in page
    assert "尚未扫描" in page
    again = client.submit("/desk/sources/new", data)
    assert again.status_code == 422
    assert "已在监测之列" in again.text


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://10.0.0.7/",
        "http://169.254.169.254/latest/",
        "http://100.100.100.200/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost/",
        "http://93.184.215.14:22/",
        "http://a:b@93.184.215.14/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//93.184.215.14/",
        "不是网址",
        "http://no-such-name.invalid/",
        "",
        "http://93.184.215.14/" + "a" * 3000,
    ],
)
def test_an_address_that_must_not_be_fetched_is_refused_beside_its_field(
    app: Flask, log_in: LogIn, address: str
) -> None:
    client = log_in(app, "rights")
    answer = client.submit("/desk/sources/new", {"name": "站", "address": address, "kind": "site", "party_id": ""})
    assert answer.status_code == 422
    assert 'id="address-error"' in answer.text
    assert count(app, Source) == 0


def test_scan_now_starts_one_scan_however_often_it_is_pressed(any_app: Flask, log_in: LogIn) -> None:
    with any_app.app_context():
        source_id = make_source(db.session()).id
        db.session.commit()
    client = log_in(any_app, "rights")
    first = client.submit(f"/desk/sources/{source_id}/scan")
    second = client.submit(f"/desk/sources/{source_id}/scan")
    assert first.status_code == 302
    assert first.location == second.location
    assert (count(any_app, Scan), count(any_app, Job)) == (1, 1)
    page = client.get(first.location).text
    assert "<progress" in page
    assert "刷新" in page


def plant_scan(app: Flask, **titles: str) -> int:
    """A finished scan with one page of each outcome."""
    with app.app_context():
        session = db.session()
        scan = make_scan(session, discovered=len(OUTCOMES))
        for outcome in OUTCOMES:
            page = make_page(session)
            sighting = make_sighting(
                session, page=page, scan=scan, outcome=outcome, reason=f"因为{outcome}", seen_at=NOW, **titles
            )
            if outcome == "flagged":
                make_flag(session, make_match(session, make_work(session), sighting))
        session.commit()
        return scan.id


def test_a_scan_is_a_ledger_with_outcomes_and_reasons(any_app: Flask, log_in: LogIn) -> None:
    scan_id = plant_scan(any_app)
    client = log_in(any_app, "rights")
    page = client.get(f"/desk/scans/{scan_id}").text
    for words in ("因为failed", "因为skipped", "疑似转载", "许可内使用", "F26-"):
        assert words in page, words
    filtered = client.get(f"/desk/scans/{scan_id}?outcome=failed").text
    assert "因为failed" in filtered
    assert "因为skipped" not in filtered
    assert f"/desk/scans/{scan_id}" in client.get("/desk/scans").text


def test_the_status_counts_every_outcome(any_app: Flask, log_in: LogIn) -> None:
    scan_id = plant_scan(any_app)
    state = log_in(any_app, "auditor").get(f"/desk/scans/{scan_id}/status").get_json()
    assert state["state"] == "running"
    assert {outcome: state[outcome] for outcome in OUTCOMES} == dict.fromkeys(OUTCOMES, 1)
    assert (state["total"], state["done"]) == (len(OUTCOMES), len(OUTCOMES) - 1)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_pages_say_is_only_text(app: Flask, log_in: LogIn, payload: str) -> None:
    scan_id = plant_scan(app, title=payload)
    with app.app_context():
        make_source(db.session(), name=payload)
        db.session.commit()
    client = log_in(app, "rights")
    for url in (f"/desk/scans/{scan_id}", "/desk/scans", "/desk/sources"):
        assert dangers(fetch(client, url).text) == [], url


def test_links_to_other_sites_tell_them_nothing(app: Flask, log_in: LogIn) -> None:
    scan_id = plant_scan(app)
    client = log_in(app, "rights")
    for url in (f"/desk/scans/{scan_id}", "/desk/sources"):
        for link in re.findall(r'<a [^>]*href="https?://[^>]*>', client.get(url).text):
            assert 'rel="noopener noreferrer nofollow"' in link


def test_empty_pages_say_what_comes_next(app: Flask, log_in: LogIn) -> None:
    client = log_in(app, "rights")
    assert "还没有监测源" in client.get("/desk/sources").text
    assert "还没有扫描过" in client.get("/desk/scans").text
    assert client.get("/desk/scans/7").status_code == 404
    assert client.get("/desk/scans/99999999999999999999/status").status_code == 404
