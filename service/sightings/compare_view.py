"""Two texts side by side: which passage is linked to which, and what was edited inside. PURE.

Spans (identical text) are numbered from 1 in the order given, rewritten passages go on from there; the same number on
both sides is the same passage. Where the two overlap, the identical text is shown as such and the rewritten passage is
what stands around it. Offsets are code points, ends exclusive, as a match stores them: `[work_start, work_end,
page_start, page_end]`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

Range = tuple[int, int]
Labelled = tuple[int, int, int]
Quad = Sequence[int]
Side = Literal["work", "page"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one text. `span` is the number of the passage it lies in, None outside of all of them."""

    text: str
    span: int | None = None
    is_edit: bool = False
    is_rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """Neighbouring segments of one span within a paragraph; `is_first` marks where a link to the span arrives."""

    span: int | None
    is_first: bool
    segments: tuple[Segment, ...]

    @property
    def is_rewritten(self) -> bool:
        """True when the passage stands on the other side in other words."""
        return self.segments[0].is_rewritten


def split_segments(
    text: str, spans: Sequence[Quad], edits: Sequence[Quad], side: Side, rewritten: Sequence[Quad] = ()
) -> list[list[Segment]]:
    """Paragraphs of segments; put together in order they give `text` back exactly. [] for an empty text.

    A paragraph keeps its line break at its end. Where spans overlap on this side, the one that starts first has the
    characters. Ranges that lie outside the text are cut to it. Of a rewritten passage only stretches with a letter or
    figure are marked: a comma between two identical spans was not rewritten.
    """
    at = 0 if side == "work" else 2
    copied = without_overlaps([(quad[at], quad[at + 1], number) for number, quad in enumerate(spans, 1)], len(text))
    around = without_overlaps(
        [(quad[at], quad[at + 1], number) for number, quad in enumerate(rewritten, len(spans) + 1)], len(text)
    )
    reworded = [one for one in outside(copied, around) if any(map(str.isalnum, text[one[0] : one[1]]))]
    owned = sorted(copied + reworded)
    edited = without_overlaps([(quad[at], quad[at + 1], 0) for quad in edits], len(text))
    breaks = [position + 1 for position, character in enumerate(text) if character == "\n"]
    ends = {*breaks, len(text)}
    cuts = sorted({0, *ends, *(edge for start, end, _ in owned + edited for edge in (start, end))})
    paragraphs: list[list[Segment]] = [[]]
    for start, end in pairwise(cuts):
        span = _owner(owned, start)
        is_rewritten = span is not None and span > len(spans)
        paragraphs[-1].append(Segment(text[start:end], span, _owner(edited, start) is not None, is_rewritten))
        if end in ends and end < len(text):
            paragraphs.append([])
    return paragraphs if text else []


def group_passages(paragraphs: list[list[Segment]]) -> list[list[Passage]]:
    """The same paragraphs with the segments of one span put together; blank paragraphs are left out."""
    seen: set[int] = set()
    grouped = []
    for paragraph in paragraphs:
        if not any(segment.text.strip() for segment in paragraph):
            continue
        passages = []
        for span, segments in groupby(paragraph, key=lambda segment: segment.span):
            passages.append(Passage(span, span is not None and span not in seen, tuple(segments)))
            seen.update(() if span is None else (span,))
        grouped.append(passages)
    return grouped


def numbers_in(paragraphs: list[list[Passage]]) -> set[int]:
    """The numbers of the passages that one side shows."""
    return {passage.span for paragraph in paragraphs for passage in paragraph if passage.span is not None}


def without_overlaps(ranges: list[Labelled], length: int) -> list[Labelled]:
    """The ranges in order, none empty, none overlapping, all within 0 … length."""
    kept: list[Labelled] = []
    reached = 0
    for start, end, label in sorted(ranges):
        left, right = max(start, reached), min(end, length)
        if left < right:
            kept.append((left, right, label))
            reached = right
    return kept


def outside(taken: list[Labelled], ranges: list[Labelled]) -> list[Labelled]:
    """What is left of the ranges outside the taken ones; both in order and free of overlaps, as is the answer."""
    left = []
    for start, end, label in ranges:
        reached, index = start, bisect_right(taken, start, key=lambda item: item[1])
        while index < len(taken) and taken[index][0] < end:
            if reached < taken[index][0]:
                left.append((reached, taken[index][0], label))
            reached = taken[index][1]
            index += 1
        if reached < end:
            left.append((reached, end, label))
    return left


def _owner(ranges: list[Labelled], position: int) -> int | None:
    index = bisect_right(ranges, position, key=lambda item: item[0]) - 1
    if index >= 0 and ranges[index][0] <= position < ranges[index][1]:
        return ranges[index][2]
    return None
