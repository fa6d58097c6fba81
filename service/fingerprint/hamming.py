"""Exact search for simhashes within a few bits ("all within r ≤ 11", nothing missed, nothing extra).

The 64 bits are cut into four bands of 16, and band i is probed at every pattern of at most t[i] flipped bits. By the
general pigeonhole principle nothing within r bits is missed as long as sum(t[i] + 1) > r: a value missed by every band
differs in at least sum(t[i] + 1) bits. So r = 10 needs t = (2, 2, 2, 1), which is 428 probes; r = 3 four; r = 2 leaves
a band out. Per band the values lie sorted by their band bits, which makes each probe one contiguous slice. Small sets
are compared outright.

Memory: 48 bytes a value plus 1 MB. Rebuilt, never changed: a delta is a second, small index.

Source: J. Qin et al., "GPH: similarity search in Hamming space", ICDE 2018.
"""

from itertools import combinations
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels

BANDS = 4
BAND_BITS = 16
MOST_DISTANCE_BITS = 11
BRUTE_FORCE_ROWS = 1_024  # up to this, 5 µs for comparing all against 4 save 1 MB of tables (2026-11-25)


class Bands(NamedTuple):
    """The tables of an index of n values: one band and no starts where n is small enough to compare all.

    ``order`` int32[bands, n]: row numbers; ``banded`` uint64[bands, n]: the values in that order; ``starts``
    int32[bands, 65537]: the first place of each band value.
    """

    order: NDArray[np.int32]
    banded: NDArray[np.uint64]
    starts: NDArray[np.int32]


class HammingIndex:
    """Simhashes with their ids, searchable by distance. ``hashes`` uint64[n], ``ids`` integers [n]; n may be 0."""

    def __init__(self, hashes: NDArray[np.uint64], ids: NDArray[Any]) -> None:
        if hashes.shape != ids.shape or hashes.ndim != 1:
            raise ValueError(f"one id per hash is needed: {hashes.shape} hashes, {ids.shape} ids")
        self.ids = ids
        self.bands = sort_bands(np.ascontiguousarray(hashes, dtype=np.uint64))

    @classmethod
    def from_bands(cls, bands: Bands, ids: NDArray[Any]) -> Self:
        """The index whose tables ``sort_bands`` made, for instance in a file that is mapped now."""
        index = cls.__new__(cls)
        index.ids, index.bands = ids, bands
        return index

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, query: int, max_distance_bits: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Ids and distances of all values within reach, nearest first, equal distances by id.

        Raises ValueError unless 0 ≤ max_distance_bits ≤ 11 and ``query`` is an unsigned 64-bit value.
        """
        if not 0 <= max_distance_bits <= MOST_DISTANCE_BITS:
            raise ValueError(f"max_distance_bits must be 0 to {MOST_DISTANCE_BITS}: {max_distance_bits}")
        if not 0 <= query < 2**64:
            raise ValueError(f"not an unsigned 64-bit value: {query}")
        order, banded, starts = self.bands
        if len(banded) == 1:
            every = np.bitwise_count(banded[0] ^ np.uint64(query))
            rows = np.flatnonzero(every <= max_distance_bits).astype(np.int32)
            distances = every[rows]
        else:
            rows, distances = kernels.band_scan(
                order, banded, starts, FLIPS, *PROBES[max_distance_bits], query, max_distance_bits
            )
        ids = self.ids[rows]
        nearest = np.lexsort((ids, distances)) if len(ids) > 1 else slice(None)
        return ids[nearest], distances[nearest]


def sort_bands(hashes: NDArray[np.uint64]) -> Bands:
    """The tables of an index over uint64[n], n < 2**31."""
    if len(hashes) <= BRUTE_FORCE_ROWS:
        rows = np.arange(len(hashes), dtype=np.int32)
        return Bands(rows[None], hashes[None], np.empty((1, 0), np.int32))
    tables = [sort_band(hashes, band) for band in range(BANDS)]
    order = np.stack([rows for rows, _ in tables])
    return Bands(*(_read_only(table) for table in (order, hashes[order], np.stack([starts for _, starts in tables]))))


def sort_band(hashes: NDArray[np.uint64], band: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(row numbers int32[n] by that band's bits, first place of each band value int32[65537])."""
    keys = (hashes >> np.uint64(BAND_BITS * band)).astype(np.uint16)  # the cast keeps the low 16 bits
    starts = np.zeros(2**BAND_BITS + 1, dtype=np.int32)
    starts[1:] = np.cumsum(np.bincount(keys, minlength=2**BAND_BITS))
    return np.argsort(keys, kind="stable").astype(np.int32), starts


def _read_only(table: NDArray[Any]) -> NDArray[Any]:
    """As a mapped table is, so that numba compiles the search once for both."""
    table.flags.writeable = False
    return table


def band_reach(max_distance_bits: int) -> tuple[int, ...]:
    """Flipped bits to try in each band, -1 for a band that can be left out: sum(t + 1) = r + 1, spread evenly."""
    return tuple((max_distance_bits + BANDS - band) // BANDS - 1 for band in range(BANDS))


def _flips(most: int) -> NDArray[np.uint16]:
    """All 16-bit patterns of at most ``most`` set bits, fewest first."""
    patterns = [sum(1 << bit for bit in bits) for size in range(most + 1) for bits in combinations(range(16), size)]
    return np.array(patterns, dtype=np.uint16)


FLIPS = _flips(2)
PROBES = tuple(  # (patterns tried per band, bits they reach) by distance
    (
        np.array([len(_flips(t)) for t in band_reach(bits) if t >= 0], dtype=np.int64),
        np.array([t for t in band_reach(bits) if t >= 0], dtype=np.int64),
    )
    for bits in range(MOST_DISTANCE_BITS + 1)
)
