"""Row parsing: what a work row may hold, and that nothing else than BadInput ever comes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.works.rows import MAX_TEXT_CHARACTERS, count_characters, parse_row

ROW = {"id": "a-1", "title": "修渠记", "text": "谷口村的水渠修了三个冬天。"}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_a_full_row_is_read_with_shanghai_time_and_form_by_name() -> None:
    row = parse_row(
        {**ROW, "url": "http://a.example/1", "published_at": "2020-3-30 23:37:00", "form": "摄影", "x": [1]}
    )
    assert (row.external_id, row.form) == ("a-1", "photograph")
    assert row.published_at is not None and row.published_at.isoformat() == "2020-03-30T15:37:00+00:00"


@pytest.mark.parametrize(
    ("over", "field", "said"),
    [
        ({"text": ""}, "text", "empty"),
        ({"text": " \n\u3000\u200b"}, "text", "empty"),
        ({"text": None}, "text", "empty"),
        ({"text": ["a"]}, "text", "not a text"),
        ({"text": "啊" * (MAX_TEXT_CHARACTERS + 1)}, "text", "at most"),
        ({"text": "半\ud800个"}, "text", "half a character"),
        ({"text": "坏\udcff字"}, "text", "0xFF"),
        ({"text": "空\x00字"}, "text", "U+0000"),
        ({"title": " "}, "title", "empty"),
        ({"title": "题" * 501}, "title", "at most 500"),
        ({"title": "好\u202e坏"}, "title", "U+202E"),
        ({"title": "好\x07坏"}, "title", "U+0007"),
        ({"id": ""}, "id", "missing"),
        ({"id": True}, "id", "not a text"),
        ({"id": 10**5000}, "id", "at most 200"),
        ({"published_at": "-5"}, "published_at", "not a date"),
        ({"published_at": "2023-02-29"}, "published_at", "not a date"),
        ({"published_at": "-0044-03-15"}, "published_at", "not a date"),
        ({"published_at": 1585582620}, "published_at", "not a text"),
        ({"url": "javascript:alert(1)"}, "url", "not an http"),
        ({"form": "opera"}, "form", "fourteen"),
    ],
)
def test_an_unfit_row_names_its_field(over: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)) as caught:
        parse_row({**ROW, **over})
    assert caught.value.field == field and len(caught.value.message) < 200


@pytest.mark.parametrize("value", [2**63, "=HYPERLINK(1)", 7])
def test_odd_but_harmless_ids_are_kept_as_text(value: Any) -> None:
    assert parse_row({**ROW, "id": value}).external_id == str(value)


def test_a_delete_character_in_a_real_text_is_no_reason_to_refuse_it() -> None:
    assert parse_row({**ROW, "text": "水\x7f到了"}).text == "水\x7f到了"


@given(st.dictionaries(st.sampled_from([*ROW, "url", "published_at", "byline", "form", "outlet", "other"]), anything))
def test_any_row_is_either_sound_or_refused_by_field(over: dict[str, Any]) -> None:
    try:
        row = parse_row({**ROW, **over})
    except BadInput as error:
        assert error.field in {*ROW, "url", "published_at", "byline", "form", "outlet"} and error.message
    else:
        for value in (row.external_id, row.title, row.text, row.url, row.byline, row.outlet):
            value.encode("utf-8")
            assert "\x00" not in value
        assert row.title and row.external_id and count_characters(row.text) > 0


@given(st.text(), st.text())
def test_characters_add_up_and_never_exceed_the_code_points(a: str, b: str) -> None:
    assert count_characters(a + b) == count_characters(a) + count_characters(b) <= len(a) + len(b)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("水到了。", 4), ("a b\u3000c\n", 3), ("2026年，GDP 增长 5%", 13), ("零\u200b宽\ufeff", 2), ("𠮷田", 2)],
)
def test_every_visible_character_counts_once(text: str, count: int) -> None:
    assert count_characters(text) == count
