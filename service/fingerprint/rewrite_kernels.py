"""The rewritten-text aligner's loops: compiled by numba where it works, else run as they stand; same results, bit for bit.

The choice follows ``kernels.implementation()``. The loops write into arrays that are made here, so each is one call.
"""

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

PAIR_SLOTS = 32_768  # more than 30 times the words of a passage: few pairs meet by chance


@cache
def _module(implementation: str) -> Any:
    return import_module(f"service.fingerprint.rewrite_{'compiled' if implementation == 'compiled' else 'loops'}")


def _loops() -> Any:
    return _module(kernels.implementation())


def number_sentences(raw: I32, least: int, most: int, sentence: I32) -> int:
    """Write the sentence of each word; return how many sentences there are."""
    return int(_loops().number_sentences(raw, least, most, sentence))


def find_seeds(
    a_rows: I64,
    a_ids: I64,
    b_columns: I64,
    b_sentences: I64,
    weights: F64,
    a_norms: F64,
    b_norms: F64,
    a_sums: F64,
    b_sums: F64,
    a_tf: F64,
    b_tf: F64,
    min_cosine: float,
    min_dice: float,
    most_places: int,
    most_seeds: int,
) -> I64:
    """Sentence pairs that are alike: int64[k, 2], ascending in the first; see rewrite_loops.find_seeds."""
    seeds = np.empty((most_seeds * len(a_norms), 2), np.int64)
    count = _loops().find_seeds(
        a_rows,
        a_ids,
        b_columns,
        b_sentences,
        weights,
        a_norms,
        b_norms,
        a_sums,
        b_sums,
        a_tf,
        b_tf,
        min_cosine,
        min_dice,
        most_places,
        most_seeds,
        np.zeros(len(b_norms)),
        np.zeros(len(b_norms)),
        np.empty(len(b_norms), np.int64),
        seeds,
    )
    return seeds[:count]


def cluster_seeds(
    seeds: I64,
    a_at: I64,
    a_ids: I64,
    b_at: I64,
    b_ids: I64,
    weights: F64,
    max_gap: int,
    min_gap: int,
    min_cosine: float,
    min_held: float,
) -> I64:
    """Fragments made of neighbouring seeds: int64[k, 4], sentences (a first, a last, b first, b last) inclusive."""
    fragments = np.empty((len(seeds), 4), np.int64)
    is_held = np.zeros(len(a_at), np.uint8)
    order = np.arange(len(seeds))
    stack = np.empty((2 * len(seeds) + 64, 3), np.int64)
    bags = np.zeros((2, len(weights)))
    count = _loops().cluster_seeds(
        seeds, a_at, a_ids, b_at, b_ids, weights, max_gap, min_gap, min_cosine, min_held, is_held, order, stack, bags, fragments
    )
    return fragments[:count]


def trim_fragments(ranges: I64, a_ids: I64, b_ids: I64, weights: F64, evidence: F64, misses: F64, verbatim: float) -> F64:
    """Word ranges cut to what the other side shares, with their idf-Dice and shared evidence: float64[k, 6]."""
    out = np.empty((len(ranges), 6))
    words, pairs = np.zeros(len(weights), np.int64), np.zeros(PAIR_SLOTS, np.int64)
    _loops().trim_fragments(ranges, a_ids, b_ids, weights, evidence, misses, verbatim, words, pairs, out)
    return out
