"""A spreadsheet opens our CSV as text and runs none of it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from service.exports import FORMULA_STARTS, csv_lines, guard_cell

CELLS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@\t\r\x00\"',\n 　"), max_size=30)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_no_cell_starts_a_formula_and_nothing_is_lost(rows: list[list[str]]) -> None:
    body = "".join(csv_lines(["=甲", "乙"], rows)).removeprefix("\ufeff")
    read = list(csv.reader(io.StringIO(body, newline="")))
    assert len(read) == len(rows) + 1
    for cells, source in zip(read, [["=甲", "乙"], *rows], strict=True):
        for cell, original in zip(cells, source, strict=True):
            assert not cell.lstrip(" \u3000\ufeff").startswith(FORMULA_STARTS)
            assert cell in (original, f"'{original}")


def test_a_number_stays_a_number() -> None:
    assert guard_cell(-3) == "-3"
    assert guard_cell(0.97) == "0.97"
    assert guard_cell("-3") == "'-3"
    assert guard_cell(None) == ""
