"""The index kernels, compiled by numba. Each has its twin of the same name in plain_index.py.

Places are unsigned in the inner loops: numba then leaves out the test for negative indices, and LLVM makes vectors of
them.
"""

from typing import Any

import numpy as np

from service.fingerprint.jit import compile_kernel

U = np.uint64


@compile_kernel
def _popcount(x: Any) -> Any:
    """LLVM knows this pattern and puts the machine's own instruction, eight values at once where it can."""
    x = x - ((x >> U(1)) & U(0x5555555555555555))
    x = (x & U(0x3333333333333333)) + ((x >> U(2)) & U(0x3333333333333333))
    x = (x + (x >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return (x * U(0x0101010101010101)) >> U(56)


@compile_kernel
def band_scan(
    order: Any, banded: Any, starts: Any, masks: Any, probes: Any, reach: Any, query: Any, max_distance_bits: int
) -> Any:
    rows = np.empty(64, np.int32)
    distances = np.empty(64, np.uint8)
    count = 0
    most = U(max_distance_bits)
    for band in range(len(probes)):
        values = banded[band]
        key = (query >> U(16 * band)) & U(0xFFFF)
        for probe in range(probes[band]):
            slot = np.int64(key ^ U(masks[probe]))
            first, last = U(starts[band, slot]), U(starts[band, slot + 1])
            near = 0
            for place in range(first, last):  # counting first: no branch, so eight at a time; a hit is rare
                near += _popcount(values[place] ^ query) <= most
            if near == 0:
                continue
            for place in range(first, last):
                difference = values[place] ^ query
                distance = _popcount(difference)
                if distance > most:
                    continue
                is_first = True
                for earlier in range(band):  # an earlier band has reported it already
                    if np.int64(_popcount((difference >> U(16 * earlier)) & U(0xFFFF))) <= reach[earlier]:
                        is_first = False
                if is_first:
                    if count == len(rows):
                        rows = np.concatenate((rows, np.empty_like(rows)))
                        distances = np.concatenate((distances, np.empty_like(distances)))
                    rows[count] = order[band, place]
                    distances[count] = distance
                    count += 1
    return rows[:count].copy(), distances[:count].copy()


@compile_kernel
def _record(records: Any, width: Any, place: Any) -> Any:
    """The packed value at a place, without its first bits: five bytes at least, little-endian."""
    at = place * width
    value = U(records[at]) | U(records[at + U(1)]) << U(8) | U(records[at + U(2)]) << U(16)
    value |= U(records[at + U(3)]) << U(24) | U(records[at + U(4)]) << U(32)
    for byte in range(U(5), width):
        value |= U(records[at + byte]) << (U(8) * byte)
    return value


@compile_kernel
def _lower_bound(records: Any, width: Any, first: Any, last: Any, value: Any) -> Any:
    while first < last:
        middle = (first + last) >> U(1)
        if _record(records, width, middle) < value:
            first = middle + U(1)
        else:
            last = middle
    return first


@compile_kernel
def _bucket_bits(starts: Any) -> Any:
    bits = U(0)
    while (1 << bits) < len(starts) - 1:
        bits += U(1)
    return bits


@compile_kernel
def postings_ranges(starts: Any, records: Any, hashes: Any) -> Any:
    bits = _bucket_bits(starts)
    width = U(8) - (bits >> U(3))
    shift = U(40) - bits
    rest = (U(1) << shift) - U(1)
    first = np.empty(len(hashes), np.int64)
    last = np.empty(len(hashes), np.int64)
    for i in range(len(hashes)):  # on its own, so that the processor fetches many buckets at a time
        bucket = np.int64(hashes[i] >> shift)
        first[i] = starts[bucket]
        last[i] = starts[bucket + 1]
    for i in range(len(hashes)):
        value = (hashes[i] & rest) << U(24)
        end = U(last[i])
        low = _lower_bound(records, width, U(first[i]), end, value)
        first[i] = low
        last[i] = _lower_bound(records, width, low, end, value + (U(1) << U(24)))
    return first, last


@compile_kernel
def _count_works(records: Any, width: Any, first: Any, last: Any, first_rewrite: int, total: int) -> Any:
    """(ordinal of each cell or -1, its two counts, the cells in use): a hash table with open addressing."""
    size = 16
    bits = U(4)
    while size < 2 * total:
        size *= 2
        bits += U(1)
    keys = np.full(size, -1, np.int32)
    counts = np.zeros((size, 2), np.int32)
    cells = np.empty(total, np.int64)
    works = 0
    for i in range(len(first)):
        kind = np.int64(i >= first_rewrite)
        for place in range(U(first[i]), U(last[i])):
            ordinal = np.int32(_record(records, width, place) & U(0xFFFFFF))
            cell = np.int64((U(ordinal) * U(0x9E3779B97F4A7C15)) >> (U(64) - bits))
            while keys[cell] != ordinal and keys[cell] >= 0:
                cell = (cell + 1) & (size - 1)
            if keys[cell] < 0:
                keys[cell] = ordinal
                cells[works] = cell
                works += 1
            counts[cell, kind] += 1
    return keys, counts, cells[:works]


@compile_kernel
def _is_enough(winnow: Any, both: Any, least: Any) -> Any:
    return winnow >= least or both > least


@compile_kernel
def count_shared(
    starts: Any,
    records: Any,
    hashes: Any,
    first_rewrite: int,
    ids: Any,
    lengths: Any,
    short_length: int,
    most_works: int,
    min_shared: int,
    limit: int,
) -> Any:
    first, last = postings_ranges(starts, records, hashes)
    total = 0
    for i in range(len(hashes)):
        if last[i] - first[i] > most_works:
            last[i] = first[i]
        total += last[i] - first[i]
    width = U(8) - (_bucket_bits(starts) >> U(3))
    keys, counts, cells = _count_works(records, width, first, last, first_rewrite, total)
    ordinals = np.empty(limit, np.int32)
    shared = np.empty((limit, 2), np.int32)
    kept = 0
    for cell in cells:
        ordinal, winnow, rewrite = keys[cell], counts[cell, 0], counts[cell, 1]
        both = winnow + rewrite
        if not _is_enough(winnow, both, min_shared) and (  # most fail here, before the length is fetched
            not _is_enough(winnow, both, 1) or lengths[ordinal] >= short_length
        ):
            continue
        place = kept
        while place > 0:
            before = shared[place - 1, 0] + shared[place - 1, 1]
            if before > both or (before == both and ids[ordinals[place - 1]] < ids[ordinal]):
                break
            place -= 1
        if place == limit:
            continue
        kept = min(kept + 1, limit)
        for later in range(kept - 1, place, -1):
            ordinals[later] = ordinals[later - 1]
            shared[later, 0], shared[later, 1] = shared[later - 1, 0], shared[later - 1, 1]
        ordinals[place] = ordinal
        shared[place, 0], shared[place, 1] = winnow, rewrite
    return ordinals[:kept].copy(), shared[:kept].copy()
