"""What must come out as plain text on every page, and how a page is searched for anything that would run."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}<%= 7*7 %>",
    "'\"><svg onload=alert(1)>",
    "</textarea><iframe src=javascript:alert(1)>",
)


class _Dangers(HTMLParser):
    """Collects elements and attributes that would run something, or that only a payload brings."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "iframe" or (tag == "script" and not values.get("nonce")) or (tag == "img"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style" or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")


def dangers(page: str) -> list[str]:
    """What in a page would run, as a browser's parser sees it; [] is sound."""
    parser = _Dangers()
    parser.feed(page)
    return parser.found


def fetch(client: FlaskClient, url: str, **kwargs: Any) -> TestResponse:
    """The response without the client's own checks, which look at source text and would see payloads in attributes."""
    return FlaskClient.open(client, url, **kwargs)
