"""Lists as CSV that opens in a spreadsheet: UTF-8 with a mark, and no cell that a spreadsheet would take for a formula. PURE."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00")
"""OWASP, CSV injection: a cell that starts with one of these may be executed. NUL hides what follows it."""
MOST_ROWS = 50_000
"""Rows of one export; beyond that a person wants a filter, not a file."""


def guard_cell(value: object) -> str:
    """The value as a cell; text that could be a formula gets an apostrophe in front. None is empty."""
    if value is None:
        return ""
    text = str(value)
    is_number = isinstance(value, (int, float))
    starts = text.lstrip(" \u3000\ufeff")  # spreadsheets trim before they look
    return f"'{text}" if starts.startswith(FORMULA_STARTS) and not is_number else text


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of the file, one by one, so that a long list is never held in memory."""
    yield "\ufeff"
    for row in chain([heads], rows):
        buffer = io.StringIO()
        csv.writer(buffer).writerow([guard_cell(cell) for cell in row])
        yield buffer.getvalue()
