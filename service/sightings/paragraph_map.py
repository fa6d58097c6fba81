"""How the paragraphs of two texts correspond, as a drawing between them. PURE.

Passages are numbered as in `compare_view`: spans from 1, rewritten passages after them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from service.sightings.compare_view import Labelled, Quad, Range, outside, without_overlaps

Look = Literal["copied", "rewritten", "own"]
MAP_WIDTH = 128
MOST_RIBS = 200
"""Passages drawn in the map; more would be a grey wall. The largest are kept."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph in the map: its top and height, its number from 1, and what most of its passages are (own: none).

    `has_copied`: copied words are in it, however few.
    """

    y: float
    height: float
    number: int
    look: Look
    has_copied: bool


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
        """How many paragraphs of the work have copied words in them, mostly rewritten ones included."""
        return sum(block.has_copied for block in self.work)

    @property
    def rewritten(self) -> int:
        """How many were mostly rewritten."""
        return sum(block.look == "rewritten" for block in self.work)


def map_paragraphs(
    work_text: str,
    page_text: str,
    spans: Sequence[Quad],
    rewritten: Sequence[Quad] = (),
    *,
    linked: Collection[int] | None = None,
    tallest: float = 480,
) -> ParagraphMap:
    """The map of both texts at one scale; the longer one fills the height (160 up to `tallest` units).

    `linked`: numbers of the passages that both sides show, the only ones to get a rib; None: all do.
    """
    longest = max(len(work_text), len(page_text), 1)
    height = min(max(longest * 0.55, 160.0), tallest)
    columns = [_Column(text, longest, height) for text in (work_text, page_text)]
    work, page = (
        column.blocks(*([(quad[at], quad[at + 1]) for quad in quads] for quads in (spans, rewritten)))
        for column, at in zip(columns, (0, 2), strict=True)
    )
    quads = [*spans, *rewritten]
    drawn = (index for index in range(len(quads)) if linked is None or index + 1 in linked)
    largest = sorted(drawn, key=lambda index: quads[index][0] - quads[index][1])[:MOST_RIBS]
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
        copied = without_overlaps([(start, end, 0) for start, end in spans], 1 << 40)
        around = outside(copied, without_overlaps([(start, end, 0) for start, end in rewritten], 1 << 40))
        for number, (top, (start, end)) in enumerate(zip(self.tops, self.paragraphs, strict=False), 1):
            same, reworded = _covered(copied, start, end), _covered(around, start, end)
            look: Look = "own" if not same and not reworded else "copied" if same >= reworded else "rewritten"
            found.append(Block(round(top, 1), round(max(self.scale * (end - start), 1.0), 1), number, look, same > 0))
        return found


def _rib(columns: list[_Column], quad: Quad) -> str:
    left, right = columns
    top_a, end_a, top_b, end_b = left.y(quad[0]), left.y(quad[1]), right.y(quad[2]), right.y(quad[3])
    return f"M30 {top_a}C64 {top_a} 64 {top_b} 98 {top_b}V{end_b}C64 {end_b} 64 {end_a} 30 {end_a}Z"


def _covered(ranges: list[Labelled], start: int, end: int) -> int:
    """How many characters of start … end lie in the ranges, which are in order and free of overlaps."""
    index, total = bisect_right(ranges, start, key=lambda item: item[1]), 0
    while index < len(ranges) and ranges[index][0] < end:
        total += min(ranges[index][1], end) - max(ranges[index][0], start)
        index += 1
    return total
