"""The frame of every page: headers, errors, language and theme, and the pages of the shell itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from service import audit, jobs
from service.app import create_app
from service.clock import utc_now
from service.config import load
from service.errors import BadInput, Conflict, NotFound, Refused
from service.extensions import db
from service.licences.models import Switch
from tests import factories
from tests.portal.conftest import make_client

NASTY = '<script>alert(1)</script>"onerror=x {{7*7}}'


def policy(response: Any) -> dict[str, str]:
    parts = response.headers["Content-Security-Policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


def test_every_page_carries_a_strict_policy_with_a_fresh_nonce(client: Any) -> None:
    first, second = client.get("/"), client.get("/")
    rules = policy(first)
    assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'"
    assert rules["img-src"] == "'self' data:" and rules["form-action"] == "'self'" and rules["base-uri"] == "'none'"
    nonce = re.search(r"'nonce-([^']+)'", rules["script-src"])
    assert nonce and f'nonce="{nonce[1]}"' in first.text and nonce[1] not in second.text
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in first.headers


def test_production_sends_hsts_secure_cookies_and_answers_only_to_its_hosts(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YINJI_ENV", "production")
    monkeypatch.setenv("YINJI_TRUSTED_HOSTS", "yinji.example")
    client = make_client(create_app(load()))
    answer = client.get("/login", headers={"Host": "yinji.example"}, base_url="https://yinji.example")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Secure" in next(value for name, value in answer.headers if name == "Set-Cookie")
    wrong = client.get("/login", headers={"Host": "evil.example"})
    assert wrong.status_code == 400 and "evil.example" not in wrong.text


def test_a_strangers_page_sets_no_cookie(client: Any) -> None:
    for address in ("/", "/statement", "/nowhere"):
        assert "Set-Cookie" not in client.get(address).headers, address


def test_english_is_one_click_away_and_stays(client: Any) -> None:
    assert '<html lang="zh-Hans"' in client.get("/").text
    answer = client.get("/locale?to=en&next=/statement")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/statement")
    assert '<html lang="en"' in client.get("/statement").text
    assert client.get("/locale?to=fr").status_code == 400


def test_the_theme_is_kept_and_nothing_else_is_accepted(client: Any) -> None:
    client.get("/theme?to=dark")
    assert 'data-bs-theme="dark"' in client.get("/").text
    client.set_cookie("theme", '"><script>')
    assert 'data-bs-theme="light"' in client.get("/").text
    assert client.get("/theme?to=pink").status_code == 400


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("覆盖率应为 0–100。", "min"), 422),
        (NotFound("没有这条线索。"), 404),
        (Conflict("同事刚刚改过。"), 409),
        (Refused("地址不能访问。"), 400),
        (BadInput(NASTY), 422),
    ],
)
def test_domain_errors_become_pages_and_json(app: Flask, client: Any, error: Exception, status: int) -> None:
    def fail() -> None:
        raise error

    app.view_functions["portal.statement"] = fail
    page = client.get("/statement")
    assert page.status_code == status
    assert "<script>alert" not in page.text and ("49" not in page.text or "{{7*7}}" in page.text)
    as_json = client.get("/statement", headers={"Accept": "application/json"})
    assert as_json.status_code == status and as_json.json["error"] == error.message  # type: ignore[attr-defined]  # JSON is Any | None
    assert as_json.json.get("field") == getattr(error, "field", None)


@pytest.mark.parametrize("words", ["database is locked", "database or disk is full"])
def test_a_busy_or_full_database_is_503_and_says_when_to_try_again(app: Flask, client: Any, words: str) -> None:
    def fail() -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError(words))

    app.view_functions["portal.home"] = fail
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert words not in answer.text


def test_a_lost_database_is_still_answered_with_a_page(app: Flask, client: Any) -> None:
    with app.app_context():
        db.engine.dispose()

        def refuse(*_: object) -> None:
            raise sqlite3.OperationalError("unable to open database file")

        event.listen(db.engine, "do_connect", refuse)
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    client.set_cookie("yinji", "t~anything")
    answer = client.get("/desk")
    assert answer.status_code == 500 and "系统出错了" in answer.text
    assert "Traceback" not in answer.text and "unable to open" not in answer.text


def test_an_unforeseen_error_tells_the_visitor_nothing(app: Flask, client: Any) -> None:
    app.view_functions["portal.home"] = lambda: 1 / 0
    answer = client.get("/")
    assert answer.status_code == 500 and "division" not in answer.text


def test_a_form_without_token_explains_itself(client: Any) -> None:
    answer = client.post("/login", data={"email": "a@b.example"})
    assert answer.status_code == 400 and "页面已过期" in answer.text


def test_too_much_is_refused_before_it_is_read(client: Any) -> None:
    answer = client.post("/login", content_length=65_000_000, input_stream=None)
    assert answer.status_code == 413
    many = client.post("/login", data={f"f{number}": "x" for number in range(1001)}, content_type="multipart/form-data")
    assert many.status_code == 413


def test_health_and_figures_are_for_machines(client: Any) -> None:
    assert client.get("/healthz").json == {"ok": True}
    text = client.get("/metrics").text
    assert 'yinji_requests_total{endpoint="portal.healthz",status="200"} 1.0' in text


def test_assets_change_their_address_with_their_content_and_are_kept(client: Any) -> None:
    page = client.get("/").text
    sheets = re.findall(r'href="(/static/css/[^"]+)"', page)
    assert len(sheets) == 5
    for sheet in sheets:
        answer = client.get(sheet)
        assert answer.status_code == 200 and "max-age=31536000" in answer.headers["Cache-Control"]


def test_pages_fetch_nothing_from_elsewhere(client: Any) -> None:
    for address in ("/", "/login"):
        assert not re.search(r'(?:src|href)="(?:https?:)?//', client.get(address).text)


def test_the_statement_shows_date_and_source_and_escapes_what_was_typed(any_app: Flask) -> None:
    with any_app.app_context():
        factories.make_reservation(db.session(), text=f"未经许可不得转载。\n{NASTY}", address="javascript:alert(1)")
        db.session.commit()
    page = make_client(any_app).get("/statement").text
    assert "未经许可不得转载。" in page and "<script>alert" not in page and 'href="javascript' not in page


def test_an_empty_desk_says_so_and_warns_about_historic_licences(any_app: Flask, log_in: Callable[..., Any]) -> None:
    page = log_in(any_app, "rights").get("/desk").text
    assert "眼下没有事等您处理" in page and "历史许可尚未确认全部录入" in page
    with any_app.app_context():
        db.session.add(Switch(name="historic_licences_loaded", is_on=True))
        db.session.commit()
    assert "历史许可尚未确认全部录入" not in log_in(any_app, "rights").get("/desk").text


def test_the_desk_counts_what_waits(any_app: Flask, log_in: Callable[..., Any]) -> None:
    person = log_in(any_app, "rights")
    with any_app.app_context():
        session = db.session()
        factories.make_flag(session, severity=90)
        factories.make_flag(session, severity=10)
        factories.make_flag(session, state="reviewing", claimed_by_id=person.user_id)
        jobs.enqueue(session, "index.seal", "dead", queue="index").state = "dead"
        session.commit()
    page = person.get("/desk").text
    assert "有 3 类事等您处理" in page and "其中 1 条重大" in page
    assert 'class="count">2<' in page and "项后台任务多次失败" in page


def test_the_desk_takes_few_queries_however_much_there_is(app: Flask, log_in: Callable[..., Any]) -> None:
    person = log_in(app, "rights")
    asked: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: asked.append(sql))

    def queries() -> int:
        asked.clear()
        assert person.get("/desk").status_code == 200
        return len([sql for sql in asked if sql.startswith("SELECT")])

    with app.app_context():
        for _ in range(3):
            factories.make_flag(db.session())
        db.session.commit()
    few = queries()
    with app.app_context():
        for _ in range(20):
            factories.make_flag(db.session())
        db.session.commit()
    assert queries() == few <= 12


def test_a_dead_job_is_shown_with_its_reason_and_sent_again(any_admin: Any) -> None:
    app = any_admin.application
    with app.app_context():
        job = jobs.enqueue(db.session(), "screening.visit", "visit:1", queue="screening")
        job.state, job.error = "dead", f"Traceback\nFetchFailed: {NASTY}"
        db.session.commit()
        job_id = job.id
    page = any_admin.get("/desk/jobs").text
    assert "screening.visit" in page and "FetchFailed" in page and "<script>alert" not in page
    assert any_admin.submit(f"/desk/jobs/{job_id}/retry").status_code == 302
    assert "已重新排队" in any_admin.get("/desk/jobs").text
    with app.app_context():
        assert db.session.get_one(jobs.Job, job_id).state == "queued"
    assert any_admin.submit(f"/desk/jobs/{job_id}/retry").status_code == 409
    assert any_admin.submit("/desk/jobs/999/retry").status_code == 404


def test_the_audit_list_filters_and_pages(any_app: Flask, log_in: Callable[..., Any]) -> None:
    auditor = log_in(any_app, "auditor")
    with any_app.app_context():
        job = jobs.enqueue(db.session(), "index.seal", "k", queue="index")
        for number in range(60):
            audit.record(
                db.session(), audit.CLI, "flag.confirmed" if number == 7 else "work.registered", job, reason=NASTY
            )
        db.session.commit()
        audit.seal_events(db.session())
        db.session.commit()
    first = auditor.get("/desk/audit").text
    assert first.count("work.registered") == 50 and "<script>alert" not in first
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    assert auditor.get(older[1].replace("&amp;", "&")).text.count("<b>work.registered") == 9
    assert auditor.get("/desk/audit?verb=flag.").text.count("<b>flag.confirmed") == 1
    assert "没有符合条件的事件" in auditor.get("/desk/audit?subject=x").text
    assert auditor.get("/desk/audit?after=zzz").status_code == 422


def test_each_person_sees_only_ways_that_are_open(app: Flask, log_in: Callable[..., Any], client: Any) -> None:
    def ways(visitor: Any, address: str = "/") -> set[str]:
        return set(re.findall(r'<li><a href="([^"]+)"', visitor.get(address).text))

    assert "/desk" not in ways(client)
    assert "/desk/audit" in ways(log_in(app, "auditor")) and "/desk/audit" not in ways(log_in(app, "registrar"))
    assert ways(log_in(app, "applicant")) == ways(client)


def test_an_applicant_who_opens_the_desk_is_led_home(app: Flask, log_in: Callable[..., Any]) -> None:
    assert log_in(app, "applicant").get("/desk").headers["Location"] == "/"


def test_the_last_round_counts_pages_by_outcome(any_app: Flask, log_in: Callable[..., Any]) -> None:
    with any_app.app_context():
        session = db.session()
        old = factories.make_scan(session, started_at=utc_now() - timedelta(days=3))
        factories.make_sighting(session, scan=old, outcome="failed")
        new = factories.make_scan(session, started_at=utc_now())
        for outcome in ("no_match", "no_match", "permitted"):
            factories.make_sighting(session, scan=new, outcome=outcome, seen_at=utc_now())
        session.commit()
    page = log_in(any_app, "rights").get("/desk").text
    assert re.search(r"<dt>查看页面</dt><dd>3</dd>", page) and re.search(r"<dt>读取失败</dt><dd>0</dd>", page)


@pytest.mark.parametrize(("proxies", "seen"), [("0", "127.0.0.1"), ("1", "203.0.113.9")])
def test_a_forwarded_address_counts_only_behind_a_proxy_that_is_named(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, proxies: str, seen: str
) -> None:
    monkeypatch.setenv("YINJI_PROXIES", proxies)
    app = make_app("sqlite")
    seen_by_the_app: list[str | None] = []
    app.before_request(lambda: seen_by_the_app.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.9"})
    assert seen_by_the_app == [seen]


def test_only_marked_files_are_kept_by_browsers(client: Any) -> None:
    marked = client.get("/static/js/keys.js?v=1").headers["Cache-Control"]
    plain = client.get("/static/js/keys.js").headers["Cache-Control"]
    assert "max-age=31536000" in marked and plain == "no-cache"
