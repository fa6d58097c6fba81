"""`align` and `extract` on files: the JSON shapes that others rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.commands.texts import align, extract
from service.errors import BadInput
from tests.factories import TEXT

HTML = f"""<html><head><title>修渠记</title></head><body><h1>修渠记</h1>
<p>2026-03-02 08:16　来源：雪岭日报　作者：白朔</p>{"".join(f"<p>{part}</p>" for part in TEXT.splitlines())}</body></html>"""


def call(command: Any, *words: object) -> Any:
    return CliRunner().invoke(command, [str(word) for word in words], standalone_mode=True)


def test_align_prints_the_agreed_shape(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("前言。" + TEXT, "utf-8")
    (tmp_path / "b.txt").write_bytes(TEXT.encode("gb18030"))
    found = json.loads(call(align, tmp_path / "a.txt", tmp_path / "b.txt", "--json").output)
    assert list(found) == ["coverage_of_a", "coverage_of_b", "longest_run", "spans", "rewritten"]
    assert found["coverage_of_b"] == 1.0 and found["coverage_of_a"] < 1
    (span,) = found["spans"]
    assert span[0] == 3 and span[2] == 0 and all(isinstance(offset, int) for offset in span)


def test_align_says_the_same_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    said = call(align, tmp_path / "a.txt", tmp_path / "a.txt").output
    assert "100.0% of a.txt" in said and TEXT[:20] in said


def test_pairs_give_a_row_each_and_tell_the_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    rows = (
        {"id": 1, "a": TEXT, "b": TEXT},
        {"id": "x", "a": "@a.txt", "b": ""},
        {"id": 3, "a": 5, "b": ""},
        {"id": 4, "a": "@no", "b": ""},
        {"id": "\ud800", "a": "@\0", "b": ""},
    )
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n", "utf-8")
    done = call(align, "--pairs", pairs, "--out", tmp_path / "out.jsonl")
    written = [json.loads(one) for one in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert done.exit_code == 1 and [row["id"] for row in written] == [1, "x"]
    assert written[0]["coverage_of_a"] == 1.0 and written[1]["spans"] == []
    assert [f":{number}:" in done.stderr for number in (2, 3, 4, 5, 6)] == [False, True, True, True, True]


@pytest.mark.parametrize("words", [(), ("a",), ("--pairs", "x"), ("a", "b", "--out", "c"), ("none.txt", "none.txt")])
def test_a_call_that_makes_no_sense_is_refused_in_words(words: tuple[str, ...]) -> None:
    assert isinstance(call(align, *words).exception, BadInput)


def test_extract_gives_what_the_page_states_and_null_for_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(HTML.encode("gbk"))
    found = json.loads(call(extract, tmp_path / "a.html", "--json").output)
    assert list(found) == ["title", "byline", "source", "published_at", "text"]
    assert (found["title"], found["source"], found["published_at"]) == (
        "修渠记",
        "雪岭日报",
        "2026-03-02T08:16:00+08:00",
    )
    assert TEXT.splitlines()[0] in found["text"]
    (tmp_path / "b.html").write_text("<p></p>", "utf-8")
    assert json.loads(call(extract, tmp_path / "b.html", "--json").output)["published_at"] is None
