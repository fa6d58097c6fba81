"""Files in every shape they arrive in: each row is read or refused by its line, and a hopeless file in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.sheets import MAX_LINE_CHARACTERS, Refusal, read_csv, read_jsonl

HEAD = "id,title,text\n"


def jsonl(path: Path, content: bytes | str) -> tuple[list[Any], list[Refusal]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return split(read_jsonl(path))


def table(path: Path, content: bytes | str) -> tuple[list[Any], list[Refusal]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return split(read_csv(path, ("id", "title", "text"), {"编号": "id", "标题": "title", "正文": "text"}))


def split(items: Any) -> tuple[list[Any], list[Refusal]]:
    items = list(items)
    return [one for one in items if not isinstance(one, Refusal)], [one for one in items if isinstance(one, Refusal)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_chinese_is_read_in_every_common_encoding_or_refused_in_words(tmp_path: Path, encoding: str) -> None:
    line = json.dumps({"id": "1", "title": "水渠修成", "text": "通水了"}, ensure_ascii=False) + "\n"
    if encoding == "utf-16-le":
        with pytest.raises(BadInput, match="UTF-16"):
            jsonl(tmp_path / "a.jsonl", (line * 3).encode(encoding))
        return
    rows, refused = jsonl(tmp_path / "a.jsonl", (line * 3).encode(encoding))
    assert [number for number, _ in rows] == [1, 2, 3] and rows[0][1]["title"] == "水渠修成" and not refused


def test_one_broken_byte_spoils_its_own_row_only(tmp_path: Path) -> None:
    good = '{"id":"1","title":"水渠修成","text":"通水了"}\n'.encode()
    rows, refused = jsonl(tmp_path / "a.jsonl", good * 5 + good.replace("水".encode()[1:2], b"\xff", 1) + good)
    assert rows[0][1]["title"] == rows[6][1]["title"] == "水渠修成" and not refused
    assert "\udcff" in rows[5][1]["title"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "1"', "broken JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"id": NaN}', "NaN"),
        ('{"id": 1, "id": 2}', "twice"),
        ('{"id": ' + "9" * 5000 + "}", "broken JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_line_is_refused_and_the_next_one_read(tmp_path: Path, line: str, said: str) -> None:
    rows, refused = jsonl(tmp_path / "a.jsonl", line + '\n\n{"id": "2"}\n')
    assert [number for number, _ in rows] == [3]
    assert len(refused) == 1 and refused[0].line == 1 and said in refused[0].reason and len(refused[0].reason) < 200


def test_a_line_too_long_to_hold_is_passed_over(tmp_path: Path) -> None:
    long = '{"text": "' + "a" * (2 * MAX_LINE_CHARACTERS + 10) + '"}\n'
    rows, refused = jsonl(tmp_path / "a.jsonl", '{"id": "1"}\n' + long + '{"id": "3"}\n')
    assert [number for number, _ in rows] == [1, 3] and refused[0].line == 2


def test_csv_rows_carry_the_line_they_begin_on(tmp_path: Path) -> None:
    rows, refused = table(tmp_path / "a.csv", '编号,标题,正文\r\n1,甲,"两\r\n行"\r\n\r\n2,乙,丙\r\n3,丁,戊,己\r\n')
    assert [number for number, _ in rows] == [2, 5] and rows[0][1] == {"id": "1", "title": "甲", "text": "两\r\n行"}
    assert [one.line for one in refused] == [6] and "4 cells" in refused[0].reason


def test_an_unclosed_quote_is_told_with_the_line_where_it_opens(tmp_path: Path) -> None:
    rows, refused = table(tmp_path / "a.csv", HEAD + '1,甲,乙\n2,"丙,丁\n3,戊,己\n')
    assert len(rows) == 1 and [one.line for one in refused] == [3] and "quote" in refused[0].reason


def test_a_ten_megabyte_cell_is_refused(tmp_path: Path) -> None:
    _, refused = table(tmp_path / "a.csv", HEAD + "1,甲," + "啊" * 10_000_000 + "\n")
    assert [one.line for one in refused] == [2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("id,title\n", "“text” is missing"),
        (HEAD.replace("title", "id"), "missing"),
        ("id,title,text,id\n", "twice"),
    ],
)
def test_a_table_without_its_columns_is_refused_whole(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        table(tmp_path / "a.csv", content)


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(BadInput, match=str(path)):
            list(read_jsonl(path))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for read in (jsonl, table):
        try:
            read(path, content)
        except BadInput as error:
            assert error.message
