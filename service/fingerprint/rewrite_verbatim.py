"""Where a passage is verbatim for the most part, its identical spans say better where it begins and ends."""

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.align import align_texts
from service.fingerprint.normalise import Normalised

I64 = NDArray[np.int64]
Quad = tuple[int, int, int, int]

VERBATIM_SHARE = 0.5  # of a passage in long identical spans: these bound it
LEAST_SPAN = 60  # identical characters of such a span
EVEN_GAP = 40  # spans whose gaps on both sides are below this, or within a factor of 3, run on


def long_spans(a: Normalised, b: Normalised) -> I64:
    """The long identical spans of two texts: int64[k, 4], a_start, a_end, b_start, b_end, ascending in b_start."""
    rows = [
        (span.b_start, span.a_start, span.a_end, span.b_start, span.b_end)
        for span in align_texts(a, b).spans
        if span.identical >= LEAST_SPAN
    ]
    return np.array(sorted(rows), dtype=np.int64).reshape(-1, 5)[:, 1:]


def verbatim_parts(passage: Quad, spans: I64, least: int) -> list[Quad]:
    """The parts of a passage that run on without a break, where long spans make up most of it; else the passage.

    A part of fewer than ``least`` code points on either side is left out, unless all are.
    """
    a_first, a_last, b_first, b_last = passage
    inside = spans[_is_inside(spans[:, 0], spans[:, 1], a_first, a_last)]
    inside = inside[_is_inside(inside[:, 2], inside[:, 3], b_first, b_last)]
    if int((inside[:, 3] - inside[:, 2]).sum()) < VERBATIM_SHARE * (b_last - b_first):
        return [passage]
    parts: list[list[int]] = []
    for a_start, a_end, b_start, b_end in inside.tolist():
        if parts and _runs_on(a_start - parts[-1][1], b_start - parts[-1][3]):
            parts[-1][1], parts[-1][3] = a_end, b_end
        else:
            parts.append([a_start, a_end, b_start, b_end])
    if _runs_on(parts[0][0] - a_first, parts[0][2] - b_first):
        parts[0][0], parts[0][2] = a_first, b_first
    if _runs_on(a_last - parts[-1][1], b_last - parts[-1][3]):
        parts[-1][1], parts[-1][3] = a_last, b_last
    return [(a0, a1, b0, b1) for a0, a1, b0, b1 in parts if min(a1 - a0, b1 - b0) >= least] or [passage]


def _is_inside(starts: I64, ends: I64, start: int, end: int) -> NDArray[np.bool_]:
    """Of which spans more than half lies in a range."""
    inside: NDArray[np.bool_] = 2 * (np.minimum(ends, end) - np.maximum(starts, start)) > ends - starts
    return inside


def _runs_on(a_gap: int, b_gap: int) -> bool:
    """The text goes on over the gap on both sides: an edit, not another place of the text."""
    low, high = min(a_gap, b_gap), max(a_gap, b_gap)
    return low >= -EVEN_GAP and (high <= EVEN_GAP or 3 * low >= high)
