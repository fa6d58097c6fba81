"""Does a page carry a work in other words? Passages of the rewritten aligner, weighed against identical text and figures.

Much stricter than the aligner itself, which also links what two reporters wrote after one form (case figures, court
announcements): a flag raised by wording alone needs close wording, enough of it, and the same numbers.
"""

import re
from collections.abc import Sequence

import numpy as np

from service.fingerprint.match import DEFAULT_THRESHOLDS, Thresholds
from service.fingerprint.normalise import Normalised
from service.fingerprint.overlap import Overlap, mask_ranges
from service.fingerprint.rewritten import Passage

LEAST_NUMBERS = 3
_NUMBER = re.compile(r"\d+")


def rewritten_coverage(passages: Sequence[Passage], overlap: Overlap) -> tuple[float, float]:
    """Share of the work and of the page that lies in rewritten passages but not in identical runs: 0 to 1 each."""
    runs = overlap.alignment.runs
    sides = (
        (overlap.work, [(one.a_start, one.a_end) for one in passages], runs[:, 0]),
        (overlap.page, [(one.b_start, one.b_end) for one in passages], runs[:, 1]),
    )
    shares = []
    for text, ranges, starts in sides:
        covered = mask_ranges(text, ranges)
        for start, length in zip(starts.tolist(), runs[:, 2].tolist(), strict=True):
            covered[start : start + length] = False
        shares.append(float(covered.mean()) if len(text) else 0.0)
    return shares[0], shares[1]


def is_reworded(passages: Sequence[Passage], overlap: Overlap, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> bool:
    """Enough of the work stands in the page in other words to show it to a person.

    Attributed quotations and boilerplate of the work do not count, reworded or not.
    """
    close = [
        one
        for one in passages
        if one.score >= thresholds.rewritten_score and _numbers_agree(one, overlap, thresholds.agreeing_numbers)
    ]
    counts = ~overlap.is_apart
    sizes = [int((mask_ranges(overlap.work, [(one.a_start, one.a_end)]) & counts).sum()) for one in close]
    if any(
        size >= thresholds.rewritten_characters and one.score >= thresholds.rewritten_passage_score
        for size, one in zip(sizes, close, strict=True)
    ):
        return True
    total = int((mask_ranges(overlap.work, [(one.a_start, one.a_end) for one in close]) & counts).sum())
    return total >= max(thresholds.rewritten_characters, thresholds.rewritten_coverage * int(counts.sum()))


def _numbers_agree(passage: Passage, overlap: Overlap, least_share: float) -> bool:
    ours = _numbers(overlap.work, passage.a_start, passage.a_end)
    theirs = _numbers(overlap.page, passage.b_start, passage.b_end)
    fewer = min(len(ours), len(theirs))
    return fewer < LEAST_NUMBERS or len(ours & theirs) >= least_share * fewer


def _numbers(text: Normalised, start: int, end: int) -> set[str]:
    first, last = np.searchsorted(text.offsets, np.array((start, end), dtype=text.offsets.dtype))
    part = text.codes[first:last].tobytes().decode("utf-32-le", "surrogatepass")
    return set(_NUMBER.findall(part))
