"""`yinji sources` and `yinji scan`: what is watched, and watching it now."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import uuid4

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.app import create_app
from service.audit import CLI
from service.broker import commit_and_publish, make_celery
from service.config import Settings, load
from service.errors import BadInput, NotFound
from service.extensions import db, reading
from service.parties.models import Party
from service.sightings.models import OUTCOMES, SOURCE_KINDS, Scan, Source
from service.sightings.scans import add_source, scan_progress, start_scan

DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: YINJI_DATA or ./data).")
POLL_S = 0.5


@click.group("sources", help="Sites and pages that scans watch.")
def sources() -> None:
    """Group of source commands."""


@sources.command("add", help="Watch a site (its address page and the articles it links to) or a single page.")
@click.argument("name")
@click.argument("url")
@click.option("--kind", type=click.Choice(list(SOURCE_KINDS)), default="site", show_default=True)
@click.option("--party", "party_name", help="Who publishes there: the name of a registered party.")
@DATA
def add(name: str, url: str, kind: str, party_name: str | None, data: Path | None) -> None:
    """Adds one source and prints its number."""
    settings = load(data)
    with create_app(settings).app_context():
        session = db.session()
        party = session.scalars(select(Party).where(Party.name == party_name)).first() if party_name else None
        if party_name and party is None:
            raise NotFound(f"--party: no party is called “{party_name}”")
        source = add_source(session, CLI, name, url, kind=kind, party=party, allow=settings.fetch_allow)
        session.commit()
        click.echo(f"source {source.id}  {source.address}")


@sources.command("list", help="All sources.")
@DATA
def list_sources(data: Path | None) -> None:
    """One line per source."""
    with create_app(load(data)).app_context(), reading(db.session()):
        for source in db.session.scalars(select(Source).order_by(Source.id)):
            state = "" if source.is_enabled else "  (disabled)"
            click.echo(f"{source.id}\t{source.kind}\t{source.name}\t{source.address}{state}")


@click.group("scan", help="Scan now, or see how a scan stands.")
def scan() -> None:
    """Group of scan commands."""


@scan.command(
    "now", help="Start a scan of a source, or of all; a running worker does it. Exit 1 if a scan had a problem."
)
@click.option("--source", "source_id", type=int, help="Number of the source.")
@click.option("--all", "is_all", is_flag=True, help="All enabled sources.")
@click.option("--wait", is_flag=True, help="Wait for the end, with progress on stderr.")
@DATA
def now(source_id: int | None, is_all: bool, wait: bool, data: Path | None) -> None:
    """Starts scans (or joins those that run) and prints their numbers."""
    settings = load(data)
    if is_all == (source_id is not None):
        raise BadInput("give either --source ID or --all")
    with create_app(settings).app_context():
        session = db.session()
        scan_ids = _start(session, settings, source_id)
        for scan_id in scan_ids:
            click.echo(f"scan {scan_id}")
        if wait and not _wait(session, scan_ids):
            sys.exit(1)


@scan.command("status", help="How a scan stands; without a number, the ten newest.")
@click.argument("scan_id", type=int, required=False)
@DATA
def status(scan_id: int | None, data: Path | None) -> None:
    """Prints state and counts by outcome."""
    with create_app(load(data)).app_context(), reading(db.session()):
        session = db.session()
        newest = select(Scan.id).order_by(Scan.id.desc()).limit(10)
        for one in [scan_id] if scan_id is not None else list(session.scalars(newest)):
            _print(scan_progress(session, one))


def _start(session: Session, settings: Settings, source_id: int | None) -> list[int]:
    chosen = (
        select(Source).where(Source.id == source_id)
        if source_id is not None
        else select(Source).where(Source.is_enabled)
    )
    found = list(session.scalars(chosen.order_by(Source.id)))
    if not found:
        raise NotFound(f"no source {source_id}" if source_id is not None else "no enabled source; see `sources add`")
    scan_ids = [start_scan(session, CLI, source, "cli", f"cli:{uuid4().hex}").id for source in found]
    commit_and_publish(session, make_celery(settings))
    return scan_ids


def _wait(session: Session, scan_ids: list[int]) -> bool:
    """Follows the scans to their end; False when one had a problem or a page failed."""
    shown, is_terminal = "", sys.stderr.isatty()
    while True:
        with reading(session):
            progress = [scan_progress(session, scan_id) for scan_id in scan_ids]
        done, total = sum(one["done"] for one in progress), sum(one["total"] for one in progress)
        line = f"{done} / {total} pages"
        if line != shown:
            click.echo(f"\r{line}" if is_terminal else line, nl=not is_terminal, err=True)
            shown = line
        if all(one["state"] == "done" for one in progress):
            break
        time.sleep(POLL_S)
    if is_terminal:
        click.echo(err=True)
    for one in progress:
        _print(one)
    return not any(one["problem"] or one["failed"] for one in progress)


def _print(progress: dict[str, object]) -> None:
    counts = "  ".join(f"{outcome} {progress[outcome]}" for outcome in OUTCOMES if progress[outcome])
    click.echo(f"scan {progress['scan_id']}  {progress['state']}  {progress['done']}/{progress['total']}  {counts}")
    if progress["problem"]:
        click.echo(f"  {progress['problem']}")
