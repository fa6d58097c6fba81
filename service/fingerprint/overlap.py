"""What two texts have in common, weighed: identical characters that count, attributed quotations apart, boilerplate not.

Identical characters are counted once on each side: a formula that the work repeats ten times and the page has once is
ten matches of the aligner but one copied formula. Of 27,731 pairs of nearest neighbours that share less than 5 % of
their 8-grams, 31 are "covered" to 30 % by the plain count and none by this one (2026-11-25, see match.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.align import Alignment, align_texts
from service.fingerprint.apart import Range, attributed_quotations, boilerplate
from service.fingerprint.normalise import Normalised, normalise

PARAGRAPH_END_CHARACTERS = 8  # so much must stand on both sides of a paragraph's end for a passage to cross it
PARAGRAPH_CHARACTERS = 20  # a shorter paragraph is a heading
NARRATION_CHARACTERS = 16
"""A run with so much text outside the quotation is narration copied together with it: "the mayor said" is shorter, and two
reporters do not lead into a speaker's words alike (2026-11-25: 2-paragraph excerpts whose words were quotations were lost)."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One identical passage without its quotations, in normalised characters: identical ones, the longest unbroken run,
    the longest run that crosses the end of a paragraph of the work, and the most that whole paragraphs of the work have
    in one run (0 when there is none).
    """

    identical: int
    longest_run: int
    crossing_run: int
    whole_paragraphs: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Identical text of a work and a page. Lengths and counts are normalised characters without boilerplate.

    ``copied``: identical characters, the smaller count of the two sides, quotations included. ``quoted``: those of them
    that stand in quotations which both texts attribute. ``passages``: what remains of each span of the alignment.
    ``work``, ``page``: the normalised texts that were measured. ``is_apart`` bool[len(work)]: boilerplate and attributed
    quotations of the work, whether the page has them or not.
    """

    work: Normalised
    page: Normalised
    work_length: int
    page_length: int
    copied: int
    quoted: int
    passages: tuple[Copied, ...]
    alignment: Alignment
    is_apart: NDArray[np.bool_]

    @property
    def coverage(self) -> float:
        """Share of the work that was copied, quotations included: 0 to 1."""
        return self.copied / self.work_length if self.work_length else 0.0

    @property
    def coverage_of_page(self) -> float:
        """Share of the page that is copied, quotations included: 0 to 1."""
        return self.copied / self.page_length if self.page_length else 0.0

    @property
    def quoted_coverage(self) -> float:
        """Share of the work that stands in quotations which both texts attribute: 0 to 1."""
        return self.quoted / self.work_length if self.work_length else 0.0

    @property
    def unquoted_coverage(self) -> float:
        """Share of the work outside the shared quotations that was copied: 0 to 1."""
        rest = self.work_length - self.quoted
        return (self.copied - self.quoted) / rest if rest > 0 else 0.0


def measure_overlap(work: str, page: str) -> Overlap:
    """The identical text of a work and a page. Any strings are accepted; empty ones have nothing in common."""
    a, b = normalise(work), normalise(page)
    alignment = align_texts(a, b)
    dropped_a, dropped_b = mask_ranges(a, boilerplate(work)), mask_ranges(b, boilerplate(page))
    quoted_a = mask_ranges(a, attributed_quotations(work))
    lengths = len(a) - int(dropped_a.sum()), len(b) - int(dropped_b.sum())
    runs = alignment.runs
    if not len(runs):
        return Overlap(a, b, *lengths, 0, 0, (), alignment, dropped_a | quoted_a)
    at_a, at_b, span_of, run_of = _pairs(runs)
    counts = ~dropped_a[at_a]
    quoted = counts & quoted_a[at_a] & mask_ranges(b, attributed_quotations(page))[at_b]
    narrated = np.bincount(run_of, weights=counts & ~quoted) >= NARRATION_CHARACTERS
    quoted &= ~narrated[run_of]
    kept = counts & ~quoted
    ends = np.searchsorted(a.offsets, [place for place, char in enumerate(work) if char == "\n"])
    ends = np.unique(np.concatenate(([0], ends, [len(a)])))
    passages = _passages(at_a[kept], span_of[kept], run_of[kept], ends, len(alignment.spans))
    return Overlap(
        a,
        b,
        *lengths,
        _distinct(at_a, at_b, counts),
        _distinct(at_a, at_b, quoted),
        passages,
        alignment,
        dropped_a | quoted_a,
    )


def _pairs(runs: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Each identical character by itself: place in a, place in b, number of its span, number of its run."""
    lengths = runs[:, 2]
    run_of = np.repeat(np.arange(len(runs)), lengths)
    within = np.arange(len(run_of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return runs[run_of, 0] + within, runs[run_of, 1] + within, runs[run_of, 3], run_of


def mask_ranges(text: Normalised, ranges: Sequence[Range]) -> NDArray[np.bool_]:
    """Which normalised characters come from these ranges of the source: bool[len(text)]."""
    mask = np.zeros(len(text), dtype=np.bool_)
    if ranges:  # all at once, and in the offsets' own type: else each search would copy all offsets
        places = np.searchsorted(text.offsets, np.array(ranges, dtype=text.offsets.dtype))
        for first, last in places.tolist():
            mask[first:last] = True
    return mask


def _distinct(at_a: NDArray[np.int64], at_b: NDArray[np.int64], chosen: NDArray[np.bool_]) -> int:
    return min(len(np.unique(at_a[chosen])), len(np.unique(at_b[chosen])))


def _passages(
    at_a: NDArray[np.int64],
    span_of: NDArray[np.int64],
    run_of: NDArray[np.int64],
    paragraph_ends: NDArray[np.int64],
    spans: int,
) -> tuple[Copied, ...]:
    """One row per span, in order. A run that a quotation cuts in two counts as two."""
    if not len(at_a):
        return (Copied(0, 0, 0, 0),) * spans
    is_new = np.ones(len(at_a), dtype=np.bool_)
    is_new[1:] = (np.diff(run_of) != 0) | (np.diff(at_a) != 1)
    first = np.flatnonzero(is_new)
    lengths = np.diff(np.append(first, len(at_a)))
    starts, span_of_piece = at_a[first], span_of[first]
    stops = starts + lengths
    inside = np.searchsorted(paragraph_ends, starts + PARAGRAPH_END_CHARACTERS)
    after = np.searchsorted(paragraph_ends, stops - PARAGRAPH_END_CHARACTERS, side="right")
    crossing = np.where(after > inside, lengths, 0)
    found = np.zeros((4, spans), dtype=np.int64)
    np.add.at(found[0], span_of_piece, lengths)
    np.maximum.at(found[1], span_of_piece, lengths)
    np.maximum.at(found[2], span_of_piece, crossing)
    np.maximum.at(found[3], span_of_piece, _whole_paragraphs(starts, stops, paragraph_ends))
    return tuple(Copied(*row) for row in found.T.tolist())


def _whole_paragraphs(
    starts: NDArray[np.int64], stops: NDArray[np.int64], paragraph_ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Characters of the paragraphs that lie between each start and stop from end to end, headings not counted."""
    sizes = np.diff(paragraph_ends)
    sizes[sizes < PARAGRAPH_CHARACTERS] = 0
    until = np.append(0, np.cumsum(sizes))
    first = np.searchsorted(paragraph_ends, starts)
    last = np.searchsorted(paragraph_ends, stops, side="right") - 1
    whole: NDArray[np.int64] = np.where(
        last > first, until[np.maximum(last, first)] - until[np.minimum(first, len(until) - 1)], 0
    )
    return whole
