"""`yinji works`: bulk registration, and a look at what is registered."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from service.audit import CLI
from service.clock import utc_now
from service.commands.opening import MAX_LINES_SHOWN, check_file, data_option, opened, print_refused, progress
from service.extensions import reading
from service.outlets.models import Outlet
from service.works import refingerprint
from service.works.fingerprints import active_algorithm
from service.works.importing import ImportReport, import_works
from service.works.models import Work


@click.group(help="Bulk registration, and a look at what is registered.")
def works() -> None:
    """Group of works commands."""


@works.command("import", help="Register the works of FILE (.jsonl or .csv). All or nothing unless --partial.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--outlet", help="Code of the outlet; wins over the rows' own.")
@click.option("--dry-run", is_flag=True, help="Check and report everything, write nothing.")
@click.option("--partial", is_flag=True, help="Register the sound rows even where others are refused.")
@data_option
def import_command(file: Path, outlet: str | None, dry_run: bool, partial: bool, data: Path | None) -> None:
    """Imports, reports on standard output; exit 1 when any row was refused."""
    check_file(file)
    with opened(data) as session:
        started = time.monotonic()
        with progress("rows") as show:
            report = import_works(session, CLI, file, outlet, dry_run=dry_run, partial=partial, on_progress=show)
        session.commit()
        _print(file, report, time.monotonic() - started)
    if report.refused:
        sys.exit(1)


def _print(file: Path, report: ImportReport, seconds: float) -> None:
    print_refused(file, report.refused)
    for line, number in report.same_text[:MAX_LINES_SHOWN]:
        click.echo(f"{file}:{line}: same text as {number}")
    if len(report.same_text) > MAX_LINES_SHOWN:
        click.echo(f"… and {len(report.same_text) - MAX_LINES_SHOWN:,} more with the text of another work")
    click.echo(
        f"{report.read:,} read, {report.created:,} new, {report.amended:,} amended, {report.unchanged:,} unchanged, "
        f"{len(report.refused):,} refused, {len(report.same_text):,} same text; {seconds:.1f} s"
        + ("" if report.is_written else "; nothing written")
    )


@works.command("list", help="The newest registered works.")
@click.option("--outlet", help="Only this outlet's (code).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@data_option
def list_command(outlet: str | None, limit: int, data: Path | None) -> None:
    """One work a line: number, outlet, state, day of publication, title."""
    with opened(data) as session, reading(session):
        query = select(Work).options(joinedload(Work.outlet)).order_by(Work.id.desc()).limit(limit)
        if outlet:
            query = query.where(Work.outlet.has(Outlet.code == outlet))
        for work in session.scalars(query):
            day = f"{work.first_published_at:%Y-%m-%d}" if work.first_published_at else "undated"
            click.echo(f"{work.number}  {work.outlet.code}  {work.state}  {day}  {work.title}")


@works.command(
    "refingerprint", help="Bring all works to the newest fingerprint algorithm; the old one serves meanwhile."
)
@click.option(
    "--prune", "pruned", metavar="ALGORITHM", help="Instead: delete an old algorithm's fingerprints for good."
)
@data_option
def refingerprint_command(pruned: str | None, data: Path | None) -> None:
    """Does the job here, or follows the worker that has it; exit 1 when it failed or nothing may be pruned."""
    with opened(data) as session:
        if pruned is not None:
            with progress(f"rows of {pruned}") as show:
                count = refingerprint.prune(session, CLI, pruned, utc_now(), show)
            click.echo(f"{count:,} fingerprints of {pruned} deleted")
            return
        job = refingerprint.ensure_newest(session, utc_now(), is_patient=True)
        job_id = job.id if job is not None else None
        session.commit()
        if job_id is not None:
            with click.progressbar(length=1, label="works", file=sys.stderr, show_pos=True) as bar:

                def show_bar(done: int, total: int) -> None:
                    bar.length = max(total, 1)
                    bar.update(done - bar.pos)

                refingerprint.follow(session, job_id, show_bar)
        with reading(session):
            name = active_algorithm(session)
        click.echo(f"all works are fingerprinted by {name}" + ("" if job_id is not None else "; nothing to do"))
