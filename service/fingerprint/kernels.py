"""The compiled kernels where numba works, else the plain numpy ones: same names, same bits.

Neither is imported before the first call: numba costs half a second, which a command that compares nothing should not
pay. Where the machine-code cache goes is the application's affair (``NUMBA_CACHE_DIR``); nothing is set here. What
``_kernels`` returns is chosen at run time, hence the ignored ``no-any-return`` on each line.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

_chosen: Any = None


def implementation() -> str:
    """Name of the kernels in use: "compiled" or "plain"."""
    return str(_kernels().__name__).rpartition(".")[2]


@contextmanager
def use(name: str) -> Iterator[None]:
    """Within the block, use the "compiled" or the "plain" kernels. For tests and benchmarks; not thread-safe."""
    global _chosen  # noqa: PLW0603 - the one choice per process lives here
    before = _chosen
    _chosen = import_module(f"service.fingerprint.{name}")
    try:
        yield
    finally:
        _chosen = before


def _kernels() -> Any:
    global _chosen  # noqa: PLW0603 - the one choice per process lives here
    if _chosen is None:
        try:
            _chosen = import_module("service.fingerprint.compiled")
        except (ImportError, RuntimeError) as error:  # RuntimeError: numba finds no folder for its cache
            logging.getLogger(__name__).warning("numba is not usable (%s): plain numpy is used, slower", error)
            _chosen = import_module("service.fingerprint.plain")
    return _chosen


def normalise(source: U32, bmp: NDArray[np.uint16], keys: U32, starts: I32, values: U32) -> tuple[U32, I32, bool]:
    """(codes uint32[n], offsets int32[n], every character was in the table); see normalise.Table."""
    return _kernels().normalise(source, bmp, keys, starts, values)  # type: ignore[no-any-return]  # numba is untyped


def gram_hashes(codes: U32, size: int) -> U64:
    """64-bit hash of each run of ``size`` (4 or 8) codes, in order: uint64[max(0, n - size + 1)]."""
    return _kernels().gram_hashes(codes, size)  # type: ignore[no-any-return]  # numba is untyped


def simhash(hashes: U64) -> int:
    """Bits that more than half of the hashes have set, as an unsigned int; 0 for none."""
    return int(_kernels().simhash(hashes))


def window_minima(hashes: U64, window: int, keep: int) -> U64:
    """The minima of all windows (of the whole, when shorter), masked by ``keep``: a set, sorted.

    ``window`` is a power of two.
    """
    return _kernels().window_minima(hashes, window, np.uint64(keep))  # type: ignore[no-any-return]  # numba is untyped


def fingerprint_codes(
    codes: U32, is_content: U8, *, least_codes: int, least_grams: int, window: int, rewrite_window: int, keep: int
) -> tuple[int, int, U64, U64]:
    """(number of codes, simhash of 4-grams, window minima of 8-grams, those of content 4-grams), in one call.

    Content are the codes where ``is_content`` uint8[65536] is 1; an empty table gives no minima of it. All minima are
    empty below ``least_codes`` codes or ``least_grams`` different 4-grams.
    """
    length, value, minima, rewrite = _kernels().fingerprint_codes(
        codes, is_content, least_codes, least_grams, window, rewrite_window, np.uint64(keep)
    )
    return length, int(value), minima, rewrite


def fingerprint_source(
    source: U32,
    bmp: NDArray[np.uint16],
    keys: U32,
    starts: I32,
    values: U32,
    is_content: U8,
    *,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: int,
) -> tuple[int, int, U64, U64]:
    """``normalise`` and ``fingerprint_codes`` in one call; length -1 when a character was not in the table."""
    length, value, minima, rewrite = _kernels().fingerprint_source(
        source, bmp, keys, starts, values, is_content, least_codes, least_grams, window, rewrite_window, np.uint64(keep)
    )
    return length, int(value), minima, rewrite


def fingerprint_sources(
    source: U32,
    ends: I64,
    bmp: NDArray[np.uint16],
    keys: U32,
    starts: I32,
    values: U32,
    is_content: U8,
    *,
    least_codes: int,
    least_grams: int,
    window: int,
    rewrite_window: int,
    keep: int,
) -> tuple[I64, U64, I64, U64]:
    """``fingerprint_source`` of n ≥ 1 texts, each up to its end in ``source``, with one return from machine code.

    (lengths int64[n], simhashes uint64[n], ends int64[n, 2] of each text's window minima and content minima in the
    last array, all minima).
    """
    limits = (least_codes, least_grams, window, rewrite_window, np.uint64(keep))
    return _kernels().fingerprint_sources(source, ends, bmp, keys, starts, values, is_content, *limits)  # type: ignore[no-any-return]  # numba is untyped


def band_scan(
    order: I32, banded: U64, starts: I32, masks: U16, probes: I64, reach: I64, query: int, max_distance_bits: int
) -> tuple[I32, U8]:
    """(row numbers, distances) within reach of ``query``; see hamming.HammingIndex. Unordered, each row once."""
    return _kernels().band_scan(order, banded, starts, masks, probes, reach, np.uint64(query), max_distance_bits)  # type: ignore[no-any-return]  # numba is untyped


def postings_ranges(starts: U32, records: U8, hashes: U64) -> tuple[I64, I64]:
    """(first, end) place of each hash's records, in the order asked; see postings.PostingsIndex."""
    return _kernels().postings_ranges(starts, records, hashes)  # type: ignore[no-any-return]  # numba is untyped


def count_shared(
    starts: U32,
    records: U8,
    hashes: U64,
    first_rewrite: int,
    ids: I64,
    lengths: U32,
    *,
    short_length: int,
    most_works: int,
    min_shared: int,
    limit: int,
) -> tuple[I32, I32]:
    """(ordinals int32[k], shared hashes of both kinds int32[k, 2]) of the works that share most; k ≤ ``limit``.

    Best first by the sum, equal sums by id. ``min_shared`` winnow hashes are enough, or one more of both kinds; works
    shorter than ``short_length`` need 1. Hashes in more than ``most_works`` works do not count. ``hashes``: distinct
    winnow hashes, then, from ``first_rewrite`` on, distinct rewrite codes.
    """
    return _kernels().count_shared(  # type: ignore[no-any-return]  # numba is untyped
        starts, records, hashes, first_rewrite, ids, lengths, short_length, most_works, min_shared, limit
    )


def align_spans(a: U32, b: U32, min_run: int, max_gap: int, seed_cap: int, min_span: int) -> tuple[I64, I64, I64, int]:
    """(runs int64[r, 3], chain of each run int64[r], spans int64[s, 7], copied characters of b); see align.py.

    A run is (a_start, b_start, length); a span (a_start, a_end, b_start, b_end, identical characters, longest run,
    runs).
    """
    runs, chain_of, spans, copied = _kernels().align_spans(a, b, min_run, max_gap, seed_cap, min_span)
    return runs, chain_of, spans, int(copied)
