from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import PostingsIndex, fingerprint_text


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


def test_a_hash_in_more_than_20_works_is_a_stop_hash() -> None:
    def works(n: int) -> PostingsIndex:
        return PostingsIndex.build((i, hashes(7, 8)) for i in range(n))

    assert len(works(20).search(hashes(7, 8), limit=100)) == 20
    assert works(21).search(hashes(7, 8), limit=100) == []


def test_the_stop_line_rises_with_the_number_of_works() -> None:
    rows = [(i, hashes(3, 100 + i) if i < 50 else hashes(100 + i)) for i in range(100_000)]
    assert len(PostingsIndex.build(rows).search(hashes(3), min_shared=1, limit=100)) == 50
    assert PostingsIndex.build(rows[:99_000]).search(hashes(3), min_shared=1, limit=100) == []


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
