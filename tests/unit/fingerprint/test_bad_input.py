"""Input that no newsroom would send: a fingerprint or "too short to judge", never a crash, a hang or a false match."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import (
    IndexSegment,
    align_rewritten,
    align_texts,
    classify,
    fingerprint_text,
    is_reworded,
    measure_overlap,
    normalise,
)
from service.matching import compare, may_match

BAD = {
    "empty": "",
    "spaces": " \t\r\n\u3000" * 500,
    "one character": "甲",
    "one character a million times": "甲" * 1_000_000,
    "two characters in turn": "甲乙" * 200_000,
    "punctuation": "，。！？；：“”（）——……" * 2_000,
    "lone surrogates": "\ud800\udfff" * 1_000,
    "nulls": "\x00" * 5_000,
    "nulls in words": "\x00镇\x00上\x00的\x00老\x00师\x00傅" * 40,
    "right to left": "\u202eمرحبا بالعالم \u202cשלום עולם " * 60,
    "emoji": "😀👩‍👩‍👧‍👦🏳️‍🌈🇨🇳" * 400,
    "combining marks": "e" + "\u0301" * 100_000,
    "binary": Random(7).randbytes(40_000).decode("latin-1"),
    "astral": "𠮷𠀀𪚥" * 300,
    "long lines of digits": "0123456789" * 5_000,
}


ANY_TEXT = st.one_of(
    st.text(max_size=400), st.text(alphabet="镇上的老师傅\ud800\udfff\0\u202e。“”，说12", max_size=400)
)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_bad_text_matches_no_article(text: str, article: str) -> None:
    fingerprint = fingerprint_text(text)
    assert fingerprint is None or len(fingerprint.winnow) > 0
    for work, page in ((article, text), (text, article)):
        overlap = measure_overlap(work, page)
        assert classify(overlap) is None
        assert not is_reworded(align_rewritten(work, page), overlap)
        assert compare(work, page, work_title="", page_title=text[:5_000], distance=None) is None
        assert isinstance(may_match(*(normalise(one).codes.astype(np.uint16) for one in (work, page))), bool)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_an_index_takes_bad_text_and_gives_it_for_no_article(text: str, article: str) -> None:
    rows = []
    for number, one in enumerate((article, text)):
        normalised = normalise(one)
        fingerprint = fingerprint_text(normalised)
        if fingerprint is not None:
            rows.append((number, fingerprint, normalised.codes))
    index = IndexSegment.build(rows)
    asked = fingerprint_text(article)
    assert asked is not None
    assert [one.version_id for one in index.find(asked)] == [0]


@pytest.mark.parametrize("name", ["empty", "spaces", "punctuation", "lone surrogates", "nulls", "emoji"])
def test_text_without_letters_is_too_short_to_judge(name: str) -> None:
    assert fingerprint_text(BAD[name]) is None
    assert not may_match(*(normalise(one).codes.astype(np.uint16) for one in (BAD[name], BAD["one character"])))
    assert len(normalise(BAD[name])) == 0


def test_a_text_of_ten_megabytes_is_measured_with_an_article_inside(article: str) -> None:
    random = Random(3)
    noise = "".join(chr(0x4E00 + random.randrange(6_000)) for _ in range(3_300_000))
    page = noise[:2_000_000] + article + noise[2_000_000:]
    assert len(page.encode()) > 9_900_000
    assert fingerprint_text(page) is not None
    alignment = align_texts(article, page)
    assert alignment.coverage_of_a == 1.0
    assert classify(measure_overlap(article, page)) == "full"


@settings(max_examples=60, deadline=None)  # the first call compiles
@given(ANY_TEXT, ANY_TEXT)
def test_any_two_strings_are_judged(a: str, b: str) -> None:
    overlap = measure_overlap(a, b)
    assert classify(overlap) in (None, "full", "modified", "excerpt")
    for passage in align_rewritten(a, b):
        assert 0 <= passage.a_start < passage.a_end <= len(a)
        assert 0 <= passage.b_start < passage.b_end <= len(b)
        assert 0 <= passage.score <= 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.characters(), min_size=300, max_size=600))
def test_random_characters_match_nothing_of_ours(characters: list[str]) -> None:
    random = Random(5)
    article = "".join(chr(0x4E00 + random.randrange(3_000)) for _ in range(800))
    assert classify(measure_overlap(article, "".join(characters))) is None
