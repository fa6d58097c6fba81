"""`yinji index`: building this machine's snapshot of the fingerprints, and how it stands."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from service.clock import utc_now
from service.commands.opening import data_option, opened
from service.config import load
from service.extensions import reading
from service.works.index_build import IndexBusy, rebuild
from service.works.index_live import DELTA_MOST
from service.works.index_status import IndexStatus, index_status

BUSY_WAIT_S = 1.0


@click.group("index", help="The fingerprint index of this machine.")
def index() -> None:
    """Group of index commands."""


@index.command("rebuild", help="Build the snapshot from the database; running workers take it up by themselves.")
@data_option
def rebuild_command(data: Path | None) -> None:
    """Builds in this process, with progress on standard error; waits for another build or a long registration."""
    settings, started, shown = load(data), time.monotonic(), False
    with opened(data) as session:
        while True:
            try:
                with _progress() as show:
                    built = rebuild(session, settings, show)
                break
            except IndexBusy as busy:
                if not shown:
                    click.echo(f"waiting: {busy.message}", err=True)
                shown = True
                time.sleep(BUSY_WAIT_S)
    seconds = time.monotonic() - started
    click.echo(
        f"{built.works:,} work versions indexed in {seconds:.1f} s, {built.size_bytes / 1e6:,.1f} MB, "
        f"generation {built.generation}"
    )


@index.command("status", help="How the index stands here and on other machines; exit 1 when something needs a look.")
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
@data_option
def status_command(as_json: bool, data: Path | None) -> None:
    """Prints the status; problems last."""
    with opened(data) as session, reading(session):
        status = index_status(session, load(data), utc_now())
    if as_json:
        click.echo(json.dumps(status.to_json(), ensure_ascii=False, indent=1))
    else:
        _print(status)
    if status.problems:
        sys.exit(1)


def _print(status: IndexStatus) -> None:
    found = status.generation
    snapshot = (
        f"{found.generation}: {found.works:,} works, {found.size_bytes / 1e6:,.1f} MB, {(status.age_s or 0) / 3600:.1f} h old"
        if found
        else "none"
    )
    click.echo(f"machine     {status.host} (its jobs: queue {status.queue})")
    click.echo(f"folder      {status.folder}")
    click.echo(f"algorithm   {status.algorithm}")
    click.echo(f"snapshot    {snapshot}")
    click.echo(f"beside it   {status.delta_rows:,} works, in the memory of each process up to {DELTA_MOST:,}")
    click.echo(f"rebuild     {status.rebuild}")
    for number, hosts in status.served_by.items() if len(status.served_by) > 1 else ():
        waiting = status.waiting.get(number, 0)
        names = ", ".join(hosts) or "nobody for others"
        click.echo(f"partition   {number}: {names}" + (f", {waiting:,} searches wait" if waiting else ""))
    for host in status.hosts:
        built = host["built_at"] or "no snapshot yet"
        gone = ", not seen lately" if host["is_gone"] else ""
        click.echo(
            f"host        {host['host']}: partitions {host['partitions']}, {host['works']:,} works, {built}{gone}"
        )
    for problem in status.problems:
        click.echo(f"problem: {problem}", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Shows works done and expected on standard error: rewriting one line on a terminal, which is ended; else a line each."""
    is_terminal, shown = sys.stderr.isatty(), False

    def show(done: int, total: int) -> None:
        nonlocal shown
        shown = True
        click.echo(f"{chr(13) if is_terminal else ''}works: {done:,} of {total:,}", err=True, nl=not is_terminal)

    try:
        yield show
    finally:
        if is_terminal and shown:
            click.echo(err=True)
