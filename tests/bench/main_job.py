"""Measures the main job on a folder of real articles: `python tests/bench/main_job.py --data DIR [--json FILE]`.

DIR holds `articles.jsonl` (rows `{id,title,text,url,published_at}`). Import into a fresh SQLite database with full
sync; import again; screen the articles against themselves. Each runs in a process of its own, as an operator would run it.
"""

from __future__ import annotations

import argparse
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

ROOT = Path(__file__).parents[2]


def run(*arguments: object, env: dict[str, str]) -> tuple[float, float, str]:
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


def measure(articles: Path) -> dict[str, Any]:
    """All figures for one file of articles."""
    count = sum(1 for line in articles.open("rb") if line.strip())
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "YINJI_DATA": folder, "NUMBA_CACHE_DIR": f"{folder}/numba"}
        run("db", "upgrade", env=env)
        run("outlets", "add", "BENCH", "测试日报", env=env)
        run("align", articles, articles, env=env)  # compiles the kernels, so that no figure holds the compiler's time
        rows = [row("import", count, *run("works", "import", articles, "--outlet", "BENCH", env=env)[:2])]
        rows.append(row("import again", count, *run("works", "import", articles, "--outlet", "BENCH", env=env)[:2]))
        out = Path(folder) / "out.jsonl"
        seconds, peak, _ = run("screen", "--works", articles, "--candidates", articles, "--out", out, env=env)
        rows.append(row("screen against itself", count, seconds, peak))
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    others = [one for one in found if one["candidate"] != one["work"]]
    return {
        "name": "main_job",
        "data": str(articles.name),
        "rows": rows,
        "found_themselves": sum(one["candidate"] == one["work"] for one in found),
        "articles": count,
        "near_duplicate_rows": dict(Counter(one["kind"] for one in others)),
        "nearest": sorted(others, key=lambda one: -one["coverage_of_work"])[:40],
    }


def row(what: str, count: int, seconds: float, peak_mb: float) -> dict[str, Any]:
    """One figure with its unit."""
    return {
        "what": what,
        "articles_per_s": round(count / seconds, 1),
        "seconds": round(seconds, 2),
        "peak_mb": round(peak_mb),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = measure(options.data / "articles.jsonl")
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "nearest"}, ensure_ascii=False, indent=1))
