"""`python -m tests.bench NAME …`: one bench in this process. Operators call it through `bench` of the command line."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from service.errors import BadInput
from tests.bench.report import picture, table, write_json


def main() -> None:
    """Runs the bench, prints its table, and writes JSON and picture where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    more = {"changes": dict(_change(one) for one in options.set)} if options.set else {}
    bench = import_module(f"tests.bench.{options.name}")
    report = bench.run(options.data, options.seed, quick=options.quick, full=options.full, **more)
    print(table(report), flush=True)
    if options.json:
        write_json(report, options.json)
    if options.picture:
        options.picture.write_text(picture(report["rows"], f"{report['name']}: {report['data']}"), encoding="utf-8")


def _change(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


if __name__ == "__main__":
    try:
        main()
    except BadInput as error:
        sys.exit(f"Error: {error.message}")
