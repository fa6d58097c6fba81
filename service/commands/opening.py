"""What several commands share: the database opened and up to date, files checked first, and reports printed alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.orm import Session

from service.app import create_app
from service.config import load
from service.database import upgrade_database
from service.errors import BadInput
from service.extensions import db
from service.sheets import Refusal, TableReport

MAX_LINES_SHOWN = 200

data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data)."
)


@contextmanager
def opened(data: Path | None) -> Iterator[Session]:
    """A session on the database of this data folder, made or migrated first. The caller commits."""
    app = create_app(load(data))
    upgrade_database(app)
    with app.app_context():
        yield db.session()


def check_file(path: Path) -> None:
    """Raises BadInput when there is no such file, before anything is opened or made."""
    if not path.is_file():
        raise BadInput(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}", "file")


@contextmanager
def progress(label: str) -> Iterator[Callable[[int], None]]:
    """Shows a count on standard error, rewriting one line; silent where that is no terminal."""
    is_shown = sys.stderr.isatty()

    def show(count: int) -> None:
        if is_shown:
            click.echo(f"\r{label}: {count:,}", err=True, nl=False)

    yield show
    if is_shown:
        click.echo(err=True)


def print_refused(path: Path, refused: Sequence[Refusal]) -> None:
    """One line for each row refused: FILE:LINE: field: reason."""
    for one in refused[:MAX_LINES_SHOWN]:
        field = f"{one.field}: " if one.field else ""
        click.echo(f"{path}:{one.line}: {field}{one.reason}")
    if len(refused) > MAX_LINES_SHOWN:
        click.echo(f"… and {len(refused) - MAX_LINES_SHOWN:,} more")


def print_table_report(path: Path, report: TableReport, dry_run: bool) -> None:
    """The refused rows, then one line of counts."""
    print_refused(path, report.refused)
    click.echo(
        f"{report.read:,} read, {report.created:,} new, {report.unchanged:,} unchanged, {len(report.refused):,} refused"
        + ("; nothing written" if dry_run or report.refused else "")
    )
