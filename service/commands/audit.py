"""`yinji audit`: the chain of events."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from service.app import create_app
from service.audit import seal_events, verify_chain
from service.config import load
from service.extensions import db, reading

DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data).")


@click.group("audit", help="The append-only chain of events.")
def audit() -> None:
    """Group of audit commands."""


@audit.command("verify", help="Recompute the whole chain; exit 1 when any event was changed, removed or inserted.")
@DATA
def verify(data: Path | None) -> None:
    """Prints links, unsealed events and the head; the first bad position when there is one."""
    with create_app(load(data)).app_context(), reading(db.session()):
        report = verify_chain(db.session())
    click.echo(f"links     {report.links}\nunsealed  {report.unsealed}\nhead      {report.head}")
    if report.first_bad is not None:
        click.echo(f"BROKEN at position {report.first_bad}: the events from there on cannot be trusted", err=True)
        sys.exit(1)
    click.echo("sound")


@audit.command("seal", help="Chain the events that are not sealed yet (the scheduler does it every 30 s).")
@DATA
def seal(data: Path | None) -> None:
    """Seals in batches, each a transaction."""
    total = 0
    with create_app(load(data)).app_context():
        while count := seal_events(db.session()):
            db.session.commit()
            total += count
    click.echo(f"sealed {total}")
