"""The operator's command line. Each command lives in `service/commands/`; only the one that is called is imported."""

from __future__ import annotations

import importlib
from typing import Any

import click

from service.errors import YinjiError

VERSION = "0.1.0"
"""Also in pyproject.toml (a test holds them together)."""

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("service.commands.demo:demo", "the whole job on a sample newsroom"),
    "run": ("service.commands.run:run", "portal, worker and scheduler on this machine"),
    "test": ("service.commands.develop:test", "all tests (pytest arguments pass through)"),
    "check": ("service.commands.develop:check", "lint, types, templates, translations, migration drift"),
    "db": ("service.commands.database:db_group", "make or upgrade the database"),
    "users": ("service.commands.users:users", "accounts of staff and applicants"),
    "outlets": ("service.commands.outlets:outlets", "member outlets"),
    "mandates": ("service.commands.outlets:mandates", "what the outlets granted"),
    "works": ("service.commands.works:works", "bulk registration"),
    "licences": ("service.commands.licences:licences", "historic licences and the switch that says they are loaded"),
    "channels": ("service.commands.licences:channels", "where partners and licensees publish"),
    "sources": ("service.commands.scan:sources", "sites that scans watch"),
    "scan": ("service.commands.scan:scan", "scan now, or see how a scan stands"),
    "screen": ("service.commands.screen:screen", "which candidate files copy which works; touches no database"),
    "align": ("service.commands.texts:align", "the copied spans of two texts"),
    "extract": ("service.commands.texts:extract", "main text, title, byline, source and time of a page"),
    "bench": ("service.commands.bench:bench", "quality and speed of detection, measured against peers"),
    "audit": ("service.commands.audit:audit", "verify the chain of events"),
    "index": ("service.commands.index:index", "the fingerprint index of this machine: build it, see how it stands"),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called: `--help` and `works import` do not pay for each other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command, imported now; None when there is none of this name."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a domain error becomes one clear line and exit code 1."""
        try:
            return super().invoke(ctx)
        except YinjiError as error:
            raise click.ClickException(error.message) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help list from the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="yinji %(version)s")
def cli() -> None:
    """Yinji 印迹: is this page ours, is this use licensed, and which term does it break?"""


def main() -> None:
    """Runs the command line."""
    cli(prog_name="yinji")


if __name__ == "__main__":
    main()
