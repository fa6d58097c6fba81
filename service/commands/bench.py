"""`yinji bench`: how good and how fast detection is, measured here and now, each bench against its peers."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from service.errors import BadInput

ROOT = Path(__file__).parents[2]
NAMES = ("fingerprint", "search", "align", "screen", "quality", "main_job")


@click.command("bench")
@click.argument("name", type=click.Choice([*NAMES, "all"]))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of evaluation data; else the demo's articles.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Where the report goes as JSON.")
@click.option("--picture", type=click.Path(path_type=Path), help="quality: recall against its goals as an SVG.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same edits and samples.")
@click.option("--quick", is_flag=True, help="Small samples: a minute in all, figures rough.")
@click.option("--full", is_flag=True, help="search and screen: up to 10⁷ and 10⁶ works (half an hour, 16 GB of disk).")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="quality: try a threshold, beside today's.")
def bench(
    name: str,
    data: Path | None,
    json_file: Path | None,
    picture: Path | None,
    seed: int,
    quick: bool,
    full: bool,
    changes: tuple[str, ...],
) -> None:
    """Measure detection: quality (what is found, what is flagged wrongly) or speed, and print a table.

    Peers are measured in the same run where they are installed (the `bench` set of packages).
    """
    if not (ROOT / "tests" / "bench").is_dir():
        raise BadInput("bench needs a source checkout: there is no tests/bench here")
    if data is not None and not data.is_dir():
        raise BadInput(f"--data: {data} is no folder", "data")
    if (picture or changes) and name not in ("quality", "all"):
        raise BadInput("--picture and --set belong to `bench quality`")
    for file in (json_file, picture):
        if file is not None and not file.resolve().parent.is_dir():
            raise BadInput(f"{file}: there is no such folder")
    options = ["--seed", str(seed), *(["--quick"] if quick else []), *(["--full"] if full else [])]
    options += ["--data", str(data.resolve())] if data else []
    reports = []
    for one in NAMES if name == "all" else (name,):
        more = [f"--set={_checked(change)}" for change in changes] if one == "quality" else []
        more += ["--picture", str(picture.resolve())] if picture and one == "quality" else []
        reports.append(_run(one, [*options, *more]))
    if json_file:
        report = (
            reports[0] if name != "all" else {"name": "all", "data": reports[0]["data"], "rows": _labelled(reports)}
        )
        json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _run(name: str, options: list[str]) -> dict[str, Any]:
    """One bench in a process of its own, so that its memory is its own; its table goes straight through."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [sys.executable, "-m", "tests.bench", name, "--json", str(out), *options]
        env = {"NUMBA_CACHE_DIR": str(ROOT / "data" / "cache" / "numba"), **os.environ}
        done = subprocess.run(command, cwd=ROOT, env=env, check=False)  # noqa: S603  our own program, checked words
        if done.returncode:
            sys.exit(done.returncode)
        report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return report


def _labelled(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"bench": report["name"], **row} for report in reports for row in report["rows"]]


def _checked(change: str) -> str:
    name, _, value = change.partition("=")
    try:
        if not math.isfinite(float(value)):
            raise ValueError(value)
    except ValueError:
        raise BadInput(f"--set: {change!r} is not NAME=NUMBER", "set") from None
    return f"{name}={value}"
