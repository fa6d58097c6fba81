import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.fingerprint import HammingIndex
from service.fingerprint.hamming import BANDS, BRUTE_FORCE_ROWS, MOST_DISTANCE_BITS, Bands, band_reach, sort_bands


def planted(rows: int, seed: int) -> tuple[NDArray[np.uint64], int]:
    """Random values, and 1,000 that lie 0 to 15 bits from the query."""
    draw = np.random.default_rng(seed)
    hashes = draw.integers(0, 2**64, rows, dtype=np.uint64)
    query = int(hashes[0])
    for row in range(1, 1_000):
        flips = sum(1 << bit for bit in draw.choice(64, row % 16, replace=False).tolist())
        hashes[row] = np.uint64(query ^ flips)
    return hashes, query


@pytest.mark.parametrize("rows", [BRUTE_FORCE_ROWS, BRUTE_FORCE_ROWS + 1, 60_000])
def test_search_finds_exactly_what_comparing_all_finds(rows: int) -> None:
    hashes, query = planted(rows, seed=rows)
    ids = np.random.default_rng(1).permutation(rows).astype(np.int64) * 3
    index = HammingIndex(hashes, ids)
    every = np.bitwise_count(hashes ^ np.uint64(query))
    for reach in range(12):
        found, distances = index.search(query, reach)
        expected = sorted(zip(every[every <= reach].tolist(), ids[every <= reach].tolist(), strict=True))
        assert list(zip(distances.tolist(), found.tolist(), strict=True)) == expected
        assert len(expected) >= 50 * reach


@given(
    st.integers(0, 2**64 - 1),
    st.lists(st.lists(st.integers(0, 63), unique=True, max_size=16), max_size=300),
    st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=150)
def test_at_every_distance_all_values_near_any_query_are_found(query: int, flips: list[list[int]], seed: int) -> None:
    near = [query ^ sum(1 << bit for bit in bits) for bits in flips]
    far = np.random.default_rng(seed).integers(0, 2**64, BRUTE_FORCE_ROWS + 1, dtype=np.uint64)
    hashes = np.concatenate((np.array(near, dtype=np.uint64), far))
    every = np.bitwise_count(hashes ^ np.uint64(query))
    index = HammingIndex(hashes, np.arange(len(hashes)))
    for reach in range(MOST_DISTANCE_BITS + 1):
        ids, distances = index.search(query, reach)
        expected = np.flatnonzero(every <= reach)
        assert sorted(ids.tolist()) == expected.tolist()
        assert distances.tolist() == sorted(every[expected].tolist())


def test_no_value_within_reach_can_miss_every_band() -> None:
    for bits in range(MOST_DISTANCE_BITS + 1):
        reach = band_reach(bits)
        assert len(reach) == BANDS
        assert sum(t + 1 for t in reach) == bits + 1  # whoever misses every band differs in more bits


@pytest.mark.parametrize("rows", [0, BRUTE_FORCE_ROWS, BRUTE_FORCE_ROWS + 1])
def test_an_index_made_from_its_tables_answers_the_same(rows: int) -> None:
    hashes = np.random.default_rng(rows).integers(0, 2**64, rows, dtype=np.uint64)
    ids = np.arange(rows, dtype=np.uint32) + 7
    index, again = HammingIndex(hashes, ids), HammingIndex.from_bands(Bands(*sort_bands(hashes)), ids)
    for query in [*hashes[:20].tolist(), 0]:
        found, expected = again.search(query, 11), index.search(query, 11)
        assert [x.tolist() for x in found] == [x.tolist() for x in expected]
        assert len(found[0]) >= (query != 0)


def test_three_wrong_bits_in_each_band_but_one_are_still_found() -> None:
    query = 0x0123456789ABCDEF
    worst = query ^ 0x0007_0007_0007_0003  # 3 + 3 + 3 + 2 = 11 bits
    hashes = np.random.default_rng(2).integers(0, 2**64, 10_000, dtype=np.uint64)
    hashes[77] = worst
    ids, distances = HammingIndex(hashes, np.arange(10_000)).search(query, 11)
    assert (ids.tolist(), distances.tolist()) == ([77], [11])


def test_an_empty_index_finds_nothing() -> None:
    ids, distances = HammingIndex(np.empty(0, np.uint64), np.empty(0, np.int64)).search(5, 11)
    assert len(ids) == len(distances) == 0


def test_wrong_questions_are_refused() -> None:
    index = HammingIndex(np.array([1], np.uint64), np.array([9]))
    for query, reach in ((1, 12), (1, -1), (-1, 3), (2**64, 3)):
        with pytest.raises(ValueError, match=r"max_distance_bits|unsigned"):
            index.search(query, reach)
    with pytest.raises(ValueError, match="one id per hash"):
        HammingIndex(np.array([1], np.uint64), np.array([1, 2]))
