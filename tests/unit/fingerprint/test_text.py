import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import ALGORITHM, Fingerprint, fingerprint_text, normalise
from service.fingerprint import text as text_module
from service.fingerprint.rewrite_codes import rewrite_codes
from service.fingerprint.text import FINGERPRINTERS, fingerprint_texts


def test_an_article_gets_length_simhash_and_winnow_hashes(article: str) -> None:
    fingerprint = fingerprint_text(article)
    assert fingerprint is not None
    assert fingerprint.algorithm == ALGORITHM
    assert fingerprint.length == len(normalise(article))
    assert 0 < fingerprint.simhash < 2**64
    assert len(fingerprint.winnow) > 20
    assert not fingerprint.is_short


def test_punctuation_layout_case_and_script_do_not_matter(article: str) -> None:
    disguised = "　" + article.replace("，", ", ").replace("。", "。\n\n").replace("检修", "檢修").replace("门", "門")
    assert fingerprint_text(disguised) == fingerprint_text(article)


def test_from_40_to_199_characters_the_simhash_is_not_to_be_trusted(article: str) -> None:
    text = normalise(article).text
    lengths = {n: fingerprint_text(text[:n]) for n in (39, 40, 199, 200)}
    assert lengths[39] is None
    assert [fp.is_short for fp in (lengths[40], lengths[199], lengths[200]) if fp] == [True, True, False]


@pytest.mark.parametrize(
    "text",
    ["", "甘肃", "。" * 500, "\x00" * 500, "\ud800" * 500, "😀" * 500, "哈" * 500, "甘肃日报" * 200, "-=-" * 300],
)
def test_too_little_to_judge_gives_none(text: str) -> None:
    assert fingerprint_text(text) is None


@pytest.mark.parametrize("unit", ["我", "\x00", "😀", "ab", "۝"])
def test_ten_megabytes_of_one_thing_take_less_than_two_seconds(unit: str) -> None:
    fingerprint_text("预热" * 50)
    text = unit * (10_000_000 // len(unit))
    started = time.perf_counter()
    assert fingerprint_text(text) is None
    assert time.perf_counter() - started < 2


def test_binary_read_as_text_gives_a_fingerprint_or_none() -> None:
    noise = np.random.default_rng(3).bytes(200_000)
    for encoding in ("latin-1", "gb18030", "utf-16-le", "utf-8"):
        fingerprint = fingerprint_text(noise.decode(encoding, "replace"))
        assert fingerprint is None or len(fingerprint.winnow) > 0


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
@settings(deadline=None)
def test_any_string_gives_a_fingerprint_or_none(text: str) -> None:
    fingerprint = fingerprint_text(text)
    assert (fingerprint is None) or (fingerprint.length >= 40 and len(fingerprint.winnow) >= 1)


def test_the_second_algorithm_adds_the_rewrite_codes_to_the_first(article: str) -> None:
    first, second = (FINGERPRINTERS[name](article) for name in ("yj-text-1", "yj-text-2"))
    assert first is not None
    assert second is not None
    assert (second.length, second.simhash) == (first.length, first.simhash)
    assert second.winnow.tolist() == first.winnow.tolist()
    assert first.rewrite.tolist() == []
    assert second.rewrite.tolist() == rewrite_codes(article).tolist()
    assert len(second.rewrite) > 5
    assert second == fingerprint_text(article) != first
    assert second == FINGERPRINTERS["yj-text-2"](normalise(article))


def test_a_text_without_han_characters_has_no_rewrite_codes() -> None:
    fingerprint = fingerprint_text("The keeper of the lighthouse counted seven ships before the fog came in. " * 4)
    assert fingerprint is not None
    assert fingerprint.rewrite.tolist() == []
    assert len(fingerprint.winnow) > 5


@pytest.mark.parametrize("most", [1, 500, 10**6])
def test_a_batch_gives_each_text_its_own_fingerprint(most: int, article: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "BATCH_CHARACTERS", most)
    texts = ["", article, "甘肃" * 9, "𠮷" + article, article[:90], "\ud83d", "\ude00" + article, article[::-1]]
    found = fingerprint_texts(texts)
    assert found == [fingerprint_text(text) for text in texts]
    assert [one is None for one in found] == [True, False, True, False, False, True, False, False]
    assert fingerprint_texts([]) == []


@pytest.mark.parametrize("cut", [0, 3, 5, 9, 10, 200, -5])
def test_a_damaged_blob_is_refused(cut: int, article: str) -> None:
    fingerprint = fingerprint_text(article)
    assert fingerprint is not None
    blob = fingerprint.to_bytes()
    with pytest.raises(ValueError, match="bytes"):
        Fingerprint.from_bytes(blob[:cut], algorithm=ALGORITHM, length=200, simhash=1)
    swapped = blob[:10] + blob[15:20] + blob[10:15] + blob[20:]
    with pytest.raises(ValueError, match="ascend"):
        Fingerprint.from_bytes(swapped, algorithm=ALGORITHM, length=200, simhash=1)


@pytest.mark.parametrize("algorithm", list(FINGERPRINTERS))
def test_the_blob_gives_the_fingerprint_back(algorithm: str, article: str) -> None:
    fingerprint = FINGERPRINTERS[algorithm](article)
    assert fingerprint is not None
    assert len(fingerprint.to_bytes()) % 5 == 0
    again = Fingerprint.from_bytes(
        fingerprint.to_bytes(),
        algorithm=fingerprint.algorithm,
        length=fingerprint.length,
        simhash=fingerprint.simhash,
    )
    assert again == fingerprint
    assert hash(again) == hash(fingerprint)
    assert again != fingerprint_text(article + article[::-1])
