"""`yinji screen`: which candidate files copy which works."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import click

from service.offline import Refused, read_candidates, read_works, screen_candidate

PROGRESS_EVERY_S = 0.5


@click.command("screen")
@click.option("--works", "works_file", required=True, type=click.Path(path_type=Path), help="JSONL: id, title, text.")
@click.option("--candidates", required=True, type=click.Path(path_type=Path), help="JSONL, WARC/ARC, or HTML folder.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Result rows, JSONL.")
def screen(works_file: Path, candidates: Path, out: Path) -> None:
    """Find copies of WORKS among CANDIDATES; no database is touched.

    The last line printed is a JSON summary. Refused lines and records are told on stderr and the rest is read; a
    refused line of a JSONL file makes the exit code 1, a damaged record of an archive does not.
    """
    started = time.monotonic()
    for path in (works_file, candidates):
        if not path.exists():
            raise click.ClickException(f"{path}: no such file or folder")
    registry = read_works(works_file)
    counts = {"candidates": 0, "read": 0, "refused": 0, "matches": 0}
    said = 0.0
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", text=True)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from None
    try:
        # backslashreplace turns a lone surrogate into \\udXXX, which is its escape in JSON too.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            for candidate in read_candidates(candidates):
                counts["candidates"] += 1
                if isinstance(candidate, Refused):
                    counts["refused"] += 1
                    click.echo(f"{candidate.place}: {candidate.reason}", err=True)
                    continue
                counts["read"] += 1
                for row in screen_candidate(registry, candidate):
                    counts["matches"] += 1
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                if sys.stderr.isatty() and time.monotonic() - said > PROGRESS_EVERY_S:
                    said = time.monotonic()
                    click.echo(f"\r{counts['candidates']} candidates, {counts['matches']} matches", err=True, nl=False)
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    summary = {**counts, "seconds": round(time.monotonic() - started, 3), "peak_mb": round(peak_mb, 1)}
    click.echo(json.dumps(summary))
    if counts["refused"] and candidates.is_file() and candidates.suffix == ".jsonl":
        sys.exit(1)
