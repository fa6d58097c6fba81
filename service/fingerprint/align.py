"""Which passages two texts have in common, character for character ("yj-align-1").

Seed and extend: every place where four characters agree is grown to the longest identical run; runs of 5 or more
count, and runs at most 8 characters apart on both sides form one span, so that small edits do not tear a passage. Runs are
found wherever they stand, so reordering costs nothing (tools like difflib, which look for one common order, find 27 %
of a reordered copy). Each character of ``a`` belongs to one run at most. At most 32 places are tried per seed, hence
time and memory grow with the lengths, never with their product, also on one character repeated.

Spans are offsets of the original texts; coverage and run lengths count normalised characters that are identical.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels
from service.fingerprint.normalise import Normalised, normalise

ALIGNMENT = "yj-align-1"
MIN_RUN_CHARACTERS = 5  # architecture.md section 3
MAX_GAP_CHARACTERS = 8  # architecture.md section 3
MIN_SPAN_CHARACTERS = 13  # identical characters; less is phrase, name or date (measured, see match.py)
_LAST = np.array([0, 1, 0, 1])  # from the ends of a span to its last characters
SEED_CAP = 32  # places tried per seed; a rarer seed in the same passage finds it by growing leftwards


class Span(NamedTuple):
    """A passage that both texts have: code points of the originals, ends exclusive.

    ``identical`` and ``longest_run`` are normalised characters. A tuple, because a reordered text has hundreds of them.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    identical: int = 0
    longest_run: int = 0


@dataclass(frozen=True, slots=True)
class Alignment:
    """All spans, ascending in a, and what they amount to.

    ``coverage_of_a``, ``coverage_of_b``: share of each text's normalised characters that lie in an identical run of a
    span, 0 to 1 (0 for an empty text). ``longest_run``: the longest identical run; ``longest_span``: identical
    characters of the best span. Both in normalised characters, 0 when there is no span. ``edits``: places inside
    spans where the texts differ (two edits within 5 characters count as one).
    """

    spans: list[Span]
    coverage_of_a: float
    coverage_of_b: float
    longest_run: int
    longest_span: int
    edits: int = 0
    _found: tuple[NDArray[np.int64], NDArray[np.int64]] | None = field(default=None, compare=False, repr=False)

    @property
    def runs(self) -> NDArray[np.int64]:
        """int64[r, 4], the identical runs of all spans in normalised places: start in a, start in b, length, its span."""
        return np.empty((0, 4), np.int64) if self._found is None else _kept_runs(*self._found)


def align_texts(a: str | Normalised, b: str | Normalised) -> Alignment:
    """The identical passages of two texts. Any strings are accepted; texts without common passage give no span."""
    left, right = _normalised(a), _normalised(b)
    runs, chain_of, rows, copied = _align(left.codes, right.codes, MIN_SPAN_CHARACTERS)
    if not len(rows):
        return Alignment([], 0.0, 0.0, 0, 0)
    edges = rows[:, :4] - _LAST  # the last character of each side stands before its end
    numbers = rows[:, 4:].tolist()
    places = zip(left.offsets[edges[:, :2]].tolist(), right.offsets[edges[:, 2:]].tolist(), numbers, strict=True)
    spans = [
        Span(a_start, a_last + 1, b_start, b_last + 1, identical, longest)
        for (a_start, a_last), (b_start, b_last), (identical, longest, _) in places
    ]
    return Alignment(
        spans=spans,
        coverage_of_a=sum(number[0] for number in numbers) / len(left),
        coverage_of_b=copied / len(right),
        longest_run=max(number[1] for number in numbers),
        longest_span=max(number[0] for number in numbers),
        edits=sum(number[2] for number in numbers) - len(numbers),
        _found=(runs, chain_of),
    )


@dataclass(frozen=True, slots=True)
class QuickCount:
    """What the cheap test knows of two texts, in normalised characters: identical ones (the smaller count of the two sides:
    a formula repeated in one text and once in the other counts once), the longest unbroken run, and the most identical
    ones of a passage whose longest run has 23 or more. All 0 when there is no passage.
    """

    copied: int
    longest_run: int
    longest_passage: int


PASSAGE_RUN_CHARACTERS = 23  # as match.Thresholds.span_run_characters


def copied_characters(a: NDArray[np.unsignedinteger], b: NDArray[np.unsignedinteger]) -> QuickCount:
    """The counts of two arrays of codes of any width, by the spans of ``align_texts``."""
    _, _, rows, copied = _align(a.astype(np.uint32), b.astype(np.uint32), MIN_SPAN_CHARACTERS)
    if not len(rows):
        return QuickCount(0, 0, 0)
    firm = rows[rows[:, 5] >= PASSAGE_RUN_CHARACTERS, 4]
    return QuickCount(min(int(rows[:, 4].sum()), copied), int(rows[:, 5].max()), int(firm.max(initial=0)))


def _kept_runs(runs: NDArray[np.int64], chain_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """The runs of the chains that became spans, each with its span's number (chains count in the order of spans)."""
    is_span = np.bincount(chain_of, weights=runs[:, 2]) >= MIN_SPAN_CHARACTERS
    kept = is_span[chain_of]
    span_of = np.cumsum(is_span) - 1
    return np.column_stack((runs[kept], span_of[chain_of[kept]]))


def span_edits(a: str | Normalised, b: str | Normalised, span: Span) -> list[tuple[int, int, int, int]]:
    """Where the two sides of one span differ: (a_start, a_end, b_start, b_end) in original code points.

    An empty range (start = end) on one side marks what the other side has in addition. Differences that normalising
    removes (punctuation, case, traditional forms) are none. Ascending on both sides.
    """
    left, right = _normalised(a), _normalised(b)
    a0, a1 = np.searchsorted(left.offsets, (span.a_start, span.a_end)).tolist()
    b0, b1 = np.searchsorted(right.offsets, (span.b_start, span.b_end)).tolist()
    if np.array_equal(left.codes[a0:a1], right.codes[b0:b1]):
        return []
    runs, chain_of, rows, _ = _align(left.codes[a0:a1], right.codes[b0:b1], 1)
    edits = []
    at_a, at_b = a0, b0
    chain = max(set(chain_of.tolist()), key=lambda c: int(runs[chain_of == c, 2].sum())) if len(rows) else -1
    anchors = [*runs[chain_of == chain].tolist(), [a1 - a0, b1 - b0, 0]]
    for run_a, run_b, length in anchors:
        for i0, i1, j0, j1 in _gap_edits(left.codes[at_a : a0 + run_a], right.codes[at_b : b0 + run_b]):
            edits.append((*left.source_range(at_a + i0, at_a + i1), *right.source_range(at_b + j0, at_b + j1)))
        at_a, at_b = a0 + run_a + length, b0 + run_b + length
    return edits


def _align(
    a: NDArray[np.uint32], b: NDArray[np.uint32], min_span: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    return kernels.align_spans(a, b, MIN_RUN_CHARACTERS, MAX_GAP_CHARACTERS, SEED_CAP, min_span)


def _gap_edits(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> Iterator[tuple[int, int, int, int]]:
    """Differing ranges between two runs; the gaps are short, so an exact comparison is cheap."""
    if max(len(a), len(b)) > 8 * MAX_GAP_CHARACTERS:
        yield 0, len(a), 0, len(b)
        return
    for tag, i0, i1, j0, j1 in SequenceMatcher(None, a.tolist(), b.tolist(), autojunk=False).get_opcodes():
        if tag != "equal":
            yield i0, i1, j0, j1


def _normalised(text: str | Normalised) -> Normalised:
    return normalise(text) if isinstance(text, str) else text
