from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import PostingsIndex, fingerprint_text
from service.fingerprint.postings import STOP_FLOOR, bucket_bits, bucket_starts, cut_records, pack_postings


def hashes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


@given(
    st.lists(st.sets(st.integers(0, 30) | st.sampled_from([2**40 - 1, 2**39]), max_size=12), max_size=19),
    st.sets(st.integers(0, 30) | st.just(2**40 - 1), max_size=12),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_search_counts_shared_hashes_exactly(works: list[set[int]], asked: set[int], min_shared: int) -> None:
    index = PostingsIndex.build((1000 - i, hashes(*sorted(work))) for i, work in enumerate(works))
    expected = Counter({1000 - i: len(work & asked) for i, work in enumerate(works) if len(work & asked) >= min_shared})
    found = index.search(hashes(*sorted(asked)), min_shared=min_shared)
    assert found == sorted(expected.items(), key=lambda item: (-item[1], item[0]))


def test_a_hash_in_more_works_than_the_floor_is_a_stop_hash() -> None:
    def works(n: int) -> PostingsIndex:
        return PostingsIndex.build((i, hashes(7, 8)) for i in range(n))

    assert len(works(STOP_FLOOR).search(hashes(7, 8), limit=100)) == STOP_FLOOR
    assert works(STOP_FLOOR + 1).search(hashes(7, 8), limit=100) == []


def test_the_stop_line_rises_with_the_number_of_works() -> None:
    rows = [(i, hashes(3, 100 + i) if i < 60 else hashes(100 + i)) for i in range(120_000)]
    assert len(PostingsIndex.build(rows).search(hashes(3), min_shared=1, limit=100)) == 60
    assert PostingsIndex.build(rows[:119_000]).search(hashes(3), min_shared=1, limit=100) == []


def test_the_stop_line_rises_to_500_works_and_no_further() -> None:
    index = PostingsIndex.build((i, hashes(100)) for i in range(1))
    index = PostingsIndex(index.starts, index.records, np.arange(2_000_000), np.zeros(2_000_000, np.uint32))
    assert index.most_works_per_hash == 500


@pytest.mark.parametrize(("postings", "bits"), [(2**14 - 1, 8), (2**14, 16), (2**22 - 1, 16), (2**22, 24)])
def test_the_table_grows_with_the_postings(postings: int, bits: int) -> None:
    assert bucket_bits(postings) == bits
    with pytest.raises(ValueError, match="postings"):
        bucket_bits(2**32)


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_every_table_finds_every_posting(bits: int) -> None:
    draw = np.random.default_rng(bits)
    values = np.unique(draw.integers(0, 2**40, 3_000, dtype=np.uint64)) // 3 * 3  # so that some are neighbours
    values[:4] = 0, 3, 2**40 - 4, 2**40 - 1
    values = np.unique(values)
    parts = [*(values[n::7] for n in range(7)), values]
    packed = pack_postings(parts, [len(part) for part in parts], 0)
    starts = np.append(bucket_starts(packed, bits, 0, 2**bits), len(packed)).astype(np.uint32)
    ids = np.arange(8) + 50
    index = PostingsIndex(starts, cut_records(packed, bits), ids, np.zeros(8, np.uint32))
    assert (index.document_frequency(values) == 2).all()
    assert not index.document_frequency(values[1:] - np.uint64(1)).any()
    expected = Counter({50 + n: len(values[n::7]) for n in range(7)} | {57: len(values)})
    assert index.search(values, limit=8) == sorted(expected.items(), key=lambda item: (-item[1], item[0]))


def test_limit_keeps_the_works_that_share_most() -> None:
    index = PostingsIndex.build((i, hashes(*range(i + 1))) for i in range(10))
    assert index.search(hashes(*range(10)), limit=3) == [(9, 10), (8, 9), (7, 8)]


def test_an_excerpt_in_another_article_is_found(article: str, other: str) -> None:
    ours, page = fingerprint_text(article), fingerprint_text(other[:100] + article[100:200] + other[100:])
    assert ours is not None
    assert page is not None
    found = PostingsIndex.build([(41, ours.winnow)]).search(page.winnow)
    assert [work for work, _ in found] == [41]


def test_an_empty_index_and_an_empty_question_find_nothing() -> None:
    assert PostingsIndex.build([]).search(hashes(1, 2)) == []
    assert PostingsIndex.build([(1, hashes(1, 2))]).search(hashes()) == []


def test_wrong_works_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        PostingsIndex.build([(1, hashes(1)), (1, hashes(2))])
    with pytest.raises(ValueError, match="40 bits"):
        PostingsIndex.build([(1, hashes(2**40))])
