"""`yinji align` and `yinji extract`: the numeric core and the page reader, on files alone."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from service.clock import to_shanghai
from service.errors import BadInput
from service.extensions import dump_json
from service.fingerprint import align_rewritten, align_texts
from service.sheets import Refusal, open_text, read_jsonl


@click.command(help="The copied and the rewritten passages of two texts A and B, or of every pair in a file.")
@click.argument("a", required=False, type=click.Path(path_type=Path))
@click.argument("b", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
@click.option("--pairs", type=click.Path(path_type=Path), help="JSONL of {id, a, b}: texts, or @PATH for a file.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the results of --pairs go, one JSON object a line.")
def align(a: Path | None, b: Path | None, as_json: bool, pairs: Path | None, out: Path | None) -> None:
    """Offsets are code points of the original texts, ends exclusive."""
    if pairs is not None:
        if a is not None or out is None:
            raise BadInput("align: either two files, or --pairs FILE.jsonl with --out FILE.jsonl")
        _align_pairs(pairs, out)
        return
    if a is None or b is None or out is not None:
        raise BadInput("align: give two text files, or --pairs FILE.jsonl with --out FILE.jsonl")
    left, right = _read(a), _read(b)
    found = align_both_ways(left, right)
    if as_json:
        click.echo(dump_json(found))
        return
    click.echo(
        f"{found['coverage_of_a']:.1%} of {a.name} and {found['coverage_of_b']:.1%} of {b.name} are identical; "
        f"the longest run has {found['longest_run']} characters"
    )
    for a_start, a_end, b_start, b_end in found["spans"]:
        click.echo(f"{a_start}–{a_end} = {b_start}–{b_end}: {left[a_start:a_end]}")
    for a_start, a_end, b_start, b_end, score in found["rewritten"]:
        click.echo(f"{a_start}–{a_end} ≈ {b_start}–{b_end} ({score:.0%} alike):")
        click.echo(f"  {left[a_start:a_end]}\n  {right[b_start:b_end]}")


def align_both_ways(a: str, b: str) -> dict[str, Any]:
    """What two texts share, as JSON: the identical spans, and the passages whose content was carried over.

    Coverages are shares 0 to 1 of identical characters, the longest run is in characters, spans are four offsets each;
    `rewritten` has four offsets and the likeness of the words, 0 to 1. A copied passage stands in both lists.
    """
    found = align_texts(a, b)
    return {
        "coverage_of_a": round(found.coverage_of_a, 6),
        "coverage_of_b": round(found.coverage_of_b, 6),
        "longest_run": found.longest_run,
        "spans": [[span.a_start, span.a_end, span.b_start, span.b_end] for span in found.spans],
        "rewritten": [[*one.quad, round(one.score, 4)] for one in align_rewritten(a, b)],
    }


def _align_pairs(pairs: Path, out: Path) -> None:
    """Writes a result for each sound pair; a line on standard error, and exit 1, for each other."""
    refused = written = 0
    with _create(out) as file:
        for item in read_jsonl(pairs):
            try:
                if isinstance(item, Refusal):
                    raise BadInput(item.reason, item.field)
                row = item[1]
                found = align_both_ways(_side(row, "a", pairs.parent), _side(row, "b", pairs.parent))
            except BadInput as error:
                line = item.line if isinstance(item, Refusal) else item[0]
                click.echo(f"{pairs}:{line}: {error.message}", err=True)
                refused += 1
                continue
            file.write(json.dumps({"id": row.get("id"), **found}, ensure_ascii=False) + "\n")
            written += 1
    click.echo(f"{written:,} pairs aligned, {refused:,} refused")
    if refused:
        sys.exit(1)


@contextmanager
def _create(out: Path) -> Iterator[IO[str]]:
    """A file beside, which takes the place of `out` when all is written: a broken run leaves what was there."""
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", text=True)
    except OSError as error:
        raise BadInput(f"{out}: {error.strerror}", "out") from None
    try:
        # backslashreplace turns a lone surrogate into \\udXXX, which is its escape in JSON too.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _side(row: Any, name: str, folder: Path) -> str:
    """One text of a pair: as it stands, or from the file that `@path` names (relative to the pairs' folder)."""
    value = row.get(name)
    if not isinstance(value, str):
        raise BadInput(f"{name}: not a text", name)
    if not value.startswith("@"):
        return value
    if "\0" in value:
        raise BadInput(f"{name}: no path of a file", name)
    return _read(folder / value[1:])


def _read(path: Path) -> str:
    """A text file in UTF-8, GB18030 or marked UTF-16, read as it is. Raises BadInput."""
    try:
        with open_text(path, "") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: cut or damaged ({error.reason})", "file") from None


@click.command(help="Main text, title, byline, source and time of the page in FILE.html.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", help="The page's own address: it may carry the date, and links are read against it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def extract(file: Path, url: str | None, as_json: bool) -> None:
    """What is not stated on the page is null; times are ISO 8601 in Asia/Shanghai."""
    from service.intake.charset import decode_html  # noqa: PLC0415  the page reader loads slowly; `align` needs none of it
    from service.intake.extract import extract_article  # noqa: PLC0415  as heavy as above, and `align` does not need it

    try:
        body = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", "file") from None
    article = extract_article(decode_html(body)[0], url)
    facts = {
        "title": article.title,
        "byline": article.byline,
        "source": article.stated_source,
        "published_at": to_shanghai(article.published_at).isoformat() if article.published_at else None,
        "text": article.text,
    }
    if as_json:
        click.echo(dump_json(facts))
        return
    for name in ("title", "byline", "source", "published_at"):
        click.echo(f"{name}: {facts[name] or '—'}")
    click.echo(f"\n{article.text}")
