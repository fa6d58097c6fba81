import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import align_texts, normalise, span_edits
from service.fingerprint.align import MIN_RUN_CHARACTERS, MIN_SPAN_CHARACTERS


def shared_text(a: str, b: str) -> list[tuple[str, str]]:
    return [(a[s.a_start : s.a_end], b[s.b_start : s.b_end]) for s in align_texts(a, b).spans]


def test_a_copy_is_one_span_over_everything(article: str) -> None:
    result = align_texts(article, article)
    assert result.coverage_of_a == result.coverage_of_b == 1
    assert result.longest_run == result.longest_span == len(normalise(article))
    assert result.edits == 0
    assert shared_text(article, article) == [(article.rstrip("。"), article.rstrip("。"))]


def test_unrelated_articles_share_no_span(article: str, other: str) -> None:
    result = align_texts(article, other)
    assert result.spans == []
    assert (result.coverage_of_a, result.coverage_of_b, result.longest_run) == (0, 0, 0)


def test_an_excerpt_is_found_where_it_stands(article: str, other: str) -> None:
    passage = article[150:230]
    page = other[:90] + passage + other[90:]
    (span,) = align_texts(article, page).spans
    assert page[span.b_start : span.b_end] == article[span.a_start : span.a_end]
    assert abs(span.a_start - 150) <= 2
    assert abs(span.b_end - 170) <= 2
    assert span_edits(article, page, span) == []


def test_reordered_paragraphs_are_all_found(article: str) -> None:
    paragraphs = article.split("\n")
    result = align_texts(article, "\n".join(reversed(paragraphs)))
    assert result.coverage_of_a > 0.99
    assert len(result.spans) == len(paragraphs)


def test_small_edits_do_not_tear_a_span_and_are_told(article: str) -> None:
    edited = article.replace("五点出门", "六点出门").replace("两名徒弟", "两名年轻徒弟").replace("味道很好", "味道好")
    (span,) = align_texts(article, edited).spans
    told = [(article[p:q], edited[x:y]) for p, q, x, y in span_edits(article, edited, span)]
    assert told == [("五", "六"), ("", "年轻"), ("很", "")]


def test_layout_script_and_punctuation_are_no_edits(article: str) -> None:
    disguised = article.replace("，", " , ").replace("检修", "檢修").replace("门", "門")
    (span,) = align_texts(article, disguised).spans
    assert span_edits(article, disguised, span) == []
    assert disguised[span.b_start : span.b_end].startswith("入冬以来 , 祁连山")


def test_offsets_count_code_points_of_the_originals(article: str) -> None:
    a, b = "😀𠮷《" + article[:100], "ﷺ\n\n" + article[:100]
    (span,) = align_texts(a, b).spans
    assert (a[span.a_start], b[span.b_start]) == ("入", "入")
    assert (span.a_start, span.b_start) == (3, 3)


def test_normalised_texts_give_the_same_as_strings(article: str, other: str) -> None:
    page = other + article[40:200]
    whole = align_texts(article, page)
    assert align_texts(normalise(article), normalise(page)) == whole
    assert span_edits(normalise(article), normalise(page), whole.spans[0]) == span_edits(article, page, whole.spans[0])


def test_a_repeated_passage_in_the_work_counts_once_in_the_candidate(article: str) -> None:
    passage = normalise(article).text[:60]
    result = align_texts(passage + passage, passage)
    assert result.coverage_of_b == 1
    assert result.coverage_of_a == pytest.approx(1, abs=0.1)


PIECES = st.lists(st.text(st.sampled_from("甘肃日报新闻，。abé"), max_size=40), max_size=8)


@given(PIECES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_spans_hold_what_they_say(pieces: list[str], random: object) -> None:
    shuffled = list(pieces)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis types it as object
    a, b = "".join(pieces), "".join(shuffled)
    left, right = normalise(a), normalise(b)
    result = align_texts(a, b)
    copied = 0
    for span in result.spans:
        assert 0 <= span.a_start < span.a_end <= len(a)
        assert 0 <= span.b_start < span.b_end <= len(b)
        assert span.identical >= MIN_SPAN_CHARACTERS
        assert MIN_RUN_CHARACTERS <= span.longest_run <= span.identical
        copied += span.identical
        inside_a, inside_b = a[span.a_start : span.a_end], b[span.b_start : span.b_end]
        kept_a, kept_b, at_a, at_b = [], [], span.a_start, span.b_start
        for a0, a1, b0, b1 in span_edits(a, b, span):
            kept_a.append(a[at_a:a0])
            kept_b.append(b[at_b:b0])
            at_a, at_b = a1, b1
        kept_a.append(a[at_a : span.a_end])
        kept_b.append(b[at_b : span.b_end])
        assert normalise("".join(kept_a)).text == normalise("".join(kept_b)).text  # equal but for the edits
        assert len(normalise("".join(kept_a)).text) >= 0.5 * span.identical
        assert normalise(inside_a).text in left.text
        assert normalise(inside_b).text in right.text
    assert result.coverage_of_a == (copied / len(left) if len(left) else 0)
    assert 0 <= result.coverage_of_b <= 1
    assert [s.a_start for s in result.spans] == sorted(s.a_start for s in result.spans)


@given(st.text(st.characters(exclude_categories=[])), st.text(st.characters(exclude_categories=[])))
@settings(deadline=None)
def test_any_two_strings_can_be_aligned(a: str, b: str) -> None:
    assert 0 <= align_texts(a, b).coverage_of_a <= 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("我" * 1_000_000, "我" * 1_000_000),
        ("甘肃" * 200_000, "肃甘省甘肃" * 80_000),
        ("一二三四五" * 50_000, "一二三四六" * 50_000),
        ("一二三四五" * 50_000, ("一二三四五" * 7 + "零") * 7_000),
    ],
)
def test_repetition_costs_no_quadratic_time(a: str, b: str) -> None:
    align_texts("预热" * 20, "预热" * 20)
    started = time.perf_counter()
    align_texts(a, b)
    assert time.perf_counter() - started < 3


def test_long_texts_with_a_moved_half_align_in_full() -> None:
    draw = np.random.default_rng(11)
    text = "".join(map(chr, draw.integers(0x4E00, 0x9FA5, 60_000).tolist()))
    result = align_texts(text, text[30_000:] + text[:30_000])
    assert len(result.spans) == 2
    assert result.coverage_of_a > 0.9999


def test_ten_percent_random_edits_leave_most_of_the_text_covered(article: str) -> None:
    draw = np.random.default_rng(5)
    edited = "".join(chr(int(draw.integers(0x4E00, 0x9FA5))) if draw.random() < 0.10 else c for c in article)
    result = align_texts(article, edited)
    assert result.coverage_of_a > 0.6
    assert result.edits > 10
