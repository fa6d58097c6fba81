"""A page against its candidates: the cheap test on all visible text first, the careful extraction only if that passes."""

from __future__ import annotations

from dataclasses import dataclass

from service.fingerprint import Normalised, normalise
from service.intake.extract import Article, extract_article
from service.matching import Measured, compare, may_match


@dataclass(frozen=True)
class WorkText:
    """A candidate's text as screening needs it, free of the session."""

    version_id: int
    work_id: int
    title: str
    text: Normalised
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


def examine(html: str, visible: str, url: str | None, candidates: list[WorkText]) -> Examined:
    """Compares the page with its candidates. The careful extraction runs only if the visible text passes first."""
    page_text = normalise(visible) if candidates else None
    likely = [work for work in candidates if page_text is not None and may_match(work.text, page_text)]
    if not likely:
        return Examined(visible, None, [])
    article = extract_article(html, url)
    text = normalise(article.text)
    found = []
    for work in likely:
        measured = compare(
            work.text, text, work_title=work.title, page_title=article.title or "", distance=work.distance
        )
        if measured is not None:
            found.append(Found(work, measured))
    return Examined(visible, article, found)
