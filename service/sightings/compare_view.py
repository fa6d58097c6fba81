"""Two texts side by side: which passage is linked to which, what was edited inside, and how the paragraphs map. PURE.

Spans (identical text) are numbered from 1 in the order given, rewritten passages go on from there; the same number on
both sides is the same passage. Where the two overlap, the identical text is shown as such and the rewritten passage is
what stands around it. Offsets are code points, ends exclusive, as a match stores them: `[work_start, work_end,
page_start, page_end]`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Literal

Range = tuple[int, int]
Labelled = tuple[int, int, int]
Quad = Sequence[int]
Side = Literal["work", "page"]
Look = Literal["copied", "rewritten", "own"]
MAP_WIDTH = 128
MOST_RIBS = 200
"""Passages drawn in the map; more would be a grey wall. The largest are kept."""


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
    copied = _without_overlaps([(quad[at], quad[at + 1], number) for number, quad in enumerate(spans, 1)], len(text))
    around = _without_overlaps(
        [(quad[at], quad[at + 1], number) for number, quad in enumerate(rewritten, len(spans) + 1)], len(text)
    )
    reworded = [one for one in _outside(copied, around) if any(map(str.isalnum, text[one[0] : one[1]]))]
    owned = sorted(copied + reworded)
    edited = _without_overlaps([(quad[at], quad[at + 1], 0) for quad in edits], len(text))
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


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph in the map: its top and height, its number from 1, and what most of its passages are (own: none)."""

    y: float
    height: float
    number: int
    look: Look


@dataclass(frozen=True, slots=True)
class Rib:
    """The band of one passage from the work's side to the page's: an SVG path."""

    span: int
    path: str
    is_rewritten: bool = False


@dataclass(frozen=True, slots=True)
class ParagraphMap:
    """Everything the drawing needs. `numbered` is False when there are too many paragraphs for figures beside them."""

    width: int
    height: float
    work: list[Block]
    page: list[Block]
    ribs: list[Rib]
    numbered: bool

    @property
    def copied(self) -> int:
        """How many paragraphs of the work were mostly copied, of what was taken from them."""
        return sum(block.look == "copied" for block in self.work)

    @property
    def rewritten(self) -> int:
        """How many were mostly rewritten."""
        return sum(block.look == "rewritten" for block in self.work)


def map_paragraphs(
    work_text: str, page_text: str, spans: Sequence[Quad], rewritten: Sequence[Quad] = (), tallest: float = 480
) -> ParagraphMap:
    """The map of both texts at one scale; the longer one fills the height (160 up to `tallest` units)."""
    longest = max(len(work_text), len(page_text), 1)
    height = min(max(longest * 0.55, 160.0), tallest)
    columns = [_Column(text, longest, height) for text in (work_text, page_text)]
    work, page = (
        column.blocks(*([(quad[at], quad[at + 1]) for quad in quads] for quads in (spans, rewritten)))
        for column, at in zip(columns, (0, 2), strict=True)
    )
    quads = [*spans, *rewritten]
    largest = sorted(range(len(quads)), key=lambda index: quads[index][0] - quads[index][1])[:MOST_RIBS]
    behind_first = sorted(largest, key=lambda index: (index < len(spans), index))
    ribs = [Rib(index + 1, _rib(columns, quads[index]), index >= len(spans)) for index in behind_first]
    bottom = max((block.y + block.height for block in work + page), default=0.0)
    return ParagraphMap(MAP_WIDTH, round(bottom + 4, 1), work, page, ribs, max(len(work), len(page)) <= 24)


class _Column:
    """Where the characters of one text stand in the map: blank lines take no room, paragraphs stand a gap apart."""

    def __init__(self, text: str, longest: int, height: float) -> None:
        lines = text.split("\n")
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        self.paragraphs = [
            (start, start + len(line)) for start, line in zip(starts, lines, strict=False) if line.strip()
        ]
        self.gap = 5.0 if len(self.paragraphs) <= 24 else 1.5
        self.scale = max(height - self.gap * len(self.paragraphs), height / 3) / longest
        lengths = (self.scale * (end - start) + self.gap for start, end in self.paragraphs)
        self.tops = list(accumulate(lengths, initial=4.0))
        self.starts = [start for start, _ in self.paragraphs]

    def y(self, offset: int) -> float:
        """The height of a character; between two paragraphs it is the end of the upper one."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0:
            return 4.0
        start, end = self.paragraphs[index]
        return round(self.tops[index] + self.scale * (min(offset, end) - start), 1)

    def blocks(self, spans: list[Range], rewritten: list[Range]) -> list[Block]:
        """One block a paragraph."""
        found = []
        copied = _without_overlaps([(start, end, 0) for start, end in spans], 1 << 40)
        around = _outside(copied, _without_overlaps([(start, end, 0) for start, end in rewritten], 1 << 40))
        for number, (top, (start, end)) in enumerate(zip(self.tops, self.paragraphs, strict=False), 1):
            same, reworded = _covered(copied, start, end), _covered(around, start, end)
            look: Look = "own" if not same and not reworded else "copied" if same >= reworded else "rewritten"
            found.append(Block(round(top, 1), round(max(self.scale * (end - start), 1.0), 1), number, look))
        return found


def _rib(columns: list[_Column], quad: Quad) -> str:
    left, right = columns
    top_a, end_a, top_b, end_b = left.y(quad[0]), left.y(quad[1]), right.y(quad[2]), right.y(quad[3])
    return f"M30 {top_a}C64 {top_a} 64 {top_b} 98 {top_b}V{end_b}C64 {end_b} 64 {end_a} 30 {end_a}Z"


def _without_overlaps(ranges: list[Labelled], length: int) -> list[Labelled]:
    """The ranges in order, none empty, none overlapping, all within 0 … length."""
    kept: list[Labelled] = []
    reached = 0
    for start, end, label in sorted(ranges):
        left, right = max(start, reached), min(end, length)
        if left < right:
            kept.append((left, right, label))
            reached = right
    return kept


def _outside(taken: list[Labelled], ranges: list[Labelled]) -> list[Labelled]:
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


def _covered(ranges: list[Labelled], start: int, end: int) -> int:
    """How many characters of start … end lie in the ranges, which are in order and free of overlaps."""
    index, total = bisect_right(ranges, start, key=lambda item: item[1]), 0
    while index < len(ranges) and ranges[index][0] < end:
        total += min(ranges[index][1], end) - max(ranges[index][0], start)
        index += 1
    return total


def _owner(ranges: list[Labelled], position: int) -> int | None:
    index = bisect_right(ranges, position, key=lambda item: item[0]) - 1
    if index >= 0 and ranges[index][0] <= position < ranges[index][1]:
        return ranges[index][2]
    return None
