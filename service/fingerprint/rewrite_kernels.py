"""The rewritten-text aligner's loops, compiled by numba where it works, else run as they stand, with the same results.

The choice follows ``kernels.implementation()``. The loops write into arrays that are made here, so each is one call.
"""

from dataclasses import dataclass
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


@cache
def _module(implementation: str) -> Any:
    return import_module(f"service.fingerprint.rewrite_{implementation}")


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
) -> tuple[I64, F64]:
    """Sentence pairs that are alike, int64[k, 2] ascending in the first, and their cosines; see rewrite_loops."""
    seeds, cosines = np.empty((most_seeds * len(a_norms), 2), np.int64), np.empty(most_seeds * len(a_norms))
    size = len(b_norms)
    count = _loops().find_seeds(
        *(a_rows, a_bag, a_tf, b_columns, b_of, b_tf, weights, a_norms, b_norms, a_sums, b_sums),
        *(min_cosine, min_dice, most_places, most_seeds),
        *(np.zeros(size), np.zeros(size), np.empty(size, np.int64), seeds, cosines),
    )
    return seeds[:count], cosines[:count]


def range_cosine(a_ids: I64, b_ids: I64, a0: int, a1: int, b0: int, b1: int, weights: F64, bags: F64) -> float:
    """Cosine of the tf-idf vectors of a[a0:a1] and b[b0:b1]. ``bags``: zeros, float64[2, words], left so."""
    return float(_loops().range_cosine(a_ids, b_ids, a0, a1, b0, b1, weights, bags))


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Which word of b each word of a is paired with, and the other way round (−1: none), as far as it was asked for.

    int64, one per word of each text. The rest is scratch, one cell per word number: ``head``, ``marks``, and one per
    word of b: ``following``.
    """

    a_partner: I64
    b_partner: I64
    head: I64
    following: I64
    marks: NDArray[np.uint8]


def new_pairing(a_ids: I64, b_ids: I64, vocabulary: int) -> Pairing:
    """A pairing of two texts in which nothing is paired yet."""
    return Pairing(
        np.full(len(a_ids), -1),
        np.full(len(b_ids), -1),
        np.full(vocabulary, -1),
        np.empty(len(b_ids), np.int64),
        np.zeros(vocabulary, np.uint8),
    )


def pair_words(
    pairing: Pairing,
    seeds: I64,
    a_at: I64,
    b_at: I64,
    a_ids: I64,
    b_ids: I64,
    a_words: tuple[int, int],
    b_words: tuple[int, int],
    reach: int,
) -> None:
    """Pair equal words of the two ranges anew, each at most once: first those of the seeds, sentence pairs int64[k, 2],
    in their order, then those at most ``reach`` words from where a neighbour's partner suggests; see rewrite_trim.
    """
    a_partner, b_partner = pairing.a_partner, pairing.b_partner
    a_partner[slice(*a_words)] = -1
    b_partner[slice(*b_words)] = -1
    _loops().pair_seed_words(seeds, a_at, b_at, a_ids, b_ids, pairing.head, pairing.following, a_partner, b_partner)
    _loops().pair_near_words(a_ids, b_ids, *a_words, *b_words, reach, a_partner, b_partner)


def best_run(
    ids: I64, partner: I64, low: int, high: int, first: int, last: int, weights: F64, miss: float, most_drop: float
) -> tuple[int, int]:
    """The part of ids[low:high] best covered by pairs with [first, last) of the other side; see rewrite_trim."""
    start, end = _loops().best_run(ids, partner, low, high, first, last, weights, miss, most_drop)
    return int(start), int(end)


def weigh_shared(
    pairing: Pairing, a_ids: I64, b_ids: I64, a0: int, a1: int, b0: int, b1: int, weights: F64, rarity: F64
) -> tuple[float, float]:
    """(idf-Dice of the different words of a[a0:a1] and b[b0:b1], rarity of those that both have); see rewrite_trim."""
    dice, evidence = _loops().weigh_shared(a_ids, b_ids, a0, a1, b0, b1, weights, rarity, pairing.marks)
    return float(dice), float(evidence)


def densest_window(a: I64, b: I64, is_content: NDArray[np.bool_], window: int, most_a: int, most_b: int) -> int:
    """The largest number of shared rare content pairs within ``window`` places of ``b``; see rewrite_loops."""
    slots = 1 << min(MOST_GATE_BITS, max(LEAST_GATE_BITS, (16 * max(len(a), len(b))).bit_length()))
    held_a, held_b = np.zeros(slots, np.uint8), np.zeros(slots, np.uint8)
    hits = np.zeros(len(b) + 1, np.uint8)
    return int(_loops().densest_window(a, b, is_content, window, most_a, most_b, held_a, held_b, hits))
