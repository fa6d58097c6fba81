import hashlib

import numpy as np
import pytest
import simhash as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import (
    count_grams,
    from_signed64,
    gram_hash,
    hamming_distance,
    normalise,
    simhash_codes,
    to_signed64,
)
from service.fingerprint.kernels import gram_hashes


def oracle_value(text: str) -> int:
    grams = {gram: np.int64(tf) for gram, tf in count_grams(text).items()}
    return int(oracle.Simhash(grams, hashfunc=gram_hash).value)


@given(st.text(st.sampled_from("甘肃日报兰州新闻ab12𠮷")) | st.text())
@settings(deadline=None)
def test_value_equals_the_pypi_package_bit_for_bit(text: str) -> None:
    normalised = normalise(text)
    assert simhash_codes(normalised.codes) == oracle_value(normalised.text)


def test_value_equals_the_package_on_articles_and_heavy_repetition(article: str, other: str) -> None:
    for text in (article, other, article * 40, "甘肃" * 5000, "甘" * 1000 + article):
        normalised = normalise(text)
        assert simhash_codes(normalised.codes) == oracle_value(normalised.text)


def test_a_tie_clears_the_bit() -> None:
    codes = normalise("甘肃日报社").codes  # two grams
    first, second = gram_hashes(codes, 4).tolist()
    assert simhash_codes(codes) == first & second == oracle_value("甘肃日报社")


def test_less_than_one_gram_gives_zero() -> None:
    assert simhash_codes(normalise("甘肃报").codes) == 0 == oracle_value("甘肃报")


@given(st.text(min_size=4, max_size=4))
@settings(deadline=None)
def test_gram_hash_of_bytes_is_the_kernels_hash(gram: str) -> None:
    codes = np.array([ord(c) for c in gram], dtype=np.uint32)
    assert gram_hashes(codes, 4).tolist() == [gram_hash(gram.encode("utf-8"))]


def test_every_bit_of_the_gram_hash_is_set_about_half_the_time() -> None:
    letters = [chr(0x4E00 + int(hashlib.sha256(bytes([i])).hexdigest()[:3], 16)) for i in range(40)]
    values = [gram_hash((a + b + "新闻").encode()) for a in letters for b in letters]
    shares = [sum(value >> bit & 1 for value in values) / len(values) for bit in range(64)]
    assert min(shares) > 0.44
    assert max(shares) < 0.56


def test_a_small_edit_moves_few_bits_and_another_article_many(article: str, other: str) -> None:
    value = simhash_codes(normalise(article).codes)
    assert hamming_distance(value, simhash_codes(normalise(article.replace("东街", "西街")).codes)) <= 12
    assert hamming_distance(value, simhash_codes(normalise(other).codes)) >= 13


@given(st.integers(0, 2**64 - 1))
@settings(deadline=None)
def test_signed_form_keeps_all_64_bits(value: int) -> None:
    signed = to_signed64(value)
    assert -(2**63) <= signed < 2**63
    assert from_signed64(signed) == value
    assert hamming_distance(signed, to_signed64(0)) == value.bit_count()


def test_values_out_of_range_are_refused() -> None:
    for bad in (-1, 2**64):
        with pytest.raises(ValueError, match="unsigned"):
            to_signed64(bad)
    with pytest.raises(ValueError, match="signed"):
        from_signed64(2**63)
