"""Logging in and out: server-side sessions, limits, safe ways back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from service.accounts import limits, sessions
from service.accounts.models import LoginAttempt, User, WebSession
from service.accounts.operations import add_user, deactivate_user
from service.audit import CLI
from service.clock import utc_now
from service.extensions import db, write_intent
from tests.portal.conftest import make_client

EMAIL, PASSWORD = "rights@yinji.example", "a long enough phrase"


@pytest.fixture
def member(any_app: Flask) -> Flask:
    """The application with one real account."""
    with any_app.app_context():
        add_user(db.session(), CLI, EMAIL, ["rights"], name="维权员甲", password=PASSWORD)
        db.session.commit()
    return any_app


def form_token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


def post_login(client: Any, email: str = EMAIL, password: str = PASSWORD, **more: str) -> Any:
    token = form_token(client.get("/login").text)
    return client.post("/login", data={"email": email, "password": password, "csrf_token": token, **more})


def cookie(client: Any) -> str:
    found = client.get_cookie("yinji")
    return found.value if found else ""


def count(app: Flask, model: type[Any]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_login_makes_a_row_and_the_database_does_not_hold_the_token(member: Flask) -> None:
    client = make_client(member)
    client.get("/")
    client.get("/login")
    before = cookie(client)
    assert count(member, WebSession) == 0, "a stranger's GET wrote a session row"
    answer = post_login(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk")
    assert cookie(client).startswith(sessions.PREFIX) and cookie(client) != before
    with member.app_context():
        row = db.session.scalars(select(WebSession)).one()
        assert row.token_sha256 == sessions.hash_token(cookie(client).removeprefix(sessions.PREFIX))
        assert cookie(client).removeprefix(sessions.PREFIX) not in row.data
    assert client.get("/desk").status_code == 200
    header = next(value for name, value in answer.headers if name == "Set-Cookie")
    assert "HttpOnly" in header and "SameSite=Lax" in header


def test_an_old_cookie_does_not_work_after_logout(member: Flask) -> None:
    client = make_client(member)
    post_login(client)
    old = cookie(client)
    page = client.get("/desk").text
    assert client.post("/logout", data={"csrf_token": form_token(page)}).status_code == 302
    assert count(member, WebSession) == 0
    thief = make_client(member)
    thief.set_cookie("yinji", old)
    assert thief.get("/desk").headers["Location"].startswith("/login")
    assert not cookie(thief).startswith(sessions.PREFIX), "the dead cookie was kept"


def test_logging_in_again_changes_the_token(member: Flask) -> None:
    client = make_client(member)
    post_login(client)
    first = cookie(client)
    client.post("/logout", data={"csrf_token": form_token(client.get("/desk").text)})
    post_login(client)
    assert cookie(client) != first


def test_a_signed_cookie_that_claims_a_login_is_not_believed(member: Flask) -> None:
    with member.app_context():
        owner = db.session.scalars(select(User.fs_uniquifier)).one()
    signer = sessions.SecureCookieSessionInterface().get_signing_serializer(member)
    assert signer is not None
    client = make_client(member)
    client.set_cookie("yinji", signer.dumps({"_user_id": owner, "_fresh": True}))
    assert client.get("/desk").headers["Location"].startswith("/login")


@pytest.mark.parametrize(
    ("change", "is_in"),
    [
        ({"seen_at": timedelta(minutes=5) - sessions.IDLE}, True),
        ({"seen_at": -sessions.IDLE}, False),
        ({"expires_at": -timedelta(seconds=1)}, False),
    ],
)
def test_sessions_end_when_idle_or_old(member: Flask, change: dict[str, timedelta], is_in: bool) -> None:
    client = make_client(member)
    post_login(client)
    with member.app_context():
        now = utc_now()
        db.session.execute(update(WebSession).values({column: now + offset for column, offset in change.items()}))
        db.session.commit()
    assert (client.get("/desk").status_code == 200) is is_in


def test_being_there_is_noted_at_most_every_ten_minutes(member: Flask) -> None:
    client = make_client(member)
    post_login(client)

    def seen() -> Any:
        with member.app_context():
            return db.session.scalars(select(WebSession.seen_at)).one()

    first = seen()
    client.get("/desk")
    assert seen() == first
    with member.app_context():
        db.session.execute(update(WebSession).values(seen_at=first - sessions.TOUCH_EVERY))
        db.session.commit()
    client.get("/desk")
    assert seen() > first - sessions.TOUCH_EVERY


def test_a_page_view_begins_no_writing_transaction(member: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(member)
    post_login(client)
    client.get("/desk")
    monkeypatch.setattr(sessions, "_short_transaction", lambda: pytest.fail("a page view wrote its session"))
    begun: list[str] = []
    with member.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: begun.append(sql))
        event.listen(db.engine, "begin", lambda _c: begun.append("write" if write_intent.get() else "read"))
    assert client.get("/desk").status_code == 200
    assert "read" in begun and "write" not in begun
    assert not [sql for sql in begun if sql.startswith(("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE"))]


def test_a_deactivated_account_is_out_at_once(member: Flask) -> None:
    client = make_client(member)
    post_login(client)
    with member.app_context():
        deactivate_user(db.session(), CLI, EMAIL)
        db.session.commit()
    assert client.get("/desk").status_code == 302
    assert "邮箱或密码不正确" in post_login(client).text


def test_unknown_mail_and_wrong_password_get_the_same_reply(member: Flask) -> None:
    def reply(email: str) -> str:
        client = make_client(member)
        page = post_login(client, email=email, password="not the right phrase").text
        return re.sub(r'value="[^"]*"|nonce="[^"]*"', "", page)

    assert reply(EMAIL) == reply("nobody@yinji.example")
    assert "邮箱或密码不正确" in reply(EMAIL)


def test_the_eleventh_failure_waits_and_says_for_how_long(member: Flask) -> None:
    client = make_client(member)
    for _ in range(limits.MAX_FAILURES):
        assert post_login(client, email="nobody@yinji.example", password="x" * 12).status_code == 200
    answer = post_login(client, email="nobody@yinji.example")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= limits.WINDOW.total_seconds()
    assert "15 分钟" in answer.text
    assert post_login(client).status_code == 429, "another account from the same address"
    assert count(member, LoginAttempt) == 2 * limits.MAX_FAILURES


def test_success_clears_the_account_and_does_not_count_against_the_address(member: Flask) -> None:
    client = make_client(member)
    for _ in range(limits.MAX_FAILURES - 1):
        post_login(client, password="x" * 12)
    assert post_login(client).status_code == 302
    with member.app_context():
        kinds = [name.partition(":")[0] for name in db.session.scalars(select(LoginAttempt.bucket))]
    assert kinds == ["ip"] * (limits.MAX_FAILURES - 1)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        " //evil.example",
        "http:evil.example",
        "/desk\r\nX: y",
    ],
)
def test_no_way_back_leads_to_another_site(member: Flask, target: str) -> None:
    client = make_client(member)
    assert client.get("/locale", query_string={"to": "en", "next": target}).headers["Location"] == "/"
    assert client.get("/theme", query_string={"to": "dark", "next": target}).headers["Location"] == "/"
    token = form_token(client.get("/login").text)
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token, "next": target}
    assert client.post("/login", query_string={"next": target}, data=form).status_code == 400
    assert client.post("/login", data=form).status_code == 400


def test_after_the_login_one_is_where_one_wanted_to_be(member: Flask) -> None:
    client = make_client(member)
    there = client.get("/desk?x=1").headers["Location"]
    assert there == "/login?next=/desk?x%3D1" or "next=%2Fdesk" in there or "next=/desk" in there
    page = client.get(there).text
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": form_token(page)}
    assert client.post(there, data=form).headers["Location"] == "/desk?x=1"


def test_changing_the_password_ends_the_other_logins(member: Flask, log_in: Callable[..., Any]) -> None:
    here, elsewhere = make_client(member), make_client(member)
    post_login(here)
    post_login(elsewhere)
    form = {
        "csrf_token": form_token(here.get("/change").text),
        "password": PASSWORD,
        "new_password": "another long phrase",
        "new_password_confirm": "another long phrase",
    }
    assert here.post("/change", data=form).status_code == 302
    assert here.get("/desk").status_code == 200
    assert elsewhere.get("/desk").status_code == 302


def test_a_short_new_password_is_refused_with_a_reason(member: Flask) -> None:
    client = make_client(member)
    post_login(client)
    form = {"csrf_token": form_token(client.get("/change").text), "password": PASSWORD}
    answer = client.post("/change", data={**form, "new_password": "short", "new_password_confirm": "short"})
    assert answer.status_code == 200 and "至少" in answer.text
