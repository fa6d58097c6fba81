"""`yinji outlets` and `yinji mandates`: what registration stands on."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from service.audit import CLI
from service.commands.opening import check_file, data_option, opened, print_table_report
from service.extensions import reading
from service.outlets.importing import import_mandates
from service.outlets.models import OUTLET_KINDS, Outlet
from service.outlets.operations import add_outlet


@click.group(help="Member outlets.")
def outlets() -> None:
    """Group of outlet commands."""


@outlets.command(help="Add the outlet CODE, called NAME.")
@click.argument("code")
@click.argument("name")
@click.option("--kind", default="newspaper", show_default=True, type=click.Choice(list(OUTLET_KINDS)))
@data_option
def add(code: str, name: str, kind: str, data: Path | None) -> None:
    """Adds one outlet."""
    with opened(data) as session:
        outlet = add_outlet(session, CLI, code, name, kind)
        session.commit()
        click.echo(f"outlet {outlet.code} {outlet.name} added")


@outlets.command("list", help="All outlets with their mandates.")
@data_option
def list_command(data: Path | None) -> None:
    """One outlet a line: code, name, kind, its mandates (kind of grant and term)."""
    with opened(data) as session, reading(session):
        for outlet in session.scalars(select(Outlet).options(selectinload(Outlet.mandates)).order_by(Outlet.code)):
            terms = ", ".join(f"{one.grant_kind} {one.valid_from}–{one.valid_to or 'open'}" for one in outlet.mandates)
            click.echo(f"{outlet.code}  {outlet.name}  {outlet.kind}  {terms or 'no mandate'}")


@click.group(help="What the outlets granted to the Centre.")
def mandates() -> None:
    """Group of mandate commands."""


@mandates.command(
    "import",
    help="Record the mandates of FILE.csv: outlet, grant_kind (assignment, exclusive, plain, agency), forms and rights "
    "(separated by ; — empty means all), valid_from, valid_to (empty: until ended), may_sublicense, may_enforce.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and report everything, write nothing.")
@data_option
def import_command(file: Path, dry_run: bool, data: Path | None) -> None:
    """All rows or none; exit 1 when any was refused."""
    check_file(file)
    with opened(data) as session:
        report = import_mandates(session, CLI, file, dry_run=dry_run)
        session.commit()
    print_table_report(file, report, dry_run)
    sys.exit(1 if report.refused else 0)
