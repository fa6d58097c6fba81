import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.fingerprint import Candidate, Fingerprint, IndexSegment, fingerprint_text, kernels, normalise
from service.fingerprint.postings import STOP_FLOOR
from service.fingerprint.segment import MAX_CANDIDATES, MAX_DISTANCE_BITS, rank
from service.fingerprint.text import ALGORITHM, FINGERPRINTERS, SIMHASH_CHARACTERS

Row = tuple[int, Fingerprint, NDArray[np.uint32]]


def made(length: int, simhash: int, winnow: set[int], rewrite: set[int] = frozenset()) -> Fingerprint:  # type: ignore[assignment]  # a frozenset is empty and safe as default
    ascending = [np.array(sorted(values), dtype=np.uint64) for values in (winnow, rewrite)]
    return Fingerprint(ALGORITHM, length, simhash, *ascending)


def row_of(version_id: int, text: str) -> Row:
    normalised = normalise(text)
    fingerprint = fingerprint_text(normalised)
    assert fingerprint is not None
    return version_id, fingerprint, normalised.codes


FINGERPRINTS = st.builds(
    made,
    st.sampled_from([60, SIMHASH_CHARACTERS - 1, SIMHASH_CHARACTERS, 5_000]),
    st.integers(0, 2**64 - 1) | st.integers(0, 15).map(lambda bits: 2**bits - 1),
    st.sets(st.integers(0, 12) | st.sampled_from([2**40 - 1, 2**39, 2**32]), max_size=8),
    st.sets(st.integers(0, 12) | st.just(2**40 - 1), max_size=4),
)


def found_by_dictionaries(rows: list[Row], page: Fingerprint) -> list[tuple[int, int, int, int | None]]:
    """What ``find`` promises, by the most obvious means: (id, shared, rewritten, distance), best first."""
    frequency = Counter(value for _, work, _ in rows for value in {*work.winnow.tolist(), *work.rewrite.tolist()})
    counted: list[Candidate] = []
    near: list[Candidate] = []
    for version_id, work, _ in rows:
        theirs = {*work.winnow.tolist(), *work.rewrite.tolist()}
        shared, rewritten = (
            sum(1 for value in asked.tolist() if value in theirs and frequency[value] <= STOP_FLOOR)
            for asked in (page.winnow, page.rewrite)
        )
        bits = None if work.is_short or page.is_short else (work.simhash ^ page.simhash).bit_count()
        candidate = Candidate(version_id, shared, bits, rewritten=rewritten)
        least = 1 if work.is_short or page.is_short else 2
        if shared >= least or shared + rewritten > least:
            counted.append(candidate)
        if bits is not None and bits <= MAX_DISTANCE_BITS:
            near.append(candidate)
    counted.sort(key=lambda one: (-one.shared - one.rewritten, one.version_id))
    kept = {one.version_id: one for one in counted[:MAX_CANDIDATES]}
    for one in sorted(near, key=lambda one: (one.distance, one.version_id))[:MAX_CANDIDATES]:
        if one.version_id not in kept:
            kept[one.version_id] = Candidate(one.version_id, 0, one.distance)
    return [(one.version_id, one.shared, one.rewritten, one.distance) for one in sorted(kept.values(), key=rank)]


@given(st.lists(FINGERPRINTS, max_size=30), FINGERPRINTS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=300)
def test_candidates_are_those_that_dictionaries_find(works: list[Fingerprint], page: Fingerprint, draw: Any) -> None:
    ids = draw.sample(range(1, 1_000), len(works))
    rows = [(version_id, work, np.empty(0, np.uint32)) for version_id, work in zip(ids, works, strict=True)]
    expected = found_by_dictionaries(rows, page)
    segment = IndexSegment.build(rows)
    for implementation in ("compiled", "plain"):
        if implementation == "compiled":
            pytest.importorskip("numba")
        with kernels.use(implementation):
            found = segment.find(page)
        assert [(one.version_id, one.shared, one.rewritten, one.distance) for one in found] == expected


def test_an_article_and_its_excerpt_in_another_article_are_found(article: str, other: str) -> None:
    segment = IndexSegment.build([row_of(8, other[::-1]), row_of(7, article)])
    (whole,) = segment.find(row_of(0, article)[1])
    assert (whole.version_id, whole.distance, whole.shared) == (7, 0, len(row_of(0, article)[1].winnow))
    (part,) = segment.find(row_of(0, other[:100] + article[100:200] + other[100:])[1])
    assert part.version_id == 7
    assert part.shared >= 2
    assert part.distance is not None
    assert part.distance > MAX_DISTANCE_BITS


def test_a_candidate_brings_the_text_cut_to_16_bits(article: str) -> None:
    text = "\U00020001" * 3 + article
    segment = IndexSegment.build([row_of(5, article[::-1]), row_of(4, text)])
    expected = (normalise(text).codes & 0xFFFF).tolist()
    assert expected[0] == 1
    assert segment.find(row_of(0, text)[1])[0].codes.tolist() == expected
    assert segment.codes(4).tolist() == expected
    assert segment.codes(4).dtype == np.uint16
    assert segment.size == 2


@pytest.mark.parametrize("absent", [-1, 0, 3, 6, 2**62])
def test_the_text_of_a_version_that_is_not_there_is_an_error(absent: int, article: str) -> None:
    with pytest.raises(KeyError):
        IndexSegment.build([row_of(5, article), row_of(4, article)]).codes(absent)
    with pytest.raises(KeyError):
        IndexSegment.build([]).codes(absent)


def test_an_empty_segment_finds_nothing(article: str) -> None:
    segment = IndexSegment.build([])
    assert segment.find(row_of(0, article)[1]) == []
    assert segment.size == 0
    assert segment.document_frequency(np.array([1, 2], np.uint64)).tolist() == [0, 0]


@pytest.mark.parametrize("bits_of_table", [8, 16])
@given(st.lists(st.sets(st.integers(0, 40) | st.integers(2**40 - 40, 2**40 - 1), max_size=30), max_size=60))
@settings(deadline=None, max_examples=30)
def test_document_frequency_counts_every_version(bits_of_table: int, works: list[set[int]]) -> None:
    filler = 2**13 if bits_of_table == 16 else 0
    rows = [(i, made(900, 1, work), np.empty(0, np.uint32)) for i, work in enumerate(works)]
    rows += [(-1 - k, made(900, 1, set(range(10**6, 10**6 + filler))), np.empty(0, np.uint32)) for k in (1, 2)]
    expected = Counter(value for work in works for value in work)
    asked = [*range(45), *range(2**40 - 45, 2**40)]
    found = IndexSegment.build(rows).document_frequency(np.array(asked, np.uint64))
    assert found.tolist() == [expected[value] for value in asked]


def test_hashes_in_any_order_and_more_than_once_count_once() -> None:
    segment = IndexSegment.build([(1, made(900, 0, {3, 5, 9}), np.empty(0, np.uint32))])
    page = Fingerprint(ALGORITHM, 900, 2**64 - 1, np.array([9, 3, 9, 9, 5, 3], np.uint64))
    assert [(one.version_id, one.shared) for one in segment.find(page)] == [(1, 3)]


def test_two_shared_hashes_of_short_texts_one_is_enough() -> None:
    rows = [(1, made(900, 0, {3, 5}), np.empty(0, np.uint32)), (2, made(150, 0, {3, 6}), np.empty(0, np.uint32))]
    segment = IndexSegment.build(rows)
    assert [one.version_id for one in segment.find(made(900, 2**64 - 1, {3}))] == [2]
    assert [one.version_id for one in segment.find(made(150, 2**64 - 1, {3}))] == [1, 2]


def test_rewrite_codes_make_a_candidate_where_winnow_hashes_are_too_few() -> None:
    segment = IndexSegment.build([(1, made(900, 0, {1, 2}, {101, 102, 103}), np.empty(0, np.uint32))])

    def found(winnow: set[int], rewrite: set[int]) -> list[tuple[int, int]]:
        return [(one.shared, one.rewritten) for one in segment.find(made(900, 2**64 - 1, winnow, rewrite))]

    assert found({7}, {101, 102, 103}) == [(0, 3)]
    assert found({1}, {101, 102}) == [(1, 2)]
    assert found({1, 2}, set()) == [(2, 0)]
    assert found({1}, {101}) == []
    assert found(set(), {101, 102}) == []


def test_only_like_is_compared_with_like(article: str) -> None:
    old = FINGERPRINTERS["yj-text-1"](article)
    assert old is not None
    codes = normalise(article).codes
    with pytest.raises(ValueError, match="yj-text-1"):
        IndexSegment.build([(1, old, codes)])
    segment = IndexSegment.build([(1, old, codes)], "yj-text-1")
    assert [one.version_id for one in segment.find(old)] == [1]
    with pytest.raises(ValueError, match="yj-text-2"):
        segment.find(row_of(0, article)[1])


def test_rows_that_cannot_be_indexed_are_refused(article: str) -> None:
    row = row_of(1, article)
    with pytest.raises(ValueError, match="twice"):
        IndexSegment.build([row, row_of(2, article), row])
    with pytest.raises(ValueError, match="40 bits"):
        IndexSegment.build([(1, made(900, 0, {2**40}), row[2])])
    with pytest.raises(ValueError, match="40 bits"):
        IndexSegment.build([row]).find(made(900, 0, {2**40}))


def test_built_and_mapped_segments_need_the_machine_code_once(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from service.fingerprint import ALGORITHM, Fingerprint, IndexSegment\n"
        "from service.fingerprint.snapshot import open_segment, write_segment\n"
        "rows = [(n, Fingerprint(ALGORITHM, 900, n, np.array([n], np.uint64)), np.zeros(5, np.uint32))"
        " for n in range(1100)]\n"
        "write_segment(Path(sys.argv[1]), rows)\n"
        "for segment in (IndexSegment.build(rows), open_segment(Path(sys.argv[1]))):\n"
        "    segment.find(rows[3][1]), segment.document_frequency(rows[3][1].winnow)\n"
        "from service.fingerprint import compiled_index as c\n"
        "print([len(f.signatures) for f in (c.count_shared, c.postings_ranges, c.band_scan)])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "g1")], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[1, 1, 1]"


def test_a_candidate_without_text_is_equal_to_one_with_it() -> None:
    with_text = Candidate(1, 2, None, np.array([5], np.uint16))
    assert Candidate(1, 2, None) == with_text
    assert len(Candidate(1, 2, None).codes) == 0
