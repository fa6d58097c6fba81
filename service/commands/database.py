"""`yinji db`: make or upgrade the database."""

from __future__ import annotations

from pathlib import Path

import click

from service.app import create_app
from service.config import load
from service.database import upgrade_database


@click.group("db", help="Make or upgrade the database.")
def db_group() -> None:
    """Group of database commands."""


@db_group.command("upgrade", help="Bring the database to the newest schema (makes it when there is none).")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data).")
def upgrade(data: Path | None) -> None:
    """Runs all migrations."""
    app = create_app(load(data))
    upgrade_database(app)
    click.echo("database is up to date")
