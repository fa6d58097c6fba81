"""The compiled and the plain kernels give the same bits."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import (
    HammingIndex,
    PostingsIndex,
    align_texts,
    fingerprint_text,
    kernels,
    normalise,
    span_edits,
)
from service.fingerprint.text import FINGERPRINTERS, fingerprint_texts

SMALL = st.text(st.sampled_from("甘肃日报ａ，①ﷺ𠮷😀é"), max_size=200) | st.text(
    st.characters(exclude_categories=[]), max_size=200
)


def same_bits(function: Callable[[], Any]) -> tuple[Any, Any]:
    pytest.importorskip("numba")
    with kernels.use("compiled"):
        compiled = function()
        assert kernels.implementation() == "compiled"
    with kernels.use("plain"):
        plain = function()
        assert kernels.implementation() == "plain"
    return compiled, plain


@given(SMALL)
@settings(deadline=None)
def test_normalising_is_the_same(text: str) -> None:
    compiled, plain = same_bits(lambda: normalise(text))
    assert compiled.codes.tolist() == plain.codes.tolist()
    assert compiled.offsets.tolist() == plain.offsets.tolist()
    assert (compiled.codes.dtype, compiled.offsets.dtype) == (plain.codes.dtype, plain.offsets.dtype)


@given(SMALL, st.integers(1, 400))
@settings(deadline=None)
def test_fingerprints_are_the_same(text: str, times: int) -> None:
    compiled, plain = same_bits(lambda: [make(text * times) for make in FINGERPRINTERS.values()])
    assert compiled == plain


@given(st.lists(st.tuples(SMALL, st.integers(1, 40)), max_size=8))
@settings(deadline=None)
def test_batches_are_the_same_as_one_by_one(texts: list[tuple[str, int]]) -> None:
    whole = [text * times for text, times in texts]
    compiled, plain = same_bits(lambda: fingerprint_texts(whole))
    assert compiled == plain == [fingerprint_text(text) for text in whole]


@given(st.data())
@settings(deadline=None)
def test_alignments_are_the_same(data: st.DataObject) -> None:
    pieces = st.lists(st.text(st.sampled_from("甘肃日报新闻"), min_size=3, max_size=30), min_size=1, max_size=5)
    parts = data.draw(pieces)
    order = st.lists(st.sampled_from(parts), max_size=12)
    a, b = "".join(data.draw(order)), "".join(data.draw(order))
    compiled, plain = same_bits(lambda: align_texts(a, b))
    assert compiled == plain
    assert [s.identical for s in compiled.spans] == [s.identical for s in plain.spans]
    for span in compiled.spans:
        assert len(set(map(tuple, same_bits(lambda s=span: span_edits(a, b, s))))) == 1


def test_hamming_searches_are_the_same() -> None:
    draw = np.random.default_rng(7)
    hashes = draw.integers(0, 2**64, 20_000, dtype=np.uint64)
    hashes[:500] = hashes[0] ^ (np.uint64(1) << draw.integers(0, 64, 500, dtype=np.uint64))
    index = HammingIndex(hashes, np.arange(20_000))
    for reach in (0, 3, 7, 11):
        compiled, plain = same_bits(lambda r=reach: [x.tolist() for x in index.search(int(hashes[0]), r)])
        assert compiled == plain
        assert len(compiled[0]) >= 1


@given(
    st.lists(st.sets(st.integers(0, 30) | st.integers(2**40 - 9, 2**40 - 1), max_size=12), max_size=40),
    st.sets(st.integers(0, 30) | st.integers(2**40 - 9, 2**40 - 1), max_size=12),
    st.sets(st.integers(0, 30), max_size=5),
    st.integers(1, 3),
    st.integers(0, 25),
)
@settings(deadline=None)
def test_postings_searches_are_the_same(
    works: list[set[int]], winnow: set[int], rewrite: set[int], min_shared: int, limit: int
) -> None:
    def array(values: set[int]) -> Any:
        return np.array(sorted(values), dtype=np.uint64)

    index = PostingsIndex.build((500 - n, array(work)) for n, work in enumerate(works))
    index.lengths, index.short_length = np.arange(len(works), dtype=np.uint32), len(works) // 2
    compiled, plain = same_bits(
        lambda: [x.tolist() for x in index.count_shared(array(winnow), array(rewrite), min_shared, limit)]
    )
    assert compiled == plain
    asked = array(winnow | rewrite)
    compiled, plain = same_bits(lambda: index.document_frequency(asked).tolist())
    assert compiled == plain == [sum(value in work for work in works) for value in asked.tolist()]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60), st.integers(1, 40), st.sampled_from([4, 16, 32]))
@settings(deadline=None)
def test_window_minima_are_the_same(values: list[int], times: int, window: int) -> None:
    hashes = np.array(values * times, dtype=np.uint64)
    compiled, plain = same_bits(lambda: kernels.window_minima(hashes, window, 2**64 - 1).tolist())
    places = range(max(1, len(hashes) - window + 1))
    assert compiled == plain == sorted({int(hashes[i : i + window].min()) for i in places})


def test_more_minima_than_are_ranked_are_sorted_the_same() -> None:
    hashes = np.random.default_rng(4).integers(0, 2**64, 20_000, dtype=np.uint64)
    compiled, plain = same_bits(lambda: kernels.window_minima(hashes, 16, 2**40 - 1).tolist())
    assert compiled == plain == sorted(set(plain))
    assert len(plain) > 2_000


@pytest.mark.parametrize("values", [[], [5], [3, 3, 3], [2**64 - 1, 0, 7] * 9])
def test_window_minima_of_few_hashes_are_the_same(values: list[int]) -> None:
    hashes = np.array(values, dtype=np.uint64)
    compiled, plain = same_bits(lambda: kernels.window_minima(hashes, 16, 2**40 - 1).tolist())
    assert compiled == plain == ([min(values) % 2**40] if values else [])


def run_python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_importing_the_package_loads_neither_numba_nor_the_tables() -> None:
    loaded = run_python("import sys, service.fingerprint; print('numba' in sys.modules, 'opencc' in sys.modules)")
    assert loaded == "False False"


def test_without_numba_the_plain_kernels_take_over() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from service.fingerprint import fingerprint_text, kernels\n"
        "print(kernels.implementation(), fingerprint_text('一二三四五六七八九十甘肃省兰州市白银路' * 4) is not None)"
    )
    assert run_python(code) == "plain True"


def test_with_jit_disabled_the_plain_kernels_take_over() -> None:
    code = "from service.fingerprint import kernels; print(kernels.implementation())"
    assert run_python(code, NUMBA_DISABLE_JIT="1") == "plain"
