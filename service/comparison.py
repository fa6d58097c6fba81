"""A page against its candidates: the cheap test on all visible text first, the careful extraction only if that passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from service.fingerprint import Background, Candidate, Normalised, normalise
from service.intake.extract import Article, extract_article
from service.matching import Measured, compare, may_be_copied, may_match


@dataclass(frozen=True)
class WorkText:
    """A candidate's text as comparing needs it, free of the session."""

    version_id: int
    work_id: int
    title: str
    text: str
    distance: int | None


@dataclass(frozen=True)
class Found:
    """A work that the page carries, with what was measured."""

    work: WorkText
    measured: Measured


@dataclass(frozen=True)
class Examined:
    """A page read: all its visible text; the article (None where no work came near), and the works found in it."""

    visible: str
    article: Article | None
    found: list[Found]


Load = Callable[[Sequence[Candidate]], Sequence[WorkText]]
"""Gives the texts of candidates, of works in force only."""


def likely_candidates(page: Normalised, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates whose text stands in the page's visible text closely enough to read the page carefully."""
    codes = page.codes.astype(np.uint16)
    return [one for one in candidates if may_match(one.codes, codes)]


def examine(
    html: str,
    visible: str,
    url: str | None,
    likely: Sequence[Candidate],
    load: Load,
    *,
    background: Background | None = None,
) -> Examined:
    """Compares the page's article with the candidates that passed the cheap test. Without any, the article is not read.

    Nor is it read for works that came near by their wording alone, unless the visible text bears it out: that comparison
    takes a millisecond, and finding the article in the page thirty.
    """
    works = [work for work in (load(likely) if likely else ()) if _is_near(work, visible, background)]
    if not works:
        return Examined(visible, None, [])
    article = extract_article(html, url)
    return Examined(visible, article, find_works(article.text, article.title or "", works, background))


def _is_near(work: WorkText, visible: str, background: Background | None) -> bool:
    ours, theirs = (normalise(text).codes.astype(np.uint16) for text in (work.text, visible))
    if may_be_copied(ours, theirs):
        return True
    near = compare(work.text, visible, work_title="", page_title="", distance=None, background=background)
    return near is not None


def find_works(text: str, title: str, works: Sequence[WorkText], background: Background | None = None) -> list[Found]:
    """Those of the works that a text carries, each with what was measured."""
    found = []
    for work in works:
        measured = compare(
            work.text, text, work_title=work.title, page_title=title, distance=work.distance, background=background
        )
        if measured is not None:
            found.append(Found(work, measured))
    return found
