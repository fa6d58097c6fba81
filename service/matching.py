"""Candidates from both indexes, then one measured comparison. PURE: the same code serves scans and the offline command.

find_candidates: the winnow postings find copies whole, changed or in part; the simhash finds the same article again.
compare: alignment in both directions, the kind of match, the changed headline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from service.fingerprint import (
    Alignment,
    Fingerprint,
    HammingIndex,
    Normalised,
    PostingsIndex,
    align_texts,
    classify,
    hamming_distance,
    is_match,
    is_title_changed,
)

MAX_DISTANCE_BITS = 10
"""“Same article” by simhash: unrelated pairs of ≥ 200 characters differ in 13 bits or more (150,000 pairs measured)."""
MIN_SHARED_HASHES = 2
MAX_CANDIDATES = 20


@dataclass(frozen=True)
class Candidate:
    """A work version worth comparing: shared winnow hashes, and the simhash distance where both texts are long enough."""

    version_id: int
    shared: int
    distance: int | None


@dataclass(frozen=True)
class Measured:
    """What one comparison measured; field meanings as in `service.sightings.models.Match`."""

    kind: str
    alignment: Alignment
    distance: int | None
    is_title_changed: bool

    @property
    def spans(self) -> list[list[int]]:
        """[[work_start, work_end, page_start, page_end], …] in code points, ends exclusive."""
        return [[span.a_start, span.a_end, span.b_start, span.b_end] for span in self.alignment.spans]


class CandidateIndex:
    """Both indexes over the fingerprints of work versions. Built once, then only read."""

    def __init__(self, fingerprints: Iterable[tuple[int, Fingerprint]]) -> None:
        rows = list(fingerprints)
        self.simhashes = {
            version_id: fingerprint.simhash for version_id, fingerprint in rows if not fingerprint.is_short
        }
        ids = np.fromiter(self.simhashes.keys(), np.int64, len(self.simhashes))
        self.hamming = HammingIndex(np.fromiter(self.simhashes.values(), np.uint64, len(ids)), ids)
        self.postings = PostingsIndex.build((version_id, fingerprint.winnow) for version_id, fingerprint in rows)
        self.size = len(rows)

    def find(self, fingerprint: Fingerprint) -> list[Candidate]:
        """Candidates for a page's fingerprint, best first; at most MAX_CANDIDATES by hashes plus those by simhash.

        A short page asks for one shared hash only: it has few.
        """
        min_shared = 1 if fingerprint.is_short else MIN_SHARED_HASHES
        shared = dict(self.postings.search(fingerprint.winnow, min_shared, MAX_CANDIDATES))
        distances: dict[int, int] = {}
        if not fingerprint.is_short:
            ids, bits = self.hamming.search(fingerprint.simhash, MAX_DISTANCE_BITS)
            distances = dict(zip(ids[:MAX_CANDIDATES].tolist(), bits[:MAX_CANDIDATES].tolist(), strict=True))
        found = [
            Candidate(version_id, shared.get(version_id, 0), self._distance(version_id, fingerprint, distances))
            for version_id in {**shared, **distances}
        ]
        return sorted(
            found, key=lambda one: (-one.shared, one.distance if one.distance is not None else 64, one.version_id)
        )

    def _distance(self, version_id: int, fingerprint: Fingerprint, known: dict[int, int]) -> int | None:
        if version_id in known:
            return known[version_id]
        if fingerprint.is_short or version_id not in self.simhashes:
            return None
        return hamming_distance(self.simhashes[version_id], fingerprint.simhash)


def may_match(work: Normalised, page: Normalised) -> bool:
    """The cheap test on a page's whole visible text: False means that the careful extraction can be spared."""
    return is_match(align_texts(work, page), len(work))


def compare(
    work: Normalised, page: Normalised, *, work_title: str, page_title: str, distance: int | None
) -> Measured | None:
    """The measured overlap of a page's article with a work, or None when too little was carried over."""
    alignment = align_texts(work, page)
    kind = classify(alignment, len(work), len(page))
    if kind is None:
        return None
    return Measured(kind, alignment, distance, is_title_changed(work_title, page_title))
