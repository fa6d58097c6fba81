"""Two texts side by side: which passage is linked to which, what was edited inside, and how the paragraphs map. PURE.

Spans are numbered from 1 in the order given; the same number on both sides is the same passage. Offsets are code
points, ends exclusive, as a match stores them: `[work_start, work_end, page_start, page_end]`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Literal

Range = tuple[int, int]
Quad = Sequence[int]
Side = Literal["work", "page"]
MAP_WIDTH = 128
MOST_RIBS = 200
"""Passages drawn in the map; more would be a grey wall. The largest are kept."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one text. `span` is the number of the copied passage it lies in, None outside of all of them."""

    text: str
    span: int | None = None
    is_edit: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """Neighbouring segments of one span within a paragraph; `is_first` marks where a link to the span arrives."""

    span: int | None
    is_first: bool
    segments: tuple[Segment, ...]


def split_segments(text: str, spans: Sequence[Quad], edits: Sequence[Quad], side: Side) -> list[list[Segment]]:
    """Paragraphs of segments; put together in order they give `text` back exactly. [] for an empty text.

    A paragraph keeps its line break at its end. Where spans overlap on this side, the one that starts first has the
    characters. Ranges that lie outside the text are cut to it.
    """
    at = 0 if side == "work" else 2
    owned = _without_overlaps([(quad[at], quad[at + 1], number) for number, quad in enumerate(spans, 1)], len(text))
    edited = _without_overlaps([(quad[at], quad[at + 1], 0) for quad in edits], len(text))
    breaks = [position + 1 for position, character in enumerate(text) if character == "\n"]
    ends = {*breaks, len(text)}
    cuts = sorted({0, *ends, *(edge for start, end, _ in owned + edited for edge in (start, end))})
    paragraphs: list[list[Segment]] = [[]]
    for start, end in pairwise(cuts):
        paragraphs[-1].append(Segment(text[start:end], _owner(owned, start), _owner(edited, start) is not None))
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


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph in the map: its top and height, its number from 1, and whether any of it is a copied passage."""

    y: float
    height: float
    number: int
    is_copied: bool


@dataclass(frozen=True, slots=True)
class Rib:
    """The band of one passage from the work's side to the page's: an SVG path."""

    span: int
    path: str


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
        """How many paragraphs of the work have copied passages."""
        return sum(block.is_copied for block in self.work)


def map_paragraphs(work_text: str, page_text: str, spans: Sequence[Quad], tallest: float = 480) -> ParagraphMap:
    """The map of both texts at one scale; the longer one fills the height (160 up to `tallest` units)."""
    longest = max(len(work_text), len(page_text), 1)
    height = min(max(longest * 0.55, 160.0), tallest)
    columns = [_Column(text, longest, height) for text in (work_text, page_text)]
    work, page = (
        column.blocks([(quad[at], quad[at + 1]) for quad in spans]) for column, at in zip(columns, (0, 2), strict=True)
    )
    largest = sorted(range(len(spans)), key=lambda index: spans[index][0] - spans[index][1])[:MOST_RIBS]
    ribs = [Rib(index + 1, _rib(columns, spans[index])) for index in sorted(largest)]
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

    def blocks(self, ranges: list[Range]) -> list[Block]:
        """One block a paragraph."""
        found = []
        merged = _without_overlaps([(start, end, 0) for start, end in ranges], 1 << 40)
        for number, (top, (start, end)) in enumerate(zip(self.tops, self.paragraphs, strict=False), 1):
            before_end = bisect_left(merged, end, key=lambda item: item[0]) - 1
            is_copied = before_end >= 0 and merged[before_end][1] > start
            found.append(Block(round(top, 1), round(max(self.scale * (end - start), 1.0), 1), number, is_copied))
        return found


def _rib(columns: list[_Column], quad: Quad) -> str:
    left, right = columns
    top_a, end_a, top_b, end_b = left.y(quad[0]), left.y(quad[1]), right.y(quad[2]), right.y(quad[3])
    return f"M30 {top_a}C64 {top_a} 64 {top_b} 98 {top_b}V{end_b}C64 {end_b} 64 {end_a} 30 {end_a}Z"


def _without_overlaps(ranges: list[tuple[int, int, int]], length: int) -> list[tuple[int, int, int]]:
    """The ranges in order, none empty, none overlapping, all within 0 … length."""
    kept: list[tuple[int, int, int]] = []
    reached = 0
    for start, end, label in sorted(ranges):
        left, right = max(start, reached), min(end, length)
        if left < right:
            kept.append((left, right, label))
            reached = right
    return kept


def _owner(ranges: list[tuple[int, int, int]], position: int) -> int | None:
    index = bisect_right(ranges, position, key=lambda item: item[0]) - 1
    if index >= 0 and ranges[index][0] <= position < ranges[index][1]:
        return ranges[index][2]
    return None
