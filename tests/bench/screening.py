"""The path that screening takes, with every stage in view, over the articles of a corpus as registered works."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from service.comparison import likely_candidates
from service.fingerprint import IndexSegment, Thresholds, build_background, fingerprint_text, normalise
from service.matching import Measured, compare
from tests.bench.corpus import Article

BACKGROUND_TEXTS = 5_000


@dataclass(frozen=True)
class Seen:
    """What screening saw of a text: works that the index gave, and works found, by their place in the corpus."""

    candidates: set[int]
    found: dict[int, Measured]


class Lab:
    """The registry of a corpus and the thresholds under test."""

    def __init__(self, corpus: list[Article], thresholds: Thresholds) -> None:
        self.corpus, self.thresholds = corpus, thresholds
        rows = []
        for number, article in enumerate(corpus):
            text = normalise(article.text)
            fingerprint = fingerprint_text(text)
            if fingerprint is not None:
                rows.append((number, fingerprint, text.codes))
        self.index = IndexSegment.build(rows)
        self.background = build_background(one.text for one in corpus[:BACKGROUND_TEXTS])

    def random(self, name: str) -> Random:
        """A generator of its own for each purpose."""
        return Random(name)

    def sample(self, seed: int, count: int) -> list[int]:
        """Places of articles, drawn by the seed, ascending."""
        return sorted(Random(f"{seed}:sample").sample(range(len(self.corpus)), min(count, len(self.corpus))))

    def screen(self, text: str, title: str = "") -> Seen:
        """A page's text through index, cheap test and comparison."""
        normalised = normalise(text)
        fingerprint = fingerprint_text(normalised)
        candidates = self.index.find(fingerprint) if fingerprint is not None else []
        found = {}
        for one in likely_candidates(normalised, candidates):
            work = self.corpus[one.version_id]
            measured = self.compare(work.text, text, work_title=work.title, page_title=title, distance=one.distance)
            if measured is not None:
                found[one.version_id] = measured
        return Seen({one.version_id for one in candidates}, found)

    def compare(
        self, work: str, page: str, *, work_title: str = "", page_title: str = "", distance: int | None = None
    ) -> Measured | None:
        """One comparison with the thresholds under test."""
        return compare(
            work,
            page,
            work_title=work_title,
            page_title=page_title,
            distance=distance,
            background=self.background,
            thresholds=self.thresholds,
        )

    @staticmethod
    def figures(measured: Measured) -> dict[str, Any]:
        """The numbers of a comparison by which a person can judge it."""
        return {
            "kind": measured.kind,
            "coverage": round(measured.overlap.coverage, 3),
            "longest_run": measured.alignment.longest_run,
            "longest_passage": max((one.identical for one in measured.overlap.passages), default=0),
            "quoted": round(measured.quoted_coverage, 3),
            "rewritten": round(measured.rewritten_coverage[0], 3),
        }
