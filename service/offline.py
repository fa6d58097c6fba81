"""Screening of files: which candidate copies which work. The same matching as a scan, without any database.

Works are JSONL rows `{id,title,text,…}`; candidates are JSONL rows `{id,url?,title?,text|html}`, a folder of HTML files,
or WARC/ARC archives. A refused row or record is told with its place; the others are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.comparison import Found, WorkText, examine, find_works, likely_candidates
from service.errors import BadInput
from service.fingerprint import Background, Fingerprint, IndexSegment, build_background, fingerprint_text, normalise
from service.fingerprint import Candidate as IndexCandidate
from service.fingerprint.background import LEAST_TEXTS
from service.intake.charset import decode_html
from service.intake.extract import quick_text
from service.intake.warc import WarcPage, read_records

MAX_TEXT_CHARACTERS = 20_000_000
BACKGROUND_WORKS = 2_000
"""How common words are is counted in so many works at most, evenly taken: enough to know, and half a second."""
HTML_SUFFIXES = (".html", ".htm", ".shtml", ".xhtml")
ARCHIVE_SUFFIXES = (".warc", ".warc.gz", ".arc", ".arc.gz")


@dataclass(frozen=True)
class Work:
    """A work of the file: its own id, title and text."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """A text or page to check. `html` wins over `text` when both are given."""

    id: str
    title: str = ""
    text: str = ""
    html: str = ""
    url: str | None = None


@dataclass(frozen=True)
class Refused:
    """Something that could not be read: where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class Registry:
    """The works of a file, indexed."""

    works: list[Work]
    index: IndexSegment
    background: Background | None

    def find(self, fingerprint: Fingerprint | None) -> list[IndexCandidate]:
        """The works worth comparing with this fingerprint; a text too short to judge has none."""
        return [] if fingerprint is None else self.index.find(fingerprint)

    def load(self, candidates: Sequence[IndexCandidate]) -> list[WorkText]:
        """Their texts; a version's number is the work's place in the file."""
        chosen = [(one, self.works[one.version_id]) for one in candidates]
        return [WorkText(one.version_id, one.version_id, work.title, work.text, one.distance) for one, work in chosen]


def read_works(path: Path) -> Registry:
    """The works of a JSONL file. Raises BadInput with the line on the first bad row: half a registry is none."""
    works: list[Work] = []
    rows: list[tuple[int, Fingerprint, NDArray[np.uint32]]] = []
    seen: set[str] = set()
    for row in read_rows(path):
        if isinstance(row, Refused):
            raise BadInput(f"{row.place}: {row.reason}", "works")
        place, values = row
        work_id, text = _string(values, "id"), _string(values, "text")
        if not work_id or not (text or "").strip():
            raise BadInput(f"{place}: a work needs an id and a text", "works")
        if work_id in seen:
            raise BadInput(f"{place}: id “{work_id[:60]}” comes twice", "works")
        seen.add(work_id)
        normalised = normalise(text or "")
        fingerprint = fingerprint_text(normalised)
        if fingerprint is not None:
            rows.append((len(works), fingerprint, normalised.codes))
        works.append(Work(work_id, _string(values, "title") or "", text or ""))
    if not works:
        raise BadInput(f"{path}: no works in it", "works")
    sample = works[:: len(works) // BACKGROUND_WORKS + 1]
    background = build_background(work.text for work in sample) if len(sample) >= LEAST_TEXTS else None
    return Registry(works, IndexSegment.build(rows), background)


def read_candidates(path: Path) -> Iterator[Candidate | Refused]:
    """The candidates of a JSONL file, an archive, or a folder of HTML files (names in order)."""
    if path.is_dir():
        yield from _read_folder(path)
    elif path.name.lower().endswith(ARCHIVE_SUFFIXES):
        for record in read_records(path):
            if isinstance(record, WarcPage):
                html, _, _ = decode_html(record.body, record.content_type)
                yield Candidate(record.url, html=html, url=record.url)
            else:
                yield Refused(f"{path.name}@{record.offset}", f"{record.reason} {record.detail}".strip())
    else:
        for row in read_rows(path):
            yield row if isinstance(row, Refused) else _candidate(*row)


def screen_candidate(registry: Registry, candidate: Candidate) -> list[dict[str, Any]]:
    """Result rows (architecture.md section 6) for one candidate, best covered work first."""
    if candidate.html:
        visible = quick_text(candidate.html)
        likely = _likely(registry, visible)
        found = examine(
            candidate.html, visible, candidate.url, likely, registry.load, background=registry.background
        ).found
    else:
        found = find_works(
            candidate.text, candidate.title, registry.load(_likely(registry, candidate.text)), registry.background
        )
    rows = [_row(registry, candidate, one) for one in found]
    return sorted(rows, key=lambda row: -row["coverage_of_work"])


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]] | Refused]:
    """(place, object) of each line that is not blank; a line that is no JSON object is refused with its number."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    with file:
        for number, line in enumerate(file, 1):
            place = f"{path.name}:{number}"
            if not line.strip(b" \t\r\n\xef\xbb\xbf"):
                continue
            try:
                values = json.loads(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                yield Refused(place, "not UTF-8")
            except (ValueError, RecursionError):
                yield Refused(place, "not JSON")
            else:
                yield (place, values) if isinstance(values, dict) else Refused(place, "not a JSON object")


def _read_folder(folder: Path) -> Iterator[Candidate | Refused]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in HTML_SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            html, _, _ = decode_html(path.read_bytes())
        except OSError as error:
            yield Refused(name, error.strerror or "unreadable")
        else:
            yield Candidate(name, html=html)


def _candidate(place: str, values: dict[str, Any]) -> Candidate | Refused:
    strings = {name: _string(values, name) for name in ("id", "url", "title", "text", "html")}
    for name, value in strings.items():
        if value is None:
            return Refused(place, f"{name} is not a text")
        if len(value) > MAX_TEXT_CHARACTERS:
            return Refused(place, f"{name} is longer than {MAX_TEXT_CHARACTERS} characters")
    if not strings["id"]:
        return Refused(place, "no id")
    if not strings["text"] and not strings["html"]:
        return Refused(place, "neither text nor html")
    return Candidate(**{name: value or "" for name, value in strings.items()})


def _string(values: dict[str, Any], name: str) -> str | None:
    """The value as a string ("" when absent, numbers as written); None when it is anything else."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _likely(registry: Registry, text: str) -> list[IndexCandidate]:
    normalised = normalise(text)
    return likely_candidates(normalised, registry.find(fingerprint_text(normalised)))


def _row(registry: Registry, candidate: Candidate, found: Found) -> dict[str, Any]:
    measured = found.measured
    return {
        "candidate": candidate.id,
        "work": registry.works[found.work.work_id].id,
        "kind": measured.kind,
        "coverage_of_work": round(measured.overlap.coverage, 4),
        "coverage_of_candidate": round(measured.overlap.coverage_of_page, 4),
        "longest_run": measured.alignment.longest_run,
        "simhash_distance": measured.distance,
        "spans": measured.spans,
        "quoted_coverage": round(measured.quoted_coverage, 4),
        "rewritten": [list(passage.quad) for passage in measured.rewritten],
        "rewritten_coverage_of_work": round(measured.rewritten_coverage[0], 4),
        "rewritten_coverage_of_candidate": round(measured.rewritten_coverage[1], 4),
        "is_condensed": measured.is_condensed,
    }
