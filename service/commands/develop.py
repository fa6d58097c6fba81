"""`yinji test` and `yinji check`: for those who change the code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from service.checks import run_checks

ROOT = Path(__file__).parents[2]


@click.command("test", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run all tests in parallel; further ARGUMENTS go to pytest (`test -k guard`, `test tests/unit`)."""
    if not (ROOT / "tests").is_dir():
        raise click.ClickException("tests need a source checkout: there is no tests/ folder here")
    given = list(arguments)
    chosen = (
        [] if any(one.startswith("-n") for one in given) else ["-n", str(os.cpu_count() or 2), "--dist", "loadgroup"]
    )
    command = [sys.executable, "-m", "pytest", *chosen, *given]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603  our own pytest, arguments by the user


@click.command("check")
def check() -> None:
    """Lint, types, templates, translations and migration drift; one line each, details of what failed."""
    sys.exit(run_checks())
