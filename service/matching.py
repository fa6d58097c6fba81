"""A page's text against candidate works: the cheap test first, then one careful comparison. PURE.

The same code serves scans and the offline command. `may_match` reads the works' texts as the index holds them; `compare`
measures identical text, then, where that does not settle the matter, text in other words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import (
    Alignment,
    Background,
    Kind,
    Overlap,
    Passage,
    Thresholds,
    align_rewritten,
    classify,
    condensed_from,
    copied_characters,
    is_reworded,
    is_title_changed,
    may_be_rewritten,
    measure_overlap,
    rewritten_coverage,
    split_sentences,
)
from service.fingerprint.match import DEFAULT_THRESHOLDS
from service.fingerprint.rewritten import MOST_CHARACTERS

MAY_MATCH_SHARE = 0.20
"""Share of the work in the page's visible text below which no share can be reached in its article: the article's own
count leaves out boilerplate of the work, which makes shares larger, by a third at most in 2,667 real articles."""
MAY_MATCH_RUN = 45
"""An unbroken run of the work at which a page is looked at whatever the share: shorter than any rule for passages. On 392
pages of the same beats that carry no work (400 layouts and articles, 2026-11-25), 3 have such a run, but 15 one of 30."""
MAY_MATCH_PASSAGE = DEFAULT_THRESHOLDS.span_characters
"""So is a passage of this length with small edits in it."""
SHORT_PAGE = 800
"""On a page with so few characters in all, the article can be a post that consists of the work: so many identical
characters as that rule asks for are enough. (On a longer page such a post needs one unbroken run of 45.)"""


@dataclass(frozen=True)
class Measured:
    """What one comparison measured; field meanings as in `service.sightings.models.Match`.

    `rewritten`: passages (work_start, work_end, page_start, page_end, score) whose content the page has in other words;
    `rewritten_coverage`: share of the work and of the page in them that is not identical text.
    """

    kind: Kind
    overlap: Overlap
    distance: int | None
    is_title_changed: bool
    rewritten: tuple[Passage, ...]
    rewritten_coverage: tuple[float, float]
    is_condensed: bool

    @property
    def alignment(self) -> Alignment:
        """The identical passages."""
        return self.overlap.alignment

    @property
    def quoted_coverage(self) -> float:
        """Share of the work in quotations that both texts attribute."""
        return self.overlap.quoted_coverage

    @property
    def spans(self) -> list[list[int]]:
        """[[work_start, work_end, page_start, page_end], …] in code points, ends exclusive."""
        return [[span.a_start, span.a_end, span.b_start, span.b_end] for span in self.alignment.spans]


def may_match(work: NDArray[np.uint16], page: NDArray[np.uint16]) -> bool:
    """The cheap test on a page's whole visible text: False means that the page need not be looked at for this work.

    Both are normalised codes folded to 16 bits, which can only make more characters equal.
    """
    return may_be_copied(work, page) or may_be_rewritten(work, page)


def may_be_copied(work: NDArray[np.uint16], page: NDArray[np.uint16]) -> bool:
    """The part of the cheap test that asks for identical text."""
    quick = copied_characters(work, page)
    if quick.longest_run >= MAY_MATCH_RUN or quick.longest_passage >= MAY_MATCH_PASSAGE:
        return True
    least = max(1.0, MAY_MATCH_SHARE * len(work))
    if len(page) <= SHORT_PAGE:
        least = min(least, DEFAULT_THRESHOLDS.least_identical)
    return quick.copied >= least


def compare(
    work: str,
    page: str,
    *,
    work_title: str,
    page_title: str,
    distance: int | None,
    background: Background | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Measured | None:
    """What a page's article carries of a work, or None when that is too little.

    `background`: how common words are in the registry; without it the two texts alone tell.
    """
    overlap = measure_overlap(work, page)
    kind = classify(overlap, thresholds)
    passages: list[Passage] = []
    is_condensed = False
    if kind != "full":
        ours, theirs = split_sentences(work[:MOST_CHARACTERS]), split_sentences(page[:MOST_CHARACTERS])
        passages = align_rewritten(ours, theirs, background)
        if kind is None and is_reworded(passages, overlap, thresholds):
            kind = "modified"
        is_condensed = kind is not None and condensed_from(ours, theirs, passages) is not None
    if kind is None:
        return None
    return Measured(
        kind=kind,
        overlap=overlap,
        distance=distance,
        is_title_changed=is_title_changed(work_title, page_title),
        rewritten=tuple(passages),
        rewritten_coverage=rewritten_coverage(passages, overlap),
        is_condensed=is_condensed,
    )
