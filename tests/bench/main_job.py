"""The main job on real articles: import into a fresh SQLite database with full sync; import again; screen the articles
against themselves. Each runs in a process of its own, as an operator would run it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench.corpus import Article, load_corpus
from tests.bench.report import share_row, value_row

ROOT = Path(__file__).parents[2]


def command(*arguments: object, env: dict[str, str]) -> tuple[float, float, str]:
    """Seconds, peak MB of the largest child so far, and output of one command; stops on failure."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *map(str, arguments)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{arguments[0]} failed: {done.stderr[-2000:]}")
    return time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, done.stdout


def run(data: Path | None, seed: int, *, quick: bool = False, full: bool = False) -> dict[str, Any]:
    """The rows of the report; `seed` and `full` change nothing here. `quick`: at most 300 articles."""
    del seed, full
    corpus = load_corpus(data)[: 300 if quick else None]
    with tempfile.TemporaryDirectory() as folder:
        articles, out = Path(folder) / "articles.jsonl", Path(folder) / "out.jsonl"
        lines = (
            {"id": f"{number}", "title": one.title or "无题", "text": one.text} for number, one in enumerate(corpus)
        )
        articles.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
        env = {**os.environ, "YINJI_DATA": folder, "NUMBA_CACHE_DIR": f"{folder}/numba"}
        command("db", "upgrade", env=env)
        command("outlets", "add", "BENCH", "测试日报", env=env)
        command(
            "align", articles, articles, env=env
        )  # compiles the kernels, so that no figure holds the compiler's time
        rows = rows_of("import", corpus, *command("works", "import", articles, "--outlet", "BENCH", env=env)[:2])
        rows += rows_of("import again", corpus, *command("works", "import", articles, "--outlet", "BENCH", env=env)[:2])
        screen = command("screen", "--works", articles, "--candidates", articles, "--out", out, env=env)
        rows += rows_of("screen against itself", corpus, *screen[:2])
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    own = sum(one["candidate"] == one["work"] for one in found)
    others = [one for one in found if one["candidate"] != one["work"]]
    rows.append(share_row("articles that find themselves", own, len(corpus), 1.0))
    source = data.name if data is not None else "the demo's articles"
    return {
        "name": "main_job",
        "data": f"{len(corpus):,} articles of {source}",
        "rows": rows,
        "near_duplicate_rows": dict(Counter(one["kind"] for one in others)),
    }


def rows_of(what: str, corpus: list[Article], seconds: float, peak_mb: float) -> list[dict[str, Any]]:
    """Two figures of one command."""
    return [
        value_row(f"{what}: speed", len(corpus) / seconds, "articles a second", seconds=round(seconds, 2)),
        value_row(f"{what}: peak memory", peak_mb, "MB"),
    ]
