"""The files people send: JSON lines and CSV in whatever encoding, row by row with line numbers.

Every reader yields `(line, row)` or `(line, Refused)`: what is wrong with one row never hides the next. A file that cannot be
read as a whole raises BadInput.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from sqlalchemy.orm import Session

from service.errors import BadInput, YinjiError

MAX_LINE_CHARACTERS = 8_000_000
MAX_CELL_CHARACTERS = 4_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TRUE = {"1", "true", "yes", "y", "是"}
_FALSE = {"", "0", "false", "no", "n", "否"}

Row = Mapping[str, Any]


class Refusal(NamedTuple):
    """A row that was not taken: its line in the file, the field ("" for the whole row) and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class TableReport:
    """What an import did: rows read, created, there already, and refused. Nothing was written when any was refused."""

    read: int
    created: int
    unchanged: int
    refused: list[Refusal]


def read_rows(
    path: Path, required: Sequence[str], aliases: Mapping[str, str] | None = None
) -> Iterator[tuple[int, Row] | Refusal]:
    """The rows of a `.csv` file, else of JSON lines. `aliases` maps other column names of a CSV to ours.

    Raises BadInput: no such file, not a text, a required CSV column missing.
    """
    if path.suffix.lower() == ".csv":
        return read_csv(path, required, aliases or {})
    return read_jsonl(path)


def read_jsonl(path: Path) -> Iterator[tuple[int, Row] | Refusal]:
    """One JSON object a line; empty lines are passed over."""
    with open_text(path, "\n") as file:
        for number, line in _lines(file):
            if line is None:
                yield Refusal(number, "", f"longer than {MAX_LINE_CHARACTERS:,} characters")
            elif line.strip():
                try:
                    value = json.loads(line, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
                except RecursionError:
                    yield Refusal(number, "", "nested too deeply")
                except ValueError as error:
                    yield Refusal(number, "", f"broken JSON: {str(error)[:120]}")
                else:
                    if isinstance(value, dict):
                        yield number, value
                    else:
                        yield Refusal(number, "", "not a JSON object")


def read_csv(path: Path, required: Sequence[str], aliases: Mapping[str, str]) -> Iterator[tuple[int, Row] | Refusal]:
    """CSV with a header line. A quote that is never closed ends the reading: what follows cannot be told apart."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    with open_text(path, "") as file:
        reader = csv.reader(_csv_lines(file), strict=True)
        names = _header(path, reader, required, aliases)
        line = reader.line_num + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Refusal(line, "", f"broken CSV ({error}); a quote may not be closed. The rest was not read")
                return
            if len(cells) > len(names):
                yield Refusal(line, "", f"{len(cells)} cells under {len(names)} column names; is a comma not quoted?")
            elif any(cells):
                yield line, dict(zip(names, cells, strict=False))
            line = reader.line_num + 1


def open_text(path: Path, newline: str) -> TextIO:
    """The file as text in the encoding it is found to have; a byte outside it becomes a lone surrogate (U+DC80 and up).

    Raises BadInput: no such file, not readable, binary or UTF-16 without its byte order mark.
    """
    try:
        encoding = _encoding_of(path)
        return path.open(encoding=encoding, errors="surrogateescape", newline=newline)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", "file") from None


def _encoding_of(path: Path) -> str:
    """By its mark; else UTF-8 unless most lines that could tell are not UTF-8: then GB18030.

    One broken byte must not turn a whole UTF-8 file into another encoding's nonsense, hence the count by lines.
    """
    fit = unfit = 0
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        if head.count(0) * 50 > len(head):
            raise BadInput(f"{path}: neither UTF-8 nor GB18030 (UTF-16 without its mark?); save it as UTF-8", "file")
        file.seek(0)
        while line := file.readline(MAX_LINE_CHARACTERS):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                fit += 1
            except UnicodeDecodeError:
                unfit += 1
    return "gb18030" if unfit > fit else "utf-8"


def _lines(file: TextIO) -> Iterator[tuple[int, str | None]]:
    """(number, line), None for a line that is too long to hold."""
    number = 0
    try:
        while line := file.readline(MAX_LINE_CHARACTERS):
            number += 1
            is_whole = len(line) < MAX_LINE_CHARACTERS or line.endswith("\n")
            yield number, line if is_whole else None
            while not is_whole:
                rest = file.readline(MAX_LINE_CHARACTERS)
                is_whole = len(rest) < MAX_LINE_CHARACTERS or rest.endswith("\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.name}: cut or damaged after line {number} ({error.reason})", "file") from None


def _csv_lines(file: TextIO) -> Iterator[str]:
    for _, line in _lines(file):
        if line is None:
            raise csv.Error(f"line longer than {MAX_LINE_CHARACTERS:,} characters")
        yield line


def _header(path: Path, reader: Any, required: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    try:
        cells = next(reader)
    except StopIteration:
        raise BadInput(f"{path}: empty", "file") from None
    except csv.Error as error:
        raise BadInput(f"{path}:1: broken CSV ({error})", "file") from None
    names = [aliases.get(cell.strip(), cell.strip().lower()) for cell in cells]
    for name in required:
        if name not in names:
            raise BadInput(f"{path}:1: the column “{name}” is missing (found: {', '.join(names)[:120]})", name)
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise BadInput(f"{path}:1: the column “{twice[0]}” stands there twice", twice[0])
    return names


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands there twice")
    return values


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def cell(row: Row, field: str) -> str:
    """A CSV cell without outer spaces, "" when absent. Raises BadInput where it holds what no column can."""
    value = str(row.get(field) or "").strip()
    if not value.replace("\t", " ").isprintable():
        raise BadInput(f"{field}: holds control characters, or bytes outside the file's encoding", field)
    return value


def parts(row: Row, field: str) -> list[str]:
    """The parts of a cell that are separated by ; (or the Chinese ；), empty ones left out."""
    return [part.strip() for part in cell(row, field).replace("；", ";").split(";") if part.strip()]


def yes_or_no(row: Row, field: str) -> bool:
    """A cell that says yes (1, true, yes, 是) or no (empty, 0, false, no, 否). Raises BadInput."""
    value = cell(row, field).lower()
    if value not in _TRUE | _FALSE:
        raise BadInput(f"{field}: “{value[:20]}” is neither yes nor no", field)
    return value in _TRUE


def import_table(
    session: Session, path: Path, required: Sequence[str], take: Callable[[Row], bool], *, dry_run: bool
) -> TableReport:
    """Hands each row of a CSV file to `take` (True: created, False: was there). All rows are written or none.

    A domain error that `take` raises refuses its row; the following rows are still read, so that one run tells all.
    """
    refused: list[Refusal] = []
    read = created = 0
    whole = session.begin_nested()
    for item in read_csv(path, required, {}):
        read += 1
        if isinstance(item, Refusal):
            refused.append(item)
            continue
        line, row = item
        single = session.begin_nested()
        try:
            created += take(row)
            single.commit()
        except YinjiError as error:
            single.rollback()
            field = getattr(error, "field", None) or ""
            refused.append(Refusal(line, field, error.message.removeprefix(f"{field}: ")))
    if dry_run or refused:
        whole.rollback()
    else:
        whole.commit()
    return TableReport(read, created, read - created - len(refused), refused)
