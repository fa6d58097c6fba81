"""The scores of the PAN text-alignment task: recall, precision, granularity and plagdet, macro and micro.

Cases and detections are passages of a source and of a suspicious text. A detection detects a case when they share
characters in both texts. Macro averages over cases (recall) and detections (precision), micro counts characters.
plagdet = F1 / log2(1 + granularity), granularity: how many detections a detected case has on average.

Source: M. Potthast, B. Stein, A. Barrón-Cedeño, P. Rosso, "An Evaluation Framework for Plagiarism Detection", COLING 2010.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Quad = tuple[int, int, int, int]
"""(source start, source end, suspicious start, suspicious end), ends exclusive."""


@dataclass(frozen=True)
class Score:
    """All between 0 and 1, granularity from 1 on. Without any case recall is 1; without any detection precision is 1."""

    recall: float
    precision: float
    granularity: float
    cases: int
    detections: int

    @property
    def plagdet(self) -> float:
        total = self.recall + self.precision
        return 2 * self.recall * self.precision / total / math.log2(1 + self.granularity) if total else 0.0


def score_pairs(pairs: Iterable[tuple[Sequence[Quad], Sequence[Quad]]], *, is_macro: bool = True) -> Score:
    """The score of (cases, detections) of many pairs of texts."""
    recalls: list[tuple[int, int]] = []
    precisions: list[tuple[int, int]] = []
    detectors: list[int] = []
    for cases, detections in pairs:
        for case in cases:
            hits = [one for one in detections if _meet(case, one)]
            recalls.append((_covered(case, hits), _size(case)))
            if hits:
                detectors.append(len(hits))
        for detection in detections:
            precisions.append((_covered(detection, [one for one in cases if _meet(one, detection)]), _size(detection)))
    average = _macro if is_macro else _micro
    granularity = sum(detectors) / len(detectors) if detectors else 1.0
    return Score(average(recalls), average(precisions), granularity, len(recalls), len(precisions))


def _macro(shares: list[tuple[int, int]]) -> float:
    return sum(covered / size for covered, size in shares) / len(shares) if shares else 1.0


def _micro(shares: list[tuple[int, int]]) -> float:
    return sum(covered for covered, _ in shares) / sum(size for _, size in shares) if shares else 1.0


def _size(one: Quad) -> int:
    return one[1] - one[0] + one[3] - one[2]


def _meet(one: Quad, other: Quad) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _covered(one: Quad, others: Sequence[Quad]) -> int:
    """Characters of both sides of `one` that lie in any of the others."""
    return sum(_union((max(one[at], o[at]), min(one[at + 1], o[at + 1])) for o in others) for at in (0, 2))


def _union(ranges: Iterable[tuple[int, int]]) -> int:
    total, reached = 0, -1
    for start, end in sorted(ranges):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
