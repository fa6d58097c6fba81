"""Server-side sessions: a visitor has only a signed cookie; from login on the session is a row in `web_sessions`.

A signed cookie cannot be taken back: a copy of it would still work after logout. So a login lives in the database, the
cookie holds a random 256-bit token and the row its SHA-256. The token is new at each login (no fixation) and the row
goes at logout. An anonymous GET never writes a row. Rows are written in short transactions of their own, after the
view's has ended, so that a page that only reads stays a reader.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from service.accounts.models import User, WebSession
from service.clock import utc_now
from service.extensions import db, write_intent

IDLE = timedelta(hours=12)
"""A working day: who comes back the next morning logs in again."""
ABSOLUTE = timedelta(days=7)
"""However busy, a stolen cookie ends within a week."""
TOUCH_EVERY = timedelta(minutes=10)
"""How exactly idleness is known; a shorter time would turn every page view into a write."""
PREFIX = "t~"
"""Marks a cookie that holds a token. A signed cookie starts with the URL-safe base64 of its JSON, never with this."""

_serializer = TaggedJSONSerializer()
_rows: Table = WebSession.__table__  # type: ignore[assignment]  # declared as FromClause, is a Table
_users: Table = User.__table__  # type: ignore[assignment]  # declared as FromClause, always a Table here


class WebSessionData(SecureCookieSession):
    """What views see as `flask.session`. `row_id` is None for a visitor; `owner` is the login that the row belongs to."""

    row_id: int | None = None
    owner: str | None = None
    seen_at: datetime | None = None


class WebSessionInterface(SecureCookieSessionInterface):
    """Opens and saves sessions: signed cookies for visitors, rows for people who are logged in."""

    session_class = WebSessionData

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of this request. An unknown, revoked or expired token gives an empty one (logged out)."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if cookie.startswith(PREFIX):
            return _load(cookie.removeprefix(PREFIX), utc_now())
        session = super().open_session(app, request)
        if session is not None:
            session.pop("_user_id", None)  # a login is never believed from a signed cookie
        return session

    def save_session(self, app: Flask, session: SessionMixin | None, response: Response) -> None:
        """Writes what changed. `session` is None when the request failed before it had one (database away)."""
        if not isinstance(session, WebSessionData):
            return
        owner = session.get("_user_id")
        if owner is None:
            if session.row_id is not None:
                with _short_transaction() as connection:
                    connection.execute(delete(_rows).where(_rows.c.id == session.row_id))
            super().save_session(app, session, response)
            return
        response.vary.add("Cookie")
        if owner != session.owner:
            token = _start(session, owner, utc_now())
            response.set_cookie(
                self.get_cookie_name(app),
                PREFIX + token,
                httponly=True,
                secure=self.get_cookie_secure(app),
                samesite="Lax",
                path=self.get_cookie_path(app),
            )
        else:
            _touch(session, utc_now())


def hash_token(token: str) -> str:
    """SHA-256 of a session token, as the database holds it (64 hex digits)."""
    return hashlib.sha256(token.encode()).hexdigest()


def revoke_sessions(session: Session, user_id: int) -> None:
    """Ends all logins of a user, on every browser."""
    session.execute(delete(WebSession).where(WebSession.user_id == user_id))


def _load(token: str, now: datetime) -> WebSessionData:
    reader = write_intent.set(False)  # this read must not queue behind writers
    try:
        with db.engine.connect() as connection:
            row = connection.execute(
                select(_rows.c.id, _rows.c.data, _rows.c.seen_at, _rows.c.expires_at, _users.c.fs_uniquifier)
                .join(_users, _users.c.id == _rows.c.user_id)
                .where(_rows.c.token_sha256 == hash_token(token), _users.c.active)
            ).first()
    finally:
        write_intent.reset(reader)
    if row is not None and row.expires_at > now and row.seen_at + IDLE > now:
        session = WebSessionData(_serializer.loads(row.data))
        session.row_id, session.seen_at, session.owner = row.id, row.seen_at, session.get("_user_id")
        if session.owner == row.fs_uniquifier:  # it changes with the password: older logins end
            return session
    session = WebSessionData()
    session.modified = True  # so that the dead cookie is taken away
    return session


def _start(session: WebSessionData, owner: str, now: datetime) -> str:
    """A new row for this login; the row before it and all expired ones go. Returns the new token."""
    token = secrets.token_urlsafe(32)
    session["csrf_token"] = secrets.token_hex(20)  # form tokens of the time before the login end with it
    with _short_transaction() as connection:
        connection.execute(delete(_rows).where((_rows.c.id == session.row_id) | (_rows.c.expires_at <= now)))
        user_id = connection.execute(select(_users.c.id).where(_users.c.fs_uniquifier == owner)).scalar_one()
        connection.execute(
            insert(_rows).values(
                token_sha256=hash_token(token),
                user_id=user_id,
                data=_data(session),
                created_at=now,
                seen_at=now,
                expires_at=now + ABSOLUTE,
            )
        )
    return token


def _touch(session: WebSessionData, now: datetime) -> None:
    values: dict[str, Any] = {}
    if session.modified:
        values["data"] = _data(session)
    if session.seen_at is None or now - session.seen_at >= TOUCH_EVERY:
        values["seen_at"] = now
    if values:
        with _short_transaction() as connection:
            connection.execute(update(_rows).where(_rows.c.id == session.row_id).values(values))


def _data(session: WebSessionData) -> str:
    return str(_serializer.dumps(dict(session)))


@contextmanager
def _short_transaction() -> Iterator[Connection]:
    """A write of its own. The view's session ends first: SQLite has one writer, and it would wait for itself."""
    db.session.rollback()
    writer = write_intent.set(True)
    try:
        with db.engine.begin() as connection:
            yield connection
    finally:
        write_intent.reset(writer)
