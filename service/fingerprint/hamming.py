"""Exact search for simhashes within a few bits ("all within r ≤ 11", nothing missed, nothing extra).

The 64 bits are cut into four bands of 16. Two values that differ in at most 11 bits differ in at most 2 bits of some
band (with 3 in each they would differ in 12), so probing each band at every pattern of at most 2 flipped bits
(137 patterns) finds all of them; up to 7 bits, 1 flipped bit is enough, up to 3 none. Per band the values lie sorted by
their band bits, which makes each probe one contiguous slice. Small sets are compared outright.

Memory: 48 bytes a value plus 1 MB. Rebuilt, never changed: a delta is a second, small index.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

BANDS = 4
BAND_BITS = 16
MOST_DISTANCE_BITS = 11
BRUTE_FORCE_ROWS = 1_024  # below this, comparing all is quicker than probing (measured 2026-11-23)


class HammingIndex:
    """Simhashes with their ids, searchable by distance. ``hashes`` uint64[n], ``ids`` int64[n]; n may be 0."""

    def __init__(self, hashes: NDArray[np.uint64], ids: NDArray[np.int64]) -> None:
        if hashes.shape != ids.shape or hashes.ndim != 1:
            raise ValueError(f"one id per hash is needed: {hashes.shape} hashes, {ids.shape} ids")
        self.hashes = np.ascontiguousarray(hashes, dtype=np.uint64)
        self.ids = np.ascontiguousarray(ids, dtype=np.int64)
        self._bands = None if len(hashes) <= BRUTE_FORCE_ROWS else _sort_bands(self.hashes)

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, query: int, max_distance_bits: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Ids and distances of all values within reach, nearest first, equal distances by id.

        Raises ValueError unless 0 ≤ max_distance_bits ≤ 11 and ``query`` is an unsigned 64-bit value.
        """
        if not 0 <= max_distance_bits <= MOST_DISTANCE_BITS:
            raise ValueError(f"max_distance_bits must be 0 to {MOST_DISTANCE_BITS}: {max_distance_bits}")
        if not 0 <= query < 2**64:
            raise ValueError(f"not an unsigned 64-bit value: {query}")
        if self._bands is None:
            every = np.bitwise_count(self.hashes ^ np.uint64(query))
            rows = np.flatnonzero(every <= max_distance_bits)
            distances = every[rows]
        else:
            masks = FLIPS[max_distance_bits // BANDS]
            found, distances = kernels.band_scan(*self._bands, masks, query, max_distance_bits)
            rows = found.astype(np.intp)
        ids = self.ids[rows]
        order = np.lexsort((ids, distances))
        return ids[order], distances[order]


def _flips(most: int) -> NDArray[np.uint16]:
    """All 16-bit patterns of at most ``most`` set bits, fewest first."""
    patterns = [sum(1 << bit for bit in bits) for size in range(most + 1) for bits in combinations(range(16), size)]
    return np.array(patterns, dtype=np.uint16)


FLIPS = (_flips(0), _flips(1), _flips(2))


def _sort_bands(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int32]]:
    """(row numbers int32[4, n], hashes uint64[4, n] in that order, first place of each band value int32[4, 65537])."""
    order = np.empty((BANDS, len(hashes)), dtype=np.int32)
    banded = np.empty((BANDS, len(hashes)), dtype=np.uint64)
    starts = np.zeros((BANDS, 2**BAND_BITS + 1), dtype=np.int32)
    for band in range(BANDS):
        keys = (hashes >> np.uint64(BAND_BITS * band)).astype(np.uint16)  # the cast keeps the low 16 bits
        order[band] = np.argsort(keys, kind="stable")
        banded[band] = hashes[order[band]]
        starts[band, 1:] = np.cumsum(np.bincount(keys, minlength=2**BAND_BITS))
    return order, banded, starts
