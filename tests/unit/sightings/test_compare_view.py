"""The side-by-side view: nothing of either text is lost, invented or linked to the wrong passage."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import align_texts, span_edits
from service.sightings.compare_view import Segment, group_passages, numbers_in, split_segments
from service.sightings.paragraph_map import map_paragraphs

TEXTS = st.text(st.sampled_from("一二三四五，。“”\n\r\u3000ab<>&\u0000😀"), max_size=120)
QUADS = st.lists(st.tuples(*[st.integers(0, 130)] * 4), max_size=12)
WORK = "入春以来，雪岭县河湾镇的老油坊重新热闹起来。\n经过八个月修缮，这座闲置了十九年的厂房变成乡土种子馆。\n县里算过一笔账。"
PAGE = (
    "小编说两句。\n经过八个月修缮，这座闲置了二十年的厂房变成乡土种子馆。\n入春以来，雪岭县河湾镇的老油坊重新热闹起来。"
)


def _joined(paragraphs: list[list[Segment]]) -> str:
    return "".join(segment.text for paragraph in paragraphs for segment in paragraph)


@given(TEXTS, QUADS, QUADS)
def test_segments_put_together_give_the_text_back_exactly(text: str, spans: list, edits: list) -> None:
    for side in ("work", "page"):
        paragraphs = split_segments(text, spans, edits, side)
        assert _joined(paragraphs) == text
        assert all(segment.text for paragraph in paragraphs for segment in paragraph)


@given(TEXTS, QUADS)
def test_only_the_end_of_a_paragraph_holds_a_line_break(text: str, spans: list) -> None:
    for paragraph in split_segments(text, spans, [], "work"):
        assert "\n" not in _joined([paragraph])[:-1]


@given(TEXTS, QUADS)
def test_every_character_of_a_lone_span_is_marked_and_no_other(text: str, spans: list) -> None:
    for quad in spans:
        marked = [s for p in split_segments(text, [quad], [], "page") for s in p if s.span == 1]
        assert "".join(segment.text for segment in marked) == text[quad[2] : max(quad[2], quad[3])]


@given(TEXTS, TEXTS, QUADS)
def test_the_map_draws_any_input_without_leaving_its_frame(work: str, page: str, spans: list) -> None:
    drawn = map_paragraphs(work, page, spans)
    for block in drawn.work + drawn.page:
        assert block.y >= 0 and block.y + block.height <= drawn.height
    assert len(drawn.work) == sum(bool(line.strip()) for line in work.split("\n"))


def _aligned() -> tuple[list[list[int]], list[tuple[int, int, int, int]]]:
    spans = align_texts(WORK, PAGE).spans
    edits = [edit for span in spans for edit in span_edits(WORK, PAGE, span)]
    return [[s.a_start, s.a_end, s.b_start, s.b_end] for s in spans], edits


def test_a_moved_passage_bears_the_same_number_on_both_sides() -> None:
    spans, edits = _aligned()
    sides = [split_segments(text, spans, edits, side) for text, side in ((WORK, "work"), (PAGE, "page"))]
    first = ["".join(s.text for p in side for s in p if s.span == 1) for side in sides]
    assert "老油坊重新热闹起来" in first[0]
    assert "老油坊重新热闹起来" in first[1]


def test_an_edit_inside_a_passage_is_marked_on_each_side() -> None:
    spans, edits = _aligned()
    marked = [
        "".join(s.text for p in split_segments(text, spans, edits, side) for s in p if s.is_edit)
        for text, side in ((WORK, "work"), (PAGE, "page"))
    ]
    assert marked == ["十九", "二十"] or ("九" in marked[0] and "二" in marked[1])


def test_a_link_arrives_once_where_a_passage_runs_over_a_paragraph_end() -> None:
    text = "甲乙丙丁\n\n戊己庚辛"
    grouped = group_passages(split_segments(text, [[1, 8, 0, 7]], [], "work"))
    firsts = [passage.is_first for paragraph in grouped for passage in paragraph if passage.span == 1]
    assert firsts == [True, False]
    assert len(grouped) == 2, "blank lines are no paragraphs"


def test_a_paragraph_that_is_the_pages_own_is_drawn_as_such() -> None:
    spans, _ = _aligned()
    drawn = map_paragraphs(WORK, PAGE, spans)
    assert [block.look for block in drawn.page] == ["own", "copied", "copied"]
    assert drawn.copied == 2


def test_an_empty_text_has_no_paragraphs() -> None:
    assert split_segments("", [[0, 3, 0, 3]], [], "work") == []


@given(TEXTS, QUADS, QUADS, QUADS)
def test_rewritten_passages_neither_lose_nor_invent_a_character(
    text: str, spans: list, edits: list, other: list
) -> None:
    for side in ("work", "page"):
        paragraphs = split_segments(text, spans, edits, side, other)
        assert _joined(paragraphs) == text
        plain = split_segments(text, spans, edits, side)
        copied = [
            "".join(s.text for p in one for s in p if s.span and not s.is_rewritten) for one in (paragraphs, plain)
        ]
        assert copied[0] == copied[1], "identical text keeps its characters whatever was rewritten around it"


def test_a_rewritten_passage_is_numbered_after_the_spans_and_shown_around_them() -> None:
    text = "渠修了三年，花了不少工，水终于到了地头。"
    paragraphs = split_segments(text, [[6, 11, 0, 5]], [], "work", [[0, 20, 30, 50]])
    grouped = group_passages(paragraphs)
    assert [(p.span, p.is_rewritten, p.is_first) for p in grouped[0]] == [
        (2, True, True),
        (1, False, True),
        (2, True, False),
    ]
    assert numbers_in(grouped) == {1, 2}


def test_a_comma_between_two_copied_passages_was_not_rewritten() -> None:
    grouped = group_passages(split_segments("甲乙丙，丁戊己", [[0, 3, 0, 3], [4, 7, 4, 7]], [], "work", [[0, 7, 0, 7]]))
    assert numbers_in(grouped) == {1, 2}


def test_the_map_tells_rewritten_paragraphs_from_copied_and_own_ones() -> None:
    work = "甲乙丙丁戊己庚辛\n子丑寅卯辰巳午未\n天地玄黄宇宙洪荒"
    drawn = map_paragraphs(work, work, [[0, 8, 0, 8], [9, 11, 9, 11]], [[9, 17, 9, 17]])
    assert [block.look for block in drawn.work] == ["copied", "rewritten", "own"]
    assert (drawn.copied, drawn.rewritten) == (2, 1), "copied words in a mostly rewritten paragraph are copied words"
    assert [(rib.span, rib.is_rewritten) for rib in drawn.ribs] == [(3, True), (1, False), (2, False)]


def test_long_texts_with_many_passages_stay_quick() -> None:
    text = ("甲乙丙丁戊己庚辛壬癸" * 9 + "。\n") * 660  # 60,000 characters
    spans = [[at, at + 12, at, at + 12] for at in range(0, 60_000, 40)]
    rewritten = [[at + 10, at + 35, at + 10, at + 35] for at in range(0, 60_000, 40)]
    began = time.monotonic()
    group_passages(split_segments(text, spans, [], "work", rewritten))
    map_paragraphs(text, text, spans, rewritten)
    assert time.monotonic() - began < 2, "a page must not wait for its drawing"
