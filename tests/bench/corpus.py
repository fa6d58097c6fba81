"""What a folder of evaluation data holds: articles, real pairs, PAN pairs, rewritten sentences. What is missing is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.demo.newsroom import load_articles, load_other_papers
from service.fingerprint import normalise
from tests.bench.plagdet import Quad

LEAST_CHARACTERS = 200
_FEATURE = re.compile(r"<feature[^>]*/>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Article:
    """An article of a folder; `text` has at least 200 normalised characters and is the only one of its kind."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class PanPair:
    """A pair of the PAN corpus: kind of obfuscation, both texts, and the true passages."""

    kind: str
    source: str
    suspicious: str
    cases: tuple[Quad, ...]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def find_file(data: Path | None, name: str) -> Path | None:
    """The first file or folder of this name below the folder."""
    return next(iter(sorted(data.rglob(name))), None) if data is not None else None


def load_corpus(data: Path | None) -> list[Article]:
    """Articles of every articles.jsonl and docs.jsonl (any other JSONL with texts, where there is neither).

    Of equal texts the first. Without a folder, the demo's articles.
    """
    if data is None:
        own = [Article(one.id, one.title, one.text) for one in (*load_articles(), *load_other_papers())]
        return [one for one in own if len(normalise(one.text)) >= LEAST_CHARACTERS]
    named = [path for name in ("articles.jsonl", "docs.jsonl") for path in sorted(data.rglob(name))]
    found: dict[str, Article] = {}
    for path in named or sorted(data.rglob("*.jsonl")):
        for values in read_rows(path):
            text = values.get("text")
            if isinstance(text, str) and len(plain := normalise(text)) >= LEAST_CHARACTERS:
                found.setdefault(plain.text, Article(str(values.get("id")), str(values.get("title") or ""), text))
    return list(found.values())


def load_pan(data: Path | None) -> list[PanPair]:
    """Every pair of a PAN text-alignment folder (`src/`, `susp/`, one folder of XML a kind); [] where there is none."""
    sources = find_file(data, "susp")
    if sources is None or not (sources.parent / "src").is_dir():
        return []
    root = sources.parent
    pairs = []
    for path in sorted(root.glob("*/*.xml")):
        left, _, right = path.stem.partition("-source-")
        source, suspicious = _read(root / "src" / f"source-{right}.txt"), _read(root / "susp" / f"{left}.txt")
        kind = path.parent.name.lstrip("0123456789-")
        pairs.append(PanPair(kind, source, suspicious, tuple(_cases(_read(path)))))
    return pairs


def _cases(xml: str) -> Iterator[Quad]:
    for feature in _FEATURE.findall(xml):
        values = dict(_ATTRIBUTE.findall(feature))
        if values.get("name") == "plagiarism" and "source_offset" in values:
            start, at = int(values["source_offset"]), int(values["this_offset"])
            yield start, start + int(values["source_length"]), at, at + int(values["this_length"])


def load_rewrites(data: Path | None) -> list[list[str]]:
    """Sentences line by line: the originals, then those of each writer, all of one length; [] where there are none."""
    original = find_file(data, "*.orig")
    if original is None:
        return []
    stem = original.name.removesuffix("orig")
    files = [original, *sorted(original.parent.glob(f"{stem}simp.*"))]
    lines = [_read(path).split("\n") for path in files]
    return [one[: min(map(len, lines))] for one in lines]


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:  # offsets count what is there, line ends included
        return file.read()
