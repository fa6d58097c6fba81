"""The kernels in plain numpy (the aligner in plain Python): for machines without numba, and as the compiled ones' proof.

Every function returns the very bits of its twin in compiled.py.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import loops
from service.fingerprint.plain_index import band_scan, count_shared, postings_ranges

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

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

BASE = 0x9E3779B97F4A7C15
MIX1 = np.uint64(0xFF51AFD7ED558CCD)
MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
S33 = np.uint64(33)
CHUNK = 65_536  # rows unpacked at once: 4 MB
ESCAPE = 0xFFFF


def normalise(source: U32, bmp: NDArray[np.uint16], keys: U32, starts: I32, values: U32) -> tuple[U32, I32, bool]:
    is_bmp = source < len(bmp)
    codes = bmp[np.where(is_bmp, source, ESCAPE)].astype(np.uint32)
    is_escape = ~is_bmp | (codes == ESCAPE)
    offsets = np.arange(len(source), dtype=np.int32)
    if not is_escape.any():
        kept = codes != 0
        return codes[kept], offsets[kept], True
    places = np.searchsorted(keys, source[is_escape])
    if (places == len(keys)).any() or (keys[places] != source[is_escape]).any():
        return np.empty(0, np.uint32), np.empty(0, np.int32), False
    sizes = (codes != 0).astype(np.int64)
    sizes[is_escape] = starts[places + 1] - starts[places]
    first = np.zeros(len(source), dtype=np.int64)
    first[is_escape] = starts[places]
    offsets = np.repeat(offsets, sizes)
    within = np.arange(len(offsets)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    out = codes[offsets]
    expanded = is_escape[offsets]
    out[expanded] = values[first[offsets[expanded]] + within[expanded]]
    return out, offsets, True


def gram_hashes(codes: U32, size: int) -> U64:
    if len(codes) < size:
        return np.empty(0, np.uint64)
    h = codes.astype(np.uint64)
    reach = 1
    while reach < size:  # after each round, h[i] is the polynomial of 2 * reach characters
        h = h[:-reach] * np.uint64(pow(BASE, reach, 2**64)) + h[reach:]
        reach *= 2
    h = (h ^ (h >> S33)) * MIX1
    h = (h ^ (h >> S33)) * MIX2
    mixed: U64 = h ^ (h >> S33)
    return mixed


def simhash(hashes: U64) -> np.uint64:
    counts = np.zeros(64, dtype=np.int64)
    for start in range(0, len(hashes), CHUNK):
        chunk = hashes[start : start + CHUNK].astype("<u8").view(np.uint8).reshape(-1, 8)
        counts += np.unpackbits(chunk, axis=1, bitorder="little").sum(axis=0, dtype=np.int64)
    bits = np.packbits(2 * counts > len(hashes), bitorder="little")
    return np.uint64(int.from_bytes(bits.tobytes(), "little"))


def window_minima(hashes: U64, window: int, keep: np.uint64) -> U64:
    if len(hashes) == 0:
        return np.empty(0, np.uint64)
    if len(hashes) < window:
        return hashes[[hashes.argmin()]] & keep
    least, reach = hashes, 1
    while reach < window:
        least = np.minimum(least[:-reach], least[reach:])
        reach *= 2
    changes = np.flatnonzero(least[1:] != least[:-1]) + 1
    return np.unique(np.concatenate((least[:1], least[changes])) & keep)


def has_distinct(hashes: U64, least: int) -> bool:
    seen: set[int] = set()
    for start in range(0, len(hashes), CHUNK):
        seen.update(np.unique(hashes[start : start + CHUNK]).tolist())
        if len(seen) >= least:
            return True
    return False


def fingerprint_codes(
    codes: U32, is_content: U8, least_codes: int, least_grams: int, window: int, rewrite_window: int, keep: np.uint64
) -> tuple[int, np.uint64, U64, U64]:
    nothing = np.empty(0, np.uint64)
    if len(codes) < least_codes:
        return len(codes), np.uint64(0), nothing, nothing
    grams = gram_hashes(codes, 4)
    if not has_distinct(grams, least_grams):
        return len(codes), np.uint64(0), nothing, nothing
    rewrite = nothing
    if len(is_content):
        content = codes[is_content[np.minimum(codes, np.uint32(0xFFFF))] > 0]
        rewrite = window_minima(gram_hashes(content, 4), rewrite_window, keep)
    return len(codes), simhash(grams), window_minima(gram_hashes(codes, 8), window, keep), rewrite


def fingerprint_source(
    source: U32,
    bmp: NDArray[np.uint16],
    keys: U32,
    starts: I32,
    values: U32,
    is_content: U8,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: np.uint64,
) -> tuple[int, np.uint64, U64, U64]:
    codes, _, is_known = normalise(source, bmp, keys, starts, values)
    if not is_known:
        return -1, np.uint64(0), np.empty(0, np.uint64), np.empty(0, np.uint64)
    return fingerprint_codes(codes, is_content, least_codes, least_grams, window, rewrite_window, keep)


def fingerprint_sources(
    source: U32,
    ends: I64,
    bmp: NDArray[np.uint16],
    keys: U32,
    starts: I32,
    values: U32,
    is_content: U8,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: np.uint64,
) -> tuple[I64, U64, I64, U64]:
    table = (bmp, keys, starts, values, is_content)
    limits = (least_codes, least_grams, window, rewrite_window, keep)
    found = [fingerprint_source(text, *table, *limits) for text in np.split(source, ends[:-1])]
    sizes = np.array([(len(winnow), len(rewrite)) for _, _, winnow, rewrite in found], dtype=np.int64)
    return (
        np.array([length for length, _, _, _ in found], dtype=np.int64),
        np.array([value for _, value, _, _ in found], dtype=np.uint64),
        np.cumsum(sizes).reshape(-1, 2),
        np.concatenate([hashes for _, _, winnow, rewrite in found for hashes in (winnow, rewrite)]),
    )


def align_spans(
    a: U32, b: U32, min_run: int, max_gap: int, seed_cap: int, min_span: int
) -> tuple[I64, I64, I64, np.int64]:
    grams_a, grams_b = gram_hashes(a, 4), gram_hashes(b, 4)
    size = 1
    while size < 2 * len(grams_b):
        size *= 2
    mask = np.uint64(size - 1)
    head, following = [-1] * size, [-1] * len(grams_b)
    loops.link_grams((grams_b & mask).tolist(), head, following)
    slots_a = (grams_a & mask).tolist()
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    count = loops.find_runs(a.tolist(), b.tolist(), slots_a, head, following, min_run, max_gap, seed_cap, found)
    runs = [found[r] for r in range(count)]
    chain_of = [0] * count
    chains = loops.chain_runs(runs, count, min_run, max_gap, chain_of)
    spans = [[0] * 7 for _ in range(chains)]
    is_copied = np.zeros(len(b), dtype=np.uint8)
    rows = loops.span_chains(runs, count, chain_of, min_span, spans, is_copied)
    return (
        np.array(runs, dtype=np.int64).reshape(-1, 3),
        np.array(chain_of, dtype=np.int64),
        np.array(spans[:rows], dtype=np.int64).reshape(-1, 7),
        np.int64(is_copied.sum()),
    )
