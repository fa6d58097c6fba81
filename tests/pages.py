"""Fetched pages for tests, without a server."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from service.intake.page import Page

FETCHED_AT = datetime(2026, 3, 6, 2, 0, tzinfo=UTC)


def page_of(url: str, body: bytes, *, fetched_at: datetime = FETCHED_AT) -> Page:
    """A page as `fetch_page` would bring it home."""
    return Page(
        requested_url=url,
        url=url,
        status=200,
        reason_phrase="OK",
        http_version="HTTP/1.1",
        request_headers=(("host", "copy.example"),),
        response_headers=(("content-type", "text/html; charset=utf-8"),),
        ip="203.0.113.5",
        body=body,
        raw_body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        fetched_at=fetched_at,
        elapsed_s=0.1,
    )
