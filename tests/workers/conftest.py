"""One running worker and scheduler per database, shared by the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from service.app import create_app
from service.config import Settings, load
from service.extensions import db
from service.supervisor import Supervisor
from tests.workers.running import is_all_done, scan_site, wait_for, wait_for_scan
from tests.workers.site import Site, served

COPIES = frozenset({3, 7})
START_S = 60.0
"""A cold worker compiles its kernels first."""


@dataclass(frozen=True)
class Running:
    """A worker and a scheduler at work, the application on their database, and a site that they scanned."""

    app: Flask
    settings: Settings
    supervisor: Supervisor
    site: Site
    scan_id: int


def _on(kind: str) -> Any:
    """One xdist worker runs all tests of a database: a started worker is dear, and it is shared."""
    return pytest.param(kind, marks=pytest.mark.xdist_group(f"workers-{kind}"))


@pytest.fixture(scope="module", params=[_on("sqlite"), _on("postgresql")])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path
) -> Iterator[Running]:
    """Real processes over a real broker, once on SQLite and once on PostgreSQL."""
    data = tmp_path_factory.mktemp("workers")
    site = Site(12, COPIES, robots="User-agent: *\nDisallow: /a/5.html\n")
    with pytest.MonkeyPatch.context() as patch, served(site):
        patch.setenv("YINJI_DATA", str(data))
        patch.setenv("YINJI_FETCH_ALLOW", site.allow)
        patch.setenv("YINJI_HOST_DELAY_S", "0.05")
        patch.setenv("YINJI_NIGHTLY_AT", "00:00")
        if request.param == "postgresql":
            server, name = request.getfixturevalue("postgres"), f"w_{uuid4().hex[:12]}"
            with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template_yinji"))
            patch.setenv(
                "YINJI_DATABASE_URL", make_url(server).set(database=name).render_as_string(hide_password=False)
            )
        else:
            shutil.copy(migrated_sqlite, data / "yinji.db")
        settings = load()
        app = create_app(settings)
        with Supervisor(settings, ("worker", "scheduler"), celery_app="tests.workers.extra") as supervisor:
            scan_id = scan_site(app, settings, site)
            wait_for_scan(app, scan_id, START_S)
            wait_for("all jobs done", lambda: is_all_done(app, scan_id), 10)
            yield Running(app, settings, supervisor, site, scan_id)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
