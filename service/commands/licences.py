"""`yinji licences` and `yinji channels`: what was granted before, and where partners and licensees publish."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from service.audit import CLI
from service.clock import utc_now
from service.commands.opening import check_file, data_option, opened, print_table_report
from service.licences.facts import HISTORIC_SWITCH
from service.licences.importing import import_channels, import_licences
from service.licences.operations import set_switch


@click.group(help="Historic licences, and the switch that says they are loaded.")
def licences() -> None:
    """Group of licence commands."""


@licences.command(
    "import",
    help="Record the licences of FILE.csv: reference, party, scope (works or blanket), works, outlets, acts, "
    "channels (kind:identifier, * for all), valid_from, valid_to, perpetual, credit_text. Several values are separated "
    "by semicolons. What is not known stays empty.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and report everything, write nothing.")
@data_option
def import_licences_command(file: Path, dry_run: bool, data: Path | None) -> None:
    """All rows or none; exit 1 when any was refused."""
    check_file(file)
    with opened(data) as session:
        report = import_licences(session, CLI, file, dry_run=dry_run)
        session.commit()
    print_table_report(file, report, dry_run)
    sys.exit(1 if report.refused else 0)


@licences.command(
    "mark-loaded",
    help="State that all historic licences are recorded. Until then every ruling is at best “unclear”.",
)
@click.option("--undo", is_flag=True, help="Take the statement back.")
@data_option
def mark_loaded(undo: bool, data: Path | None) -> None:
    """Sets the switch, with an event."""
    with opened(data) as session:
        set_switch(session, CLI, HISTORIC_SWITCH, not undo, utc_now())
        session.commit()
    click.echo(f"historic licences: {'not ' if undo else ''}marked as loaded")


@click.group(help="Where partners and licensees publish.")
def channels() -> None:
    """Group of channel commands."""


@channels.command(
    "import",
    help="Record the channels of FILE.csv: party, relation (third, partner or own), kind (domain, wechat, weibo …), "
    "identifier, and outlet for relation own.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and report everything, write nothing.")
@data_option
def import_channels_command(file: Path, dry_run: bool, data: Path | None) -> None:
    """All rows or none; exit 1 when any was refused."""
    check_file(file)
    with opened(data) as session:
        report = import_channels(session, CLI, file, dry_run=dry_run)
        session.commit()
    print_table_report(file, report, dry_run)
    sys.exit(1 if report.refused else 0)
