"""The kernels, compiled by numba on first use and kept in its cache. Each has its twin of the same name in plain.py.

All arithmetic is modulo 2**64 on uint64; the constants carry their type, because numba turns uint64 mixed with a
plain int into float64.
"""

from typing import Any

import numpy as np

from service.fingerprint import loops
from service.fingerprint.compiled_index import band_scan, count_shared, postings_ranges
from service.fingerprint.jit import compile_kernel as _compile

__all__ = [
    "align_spans",
    "band_scan",
    "count_shared",
    "fingerprint_codes",
    "fingerprint_source",
    "fingerprint_sources",
    "gram_hashes",
    "normalise",
    "postings_ranges",
    "simhash",
    "window_minima",
]

U = np.uint64
BASE = U(0x9E3779B97F4A7C15)  # see simhash.py for the three multipliers
BASE4 = U(0x9E3779B97F4A7C15**4 % 2**64)
MIX1 = U(0xFF51AFD7ED558CCD)
MIX2 = U(0xC4CEB9FE1A85EC53)
S33 = U(33)
ONE = U(1)
LANES = U(0x0101010101010101)
BYTE = U(0xFF)
ESCAPE = np.uint16(0xFFFF)
FEW = 512  # up to so many, counting the smaller ones is quicker than sorting: no branch to guess wrong (measured 2026-11-25)


@_compile
def _normalise_escapes(source: Any, bmp: Any, keys: Any, starts: Any, values: Any) -> Any:
    size = 0
    for i in range(len(source)):
        code = source[i]
        if code < 0x10000 and bmp[code] != ESCAPE:
            size += bmp[code] != 0
        else:
            k = np.searchsorted(keys, code)
            if k == len(keys) or keys[k] != code:
                return np.empty(0, np.uint32), np.empty(0, np.int32), False
            size += starts[k + 1] - starts[k]
    codes = np.empty(size, np.uint32)
    offsets = np.empty(size, np.int32)
    n = 0
    for i in range(len(source)):
        code = source[i]
        if code < 0x10000 and bmp[code] != ESCAPE:
            if bmp[code] != 0:
                codes[n] = bmp[code]
                offsets[n] = i
                n += 1
        else:
            k = np.searchsorted(keys, code)
            for v in range(starts[k], starts[k + 1]):
                codes[n] = values[v]
                offsets[n] = i
                n += 1
    return codes, offsets, True


@_compile
def normalise(source: Any, bmp: Any, keys: Any, starts: Any, values: Any) -> Any:
    codes = np.empty(len(source), np.uint32)
    offsets = np.empty(len(source), np.int32)
    n = 0
    for i in range(len(source)):
        code = source[i]
        if code >= 0x10000 or bmp[code] == ESCAPE:
            return _normalise_escapes(source, bmp, keys, starts, values)
        codes[n] = bmp[code]  # written even when dropped: no branch to guess wrong
        offsets[n] = i
        n += bmp[code] != 0
    return codes[:n].copy(), offsets[:n].copy(), True


@_compile
def _mix(h: Any) -> Any:
    h = (h ^ (h >> S33)) * MIX1
    h = (h ^ (h >> S33)) * MIX2
    return h ^ (h >> S33)


@_compile
def _quad(codes: Any, i: Any) -> Any:
    """Polynomial of four characters. ``i`` is unsigned: numba then leaves out the test for negative indices."""
    left = U(codes[i]) * BASE + U(codes[i + U(1)])
    return left * (BASE * BASE) + (U(codes[i + U(2)]) * BASE + U(codes[i + U(3)]))


@_compile
def gram_hashes(codes: Any, size: int) -> Any:
    n = len(codes) - size + 1
    if n <= 0:
        return np.empty(0, np.uint64)
    out = np.empty(n, np.uint64)
    if size == 4:
        for i in range(U(n)):
            out[i] = _mix(_quad(codes, i))
    else:
        for i in range(U(n)):
            out[i] = _mix(_quad(codes, i) * BASE4 + _quad(codes, i + U(4)))
    return out


@_compile
def simhash(hashes: Any) -> Any:
    counts = np.zeros(64, np.int64)
    n = len(hashes)
    for start in range(0, n, 255):  # eight one-byte counters per word hold at most 255
        l0 = l1 = l2 = l3 = l4 = l5 = l6 = l7 = U(0)
        for i in range(start, min(start + 255, n)):
            h = hashes[i]
            l0 += h & LANES
            l1 += (h >> U(1)) & LANES
            l2 += (h >> U(2)) & LANES
            l3 += (h >> U(3)) & LANES
            l4 += (h >> U(4)) & LANES
            l5 += (h >> U(5)) & LANES
            l6 += (h >> U(6)) & LANES
            l7 += (h >> U(7)) & LANES
        for byte in range(8):
            shift = U(8 * byte)
            counts[8 * byte] += (l0 >> shift) & BYTE
            counts[8 * byte + 1] += (l1 >> shift) & BYTE
            counts[8 * byte + 2] += (l2 >> shift) & BYTE
            counts[8 * byte + 3] += (l3 >> shift) & BYTE
            counts[8 * byte + 4] += (l4 >> shift) & BYTE
            counts[8 * byte + 5] += (l5 >> shift) & BYTE
            counts[8 * byte + 6] += (l6 >> shift) & BYTE
            counts[8 * byte + 7] += (l7 >> shift) & BYTE
    value = U(0)
    for bit in range(64):
        if 2 * counts[bit] > n:
            value |= ONE << U(bit)
    return value


@_compile
def window_minima(hashes: Any, window: int, keep: Any) -> Any:
    n = len(hashes)
    if n == 0:
        return np.empty(0, np.uint64)
    least = hashes.copy()
    size = U(n)
    if n < window:
        for i in range(U(1), size):
            least[0] = min(least[0], least[i])
        size = U(1)
    else:
        reach = U(1)
        while reach < U(
            window
        ):  # after each round least[i] is the least of 2 * reach hashes: no branch, eight at a time
            size -= reach
            for i in range(size):
                least[i] = min(least[i], least[i + reach])
            reach += reach
    count = U(0)
    for i in range(size):  # an overwritten place is behind i
        value = least[i]
        is_new = i + U(1) == size or value != least[i + U(1)]
        least[count] = value & keep
        count += U(is_new)
    return _distinct(least[:count])


@_compile
def _distinct(values: Any) -> Any:
    """The values ascending, each once."""
    n = len(values)
    ordered = values.copy()
    is_filled = np.zeros(n, np.uint8)
    if n <= FEW:
        for i in range(n):
            rank = 0
            for k in range(n):
                rank += values[k] < values[i]
            ordered[rank] = values[i]
            is_filled[rank] = 1
    else:
        _sort(ordered)
        for i in range(n):
            is_filled[i] = i == 0 or ordered[i] != ordered[i - 1]
    kept = 0
    for i in range(n):
        ordered[kept] = ordered[i]
        kept += is_filled[i]
    return ordered[:kept].copy()


@_compile
def _sort(values: Any) -> None:
    """Shell sort in place: quick enough, and np.sort alone takes numba 5 s to compile."""
    gap = 1
    while gap < len(values) // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, len(values)):
            value = values[i]
            place = i - gap
            while place >= 0 and values[place] > value:
                values[place + gap] = values[place]
                place -= gap
            values[place + gap] = value
        gap //= 3


@_compile
def has_distinct(hashes: Any, least: int) -> Any:
    seen = np.empty(least, np.uint64)
    count = 0
    for i in range(len(hashes)):
        if count == least:
            break
        is_new = True
        for k in range(count):
            if seen[k] == hashes[i]:
                is_new = False
                break
        if is_new:
            seen[count] = hashes[i]
            count += 1
    return count == least


@_compile
def _keep_content(codes: Any, is_content: Any) -> Any:
    kept = np.empty(len(codes), np.uint32)
    n = 0
    for code in codes:
        kept[n] = code  # written even when dropped, as in normalise
        n += is_content[min(code, np.uint32(0xFFFF))]
    return kept[:n].copy()


@_compile
def fingerprint_codes(
    codes: Any, is_content: Any, least_codes: int, least_grams: int, window: int, rewrite_window: int, keep: Any
) -> Any:
    nothing = np.empty(0, np.uint64)
    if len(codes) < least_codes:
        return len(codes), U(0), nothing, nothing
    grams = gram_hashes(codes, 4)
    if not has_distinct(grams, least_grams):
        return len(codes), U(0), nothing, nothing
    rewrite = nothing
    if len(is_content) > 0:
        rewrite = window_minima(gram_hashes(_keep_content(codes, is_content), 4), rewrite_window, keep)
    return len(codes), simhash(grams), window_minima(gram_hashes(codes, 8), window, keep), rewrite


@_compile
def fingerprint_source(
    source: Any,
    bmp: Any,
    keys: Any,
    starts: Any,
    values: Any,
    is_content: Any,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: Any,
) -> Any:
    codes, _, is_known = normalise(source, bmp, keys, starts, values)
    if not is_known:
        return -1, U(0), np.empty(0, np.uint64), np.empty(0, np.uint64)
    return fingerprint_codes(codes, is_content, least_codes, least_grams, window, rewrite_window, keep)


@_compile
def _append(held: Any, used: int, more: Any) -> Any:
    """``held`` with ``more`` at place ``used``, grown where it must be."""
    if used + len(more) > len(held):
        grown = np.empty(2 * (used + len(more)), np.uint64)
        grown[:used] = held[:used]
        held = grown
    held[used : used + len(more)] = more
    return held


@_compile
def fingerprint_sources(
    source: Any,
    ends: Any,
    bmp: Any,
    keys: Any,
    starts: Any,
    values: Any,
    is_content: Any,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: Any,
) -> Any:
    lengths = np.empty(len(ends), np.int64)
    simhashes = np.empty(len(ends), np.uint64)
    hash_ends = np.empty((len(ends), 2), np.int64)
    hashes = np.empty(128 * len(ends), np.uint64)
    used = first = 0
    for t in range(len(ends)):
        lengths[t], simhashes[t], minima, rewrite = fingerprint_source(
            source[first : ends[t]],
            bmp,
            keys,
            starts,
            values,
            is_content,
            least_codes,
            least_grams,
            window,
            rewrite_window,
            keep,
        )
        hashes = _append(hashes, used, minima)
        hash_ends[t, 0] = used + len(minima)
        hashes = _append(hashes, hash_ends[t, 0], rewrite)
        used = hash_ends[t, 1] = hash_ends[t, 0] + len(rewrite)
        first = ends[t]
    return lengths, simhashes, hash_ends, hashes[:used].copy()


_link_grams = _compile(loops.link_grams)
_find_runs = _compile(loops.find_runs)
_chain_runs = _compile(loops.chain_runs)
_span_chains = _compile(loops.span_chains)


@_compile
def align_spans(a: Any, b: Any, min_run: int, max_gap: int, seed_cap: int, min_span: int) -> Any:
    slots_a = gram_hashes(a, 4)
    slots_b = gram_hashes(b, 4)
    size = 1
    while size < 2 * len(slots_b):
        size *= 2
    mask = U(size - 1)
    places_a = np.empty(len(slots_a), np.int64)
    places_b = np.empty(len(slots_b), np.int64)
    for i in range(len(slots_a)):
        places_a[i] = np.int64(slots_a[i] & mask)
    for i in range(len(slots_b)):
        places_b[i] = np.int64(slots_b[i] & mask)
    head = np.full(size, -1, np.int32)
    following = np.full(len(slots_b), -1, np.int32)
    _link_grams(places_b, head, following)
    runs = np.zeros((len(a) // min_run + 1, 3), np.int64)
    count = _find_runs(a, b, places_a, head, following, min_run, max_gap, seed_cap, runs)
    chain_of = np.empty(count, np.int64)
    chains = _chain_runs(runs, count, min_run, max_gap, chain_of)
    spans = np.zeros((chains, 7), np.int64)
    is_copied = np.zeros(len(b), np.uint8)
    rows = _span_chains(runs, count, chain_of, min_span, spans, is_copied)
    return runs[:count].copy(), chain_of, spans[:rows].copy(), np.int64(is_copied.sum())
