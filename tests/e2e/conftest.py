"""A real browser against a real server. Skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from service.extensions import db
from tests.factories import make_user

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, headless, once for the session."""
    path = os.environ.get("YINJI_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Address of the portal, served from a thread of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@dataclass
class Visit:
    """A browser page that remembers whatever its console complained about."""

    page: Any
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Goes to a path of the portal."""
        self.page.goto(self.address + path)


@pytest.fixture
def visit(chromium: Any, app: Flask, address: str) -> Iterator[Visit]:
    """A reviewer logged in through the form; no violation of the CSP and no script error may come of it."""
    with app.app_context():
        user = make_user(db.session(), "rights", "registrar", password=PASSWORD, name="复核员甲")
        db.session.commit()
        email = user.email
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    made = Visit(page, address)
    page.on("console", lambda m: made.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.open("/login")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit], main input[type=submit]")
    page.wait_for_url("**/desk")
    yield made
    context.close()
    assert made.complaints == []
