"""Where HTTP meets the house: the view's commit, safe ways back, security headers, read or write intent."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, current_app, g, request

from service.broker import commit_and_publish
from service.extensions import db, write_intent

READERS = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


def commit() -> None:
    """The last step of a view that changed something: commits, then sends what the commit made due."""
    commit_and_publish(db.session(), current_app.extensions["yinji_celery"])


def wants_json() -> bool:
    """True when the client asks for JSON rather than a page (our own scripts do, in the Accept header)."""
    accepts = request.accept_mimetypes
    return accepts["application/json"] > accepts["text/html"]


def is_local_path(target: str) -> bool:
    """True for a path on this site, as `/desk?x=1`. Browsers read `//x`, `/\\x` and controls as ways to other sites."""
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return False
    if any(ord(character) <= 32 or ord(character) == 127 for character in target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def local_path(target: str | None, otherwise: str = "/") -> str:
    """`target` when it stays on this site, else `otherwise`."""
    return target if target and is_local_path(target) else otherwise


def is_loopback() -> bool:
    """True when the request comes from this machine itself and no proxy says that it speaks for somebody else."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def set_nonce() -> None:
    """A fresh nonce for each request. Before CSRFProtect: its refusal shows a page, and pages name the nonce."""
    g.nonce = secrets.token_urlsafe(18)


def set_headers(response: Response) -> Response:
    """Headers of every response: only our own scripts and styles run, nobody frames us, nothing is guessed."""
    headers = response.headers
    headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{g.get('nonce', '')}'",
            "style-src 'self'",
            "img-src 'self' data:",  # Bootstrap's style sheet holds data: images
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.config["YINJI"].is_production:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint not in ("static", "bootstrap.static"):
        headers.setdefault("Cache-Control", "private, no-cache")
    return response


class WriteIntent:
    """WSGI layer: GET, HEAD and OPTIONS begin as readers in SQLite, before even the session is opened."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        intent = write_intent.set(environ.get("REQUEST_METHOD") not in READERS)
        try:
            return self.inner(environ, start_response)
        finally:
            write_intent.reset(intent)


def asset_age(_name: str | None) -> int | None:
    """Seconds a browser may keep a static file: a year with the mark of its content, else it asks each time.

    Modules import one another without a mark.
    """
    return 31_536_000 if "v" in request.args else None


def assets(app: Flask) -> dict[str, Any]:
    """`asset(name)` for templates: the address of a file in static/, with a mark that changes when the file does."""
    known: dict[str, str] = {}

    def asset(name: str) -> str:
        """Address of a static file of ours."""
        if name not in known or app.debug:
            assert app.static_folder is not None
            mark = int(Path(app.static_folder, name).stat().st_mtime)
            known[name] = f"{app.static_url_path}/{name}?v={mark:x}"
        return known[name]

    return {"asset": asset}
