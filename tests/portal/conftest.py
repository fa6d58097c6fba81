"""Clients of the portal. Every page that a test opens is checked for what our CSP forbids.

`log_in(app, "rights")` gives a client logged in as a person of that role, on any application (SQLite or PostgreSQL);
`client` is a stranger on SQLite, `admin` the administrator. `client.submit(url, {...})` posts a form with its token.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.accounts.models import Role, User, WebSession
from service.accounts.sessions import PREFIX, hash_token
from service.clock import utc_now
from service.extensions import db

INLINE = re.compile(r"<[a-z][^>]*\s(?:style|on[a-z]+)\s*=", re.IGNORECASE)
SCRIPT = re.compile(r"<script(?![^>]*\snonce=\"[^\"]{16,}\")", re.IGNORECASE)


class PortalClient(FlaskClient):
    """A browser without JavaScript that notices what a strict CSP would refuse."""

    csrf = ""
    user_id = 0

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """The response; pages are checked on the way."""
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code not in (301, 302, 303, 307, 308):
            page = response.get_data(as_text=True)
            assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
            assert not INLINE.search(page), INLINE.search(page)
            assert not SCRIPT.search(page), "script without nonce"
            assert page.count("<h1") == 1, f"{page.count('<h1')} headings of level 1"
        return response

    def token(self) -> str:
        """The form token of this login."""
        secret = self.application.config["SECRET_KEY"]
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(self.csrf))

    def submit(self, url: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Posts a form with its token."""
        return self.post(url, data={"csrf_token": self.token(), **(data or {})}, **kwargs)


def make_person(app: Flask, *roles: str, name: str = "测试员") -> int:
    """A user with these roles and no usable password; returns the id."""
    with app.app_context():
        found = [db.session.scalars(select(Role).where(Role.name == role)).first() or Role(name=role) for role in roles]
        mark = secrets.token_hex(4)
        user = User(
            email=f"{mark}@yinji.example", name=name, active=True, fs_uniquifier=secrets.token_hex(32), roles=found
        )
        db.session.add(user)
        db.session.commit()
        return user.id


def log_in(app: Flask, *roles: str) -> PortalClient:
    """A client that is logged in as a new person of these roles (by a session row: hashing passwords takes its time)."""
    user_id = make_person(app, *roles)
    token, csrf, now = secrets.token_urlsafe(32), secrets.token_hex(20), utc_now()
    with app.app_context():
        user = db.session.get_one(User, user_id)
        data = {"_user_id": user.fs_uniquifier, "_fresh": True, "csrf_token": csrf}
        db.session.add(
            WebSession(
                token_sha256=hash_token(token),
                user_id=user_id,
                data=TaggedJSONSerializer().dumps(data),
                created_at=now,
                seen_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
        db.session.commit()
    client = make_client(app)
    client.csrf, client.user_id = csrf, user_id
    client.set_cookie("yinji", PREFIX + token)
    return client


def make_client(app: Flask) -> PortalClient:
    """A stranger's client."""
    app.test_client_class = PortalClient
    client = app.test_client()
    assert isinstance(client, PortalClient)
    return client


@pytest.fixture(name="log_in")
def log_in_fixture() -> Callable[..., PortalClient]:
    """`log_in(app, *roles)` for tests that choose the application and the role."""
    return log_in


@pytest.fixture
def client(app: Flask) -> PortalClient:
    """A stranger."""
    return make_client(app)


@pytest.fixture
def admin(app: Flask) -> PortalClient:
    """The administrator."""
    return log_in(app, "admin")


@pytest.fixture
def any_admin(any_app: Flask) -> PortalClient:
    """The administrator, once on SQLite and once on PostgreSQL."""
    return log_in(any_app, "admin")
