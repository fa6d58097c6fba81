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

LEAST_GATE_BITS, MOST_GATE_BITS = 16, 22  # at least 16 slots a character up to 260,000 characters
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
    a_bag: I64,
    a_tf: F64,
    b_columns: I64,
    b_of: I64,
    b_tf: F64,
    weights: F64,
    a_norms: F64,
    b_norms: F64,
    a_sums: F64,
    b_sums: F64,
    *,
    min_cosine: float,
    min_dice: float,
    most_places: int,
    most_seeds: int,
) -> I64:
    """Sentence pairs that are alike: int64[k, 2], ascending in the first; see rewrite_loops.find_seeds."""
    seeds = np.empty((most_seeds * len(a_norms), 2), np.int64)
    size = len(b_norms)
    count = _loops().find_seeds(
        *(a_rows, a_bag, a_tf, b_columns, b_of, b_tf, weights, a_norms, b_norms, a_sums, b_sums),
        *(min_cosine, min_dice, most_places, most_seeds),
        *(np.zeros(size), np.zeros(size), np.empty(size, np.int64), seeds),
    )
    return seeds[:count]


def cluster_seeds(
    seeds: I64, a_at: I64, a_ids: I64, b_at: I64, b_ids: I64, weights: F64, max_gap: int, min_cosine: float
) -> I64:
    """Fragments made of neighbouring seeds: int64[k, 4], sentences (a first, a last, b first, b last) inclusive."""
    fragments = np.empty((len(seeds), 4), np.int64)
    order, stack = np.arange(len(seeds)), np.empty((len(seeds) + 2, 3), np.int64)
    bags = np.zeros((2, len(weights)))
    count = _loops().cluster_seeds(
        seeds, a_at, a_ids, b_at, b_ids, weights, max_gap, min_cosine, order, stack, bags, fragments
    )
    return fragments[:count]


def trim_fragments(
    ranges: I64, a_ids: I64, b_ids: I64, weights: F64, evidence: F64, misses: F64, verbatim: float
) -> F64:
    """Word ranges cut to what the other side shares, with their idf-Dice and shared evidence: float64[k, 6]."""
    out = np.empty((len(ranges), 6))
    words, pairs = np.zeros(len(weights), np.int64), np.zeros(PAIR_SLOTS, np.int64)
    _loops().trim_fragments(ranges, a_ids, b_ids, weights, evidence, misses, verbatim, words, pairs, out)
    return out


def densest_window(a: I64, b: I64, is_content: NDArray[np.bool_], window: int, most_a: int, most_b: int) -> int:
    """The largest number of shared rare content pairs within ``window`` places of ``b``; see rewrite_loops."""
    slots = 1 << min(MOST_GATE_BITS, max(LEAST_GATE_BITS, (16 * max(len(a), len(b))).bit_length()))
    held_a, held_b = np.zeros(slots, np.uint8), np.zeros(slots, np.uint8)
    hits = np.zeros(len(b) + 1, np.uint8)
    return int(_loops().densest_window(a, b, is_content, window, most_a, most_b, held_a, held_b, hits))
