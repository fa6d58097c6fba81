"""The index kernels in plain numpy. Every function returns the very bits of its twin in compiled_index.py."""

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


def band_scan(
    order: I32,
    banded: U64,
    starts: I32,
    masks: U16,
    probes: I64,
    reach: I64,
    query: np.uint64,
    max_distance_bits: int,
) -> tuple[I32, U8]:
    rows = [np.empty(0, np.int32)]
    distances = [np.empty(0, np.uint8)]
    for band, probed in enumerate(probes.tolist()):
        key = int(query) >> 16 * band & 0xFFFF
        slots = (masks[:probed] ^ np.uint16(key)).astype(np.int64)
        first = starts[band, slots].astype(np.int64)
        places = _spread(first, starts[band, slots + 1].astype(np.int64))
        difference = banded[band, places] ^ query
        distance = np.bitwise_count(difference)
        near = distance <= max_distance_bits
        for earlier in range(band):
            near &= np.bitwise_count(difference >> np.uint64(16 * earlier) & np.uint64(0xFFFF)) > reach[earlier]
        rows.append(order[band, places[near]])
        distances.append(distance[near])
    return np.concatenate(rows), np.concatenate(distances)


def _spread(first: I64, end: I64) -> I64:
    """Every place from each first to its end, in order."""
    sizes = end - first
    spread: I64 = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    return spread


def _bucket_bits(starts: U32) -> int:
    return (len(starts) - 2).bit_length()


def _records(starts: U32, records: U8, places: I64) -> U64:
    width = 8 - _bucket_bits(starts) // 8
    padded = np.zeros((len(places), 8), dtype=np.uint8)
    padded[:, :width] = records.reshape(-1, width)[places]
    values: U64 = padded.view("<u8").reshape(-1).astype(np.uint64)
    return values


def postings_ranges(starts: U32, records: U8, hashes: U64) -> tuple[I64, I64]:
    shift = 40 - _bucket_bits(starts)
    buckets = (hashes >> np.uint64(shift)).astype(np.int64)
    first, end = starts[buckets].astype(np.int64), starts[buckets + 1].astype(np.int64)
    wanted = (hashes & np.uint64(2**shift - 1)) << np.uint64(24)
    for i, value in enumerate(wanted):
        bucket = _records(starts, records, np.arange(first[i], end[i]))
        low, high = np.searchsorted(bucket, (value, value + np.uint64(2**24)))
        first[i], end[i] = first[i] + low, first[i] + high
    return first, end


def count_shared(
    starts: U32,
    records: U8,
    hashes: U64,
    first_rewrite: int,
    ids: I64,
    lengths: U32,
    short_length: int,
    most_works: int,
    min_shared: int,
    limit: int,
) -> tuple[I32, I32]:
    first, end = postings_ranges(starts, records, hashes)
    end = np.where(end - first > most_works, first, end)
    found = (_records(starts, records, _spread(first, end)) & np.uint64(2**24 - 1)).astype(np.int32)
    is_rewrite = np.repeat(np.arange(len(hashes)) >= first_rewrite, end - first)
    ordinals, places = np.unique(found, return_inverse=True)
    winnow, both = (np.bincount(places[kind], minlength=len(ordinals)) for kind in (~is_rewrite, slice(None)))
    least = np.where(lengths[ordinals] < short_length, 1, min_shared)
    enough = (winnow >= least) | (both > least)
    ordinals, shared = ordinals[enough], np.stack((winnow, both - winnow), axis=1)[enough].astype(np.int32)
    best = np.lexsort((ids[ordinals], -shared.sum(axis=1)))[:limit]
    return ordinals[best], shared[best]
