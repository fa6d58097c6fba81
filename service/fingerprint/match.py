"""From an alignment to a word: is this a match, and of which kind ("yj-match-1")?

A match says that text was carried over, never that it was unlawful. ``a`` is the work, ``b`` the candidate.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from service.fingerprint.align import Alignment, Span
from service.fingerprint.normalise import normalise

Kind = Literal["full", "modified", "excerpt"]
MATCH = "yj-match-1"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a match begins and how its kinds part. Lengths are normalised characters, shares 0 to 1.

    Data: zh_reposts (2,587 real pairs, 56 same-event pairs) and zh_news (2,667 articles), measured 2026-11-23.
    """

    coverage_of_work: float = 0.30
    """With the rules below: all of the 213 full, 200 modified and 95 excerpt pairs, 927 of 965 partial ones (silver labels,
    computed from the overlap itself), and 0 of 56 same-event pairs (the largest share there: 0.27)."""

    span_characters: int = 80
    """One passage this long is a match whatever its share. What it adds below 30 % coverage is almost always a
    quotation or an official text that both articles carry: a person must see that it is one."""

    span_run_characters: int = 23
    """… if it holds an unbroken run of this length, the least that winnowing is sure to find. Without it, tables of daily
    figures pass for passages (the one same-event pair of 56 that matched: 82 characters in runs of 22 at most)."""

    coverage_of_short_work: tuple[tuple[int, float], ...] = ((100, 0.70), (200, 0.60))
    """Works shorter than this need this share instead; 0.30 of 60 characters is a dateline. First 50 to 180 characters of
    2,500 articles as works, asked for among the others: covered 0.60 to 0.69, 228 of 393 pairs at 50 and 80
    characters belong to articles that are no match in full (formulaic leads), but 57 of 401 at 120 and 180."""

    candidate_coverage: float = 0.70
    """A candidate that consists of the work to this share (a post, a digest) is an excerpt of it however long the work is.
    In 0 of the 56 same-event pairs is a text covered to more than 0.27."""

    least_identical: int = 30
    """No share counts with fewer identical characters than this in all: of a short text anything is a large share."""

    full_coverage: float = 0.90
    """The 213 real full reposts have 0.92 or more (1st percentile 0.92, median 1.00)."""

    most_coverage: float = 0.60
    """From this share on, moved parts make a copy "modified"; below, it is an excerpt in whatever order."""

    edits_free: int = 2
    """This many small edits leave a copy "nearly unaltered" at any length …"""

    edit_every_characters: int = 100
    """… and one more for each so many identical characters."""

    moved_share: float = 0.10
    """More than this share of the copied characters out of order makes a copy "modified"."""


DEFAULT_THRESHOLDS = Thresholds()


def classify(
    alignment: Alignment, length_a: int, length_b: int, thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> Kind | None:
    """What the candidate (b) is to the work (a): None is "no match".

    ``full``: nearly all of the work, nearly unaltered. ``excerpt``: a part of it, nearly verbatim. ``modified``: carried
    over with edits inside the passages or with its parts moved. Lengths are normalised characters; no rule of this
    version depends on ``length_b``, which is asked for so that a later one may.
    """
    if not is_match(alignment, length_a, thresholds):
        return None
    identical = sum(span.identical for span in alignment.spans)
    is_verbatim = alignment.edits <= thresholds.edits_free + identical / thresholds.edit_every_characters
    if alignment.coverage_of_a >= thresholds.full_coverage:
        return "full" if is_verbatim and moved_share(alignment.spans) <= thresholds.moved_share else "modified"
    if not is_verbatim:
        return "modified"
    is_most = alignment.coverage_of_a >= thresholds.most_coverage
    return "modified" if is_most and moved_share(alignment.spans) > thresholds.moved_share else "excerpt"


def is_match(alignment: Alignment, length_a: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> bool:
    """Enough of the work stands in the candidate, by share or by one long passage."""
    long_enough = (span for span in alignment.spans if span.identical >= thresholds.span_characters)
    if any(span.longest_run >= thresholds.span_run_characters for span in long_enough):
        return True
    if sum(span.identical for span in alignment.spans) < thresholds.least_identical:
        return False
    floors = (share for below, share in thresholds.coverage_of_short_work if length_a < below)
    needed = next(floors, thresholds.coverage_of_work)
    return alignment.coverage_of_a >= needed or alignment.coverage_of_b >= thresholds.candidate_coverage


def moved_share(spans: list[Span], most_spans: int = 1_000) -> float:
    """Share of the identical characters outside the best sequence of spans that stands in one order in both texts.

    Spans are taken ascending in a. Only the ``most_spans`` largest count, which bounds the cost; [] gives 0.
    """
    largest = sorted(sorted(spans, key=lambda span: -span.identical)[:most_spans])
    total = sum(span.identical for span in largest)
    tails: list[tuple[int, int]] = []  # (b_start of the last span, best weight), both ascending
    for span in largest:
        at = bisect_left(tails, (span.b_start, 0))
        weight = span.identical + (tails[at - 1][1] if at else 0)
        end = at
        while end < len(tails) and tails[end][1] <= weight:
            end += 1
        tails[at:end] = [(span.b_start, weight)]
    return 1 - tails[-1][1] / total if total else 0.0


_SITE_BREAK = re.compile(r"\s*(?:[_|｜丨]|--+|——|\s[-–—]\s?|[-–—](?=[^-–—]{2,12}$))\s*")
_LABEL = re.compile(r"[（(\[【]\s*(?:组图|高清组图|图|视频|图文|多图|转载|转|原创|独家)\s*[)）\]】]")
_CUT = re.compile(r"(?:…+|\.{3,})$")


def is_title_changed(work_title: str, candidate_title: str) -> bool:
    """The candidate bears another headline than the work.

    Not a change: site names behind a bar or dash, labels such as （组图）, punctuation, traditional forms, a headline
    cut short with "…". An empty title says nothing: False.
    """
    ours, theirs = _headlines(work_title), _headlines(candidate_title)
    if not ours or not theirs or ours & theirs:
        return False
    cut = _CUT.sub("", candidate_title.strip())
    if cut != candidate_title.strip():
        start = normalise(_LABEL.sub("", cut)).text
        return len(start) < 4 or not normalise(_LABEL.sub("", work_title)).text.startswith(start)
    return True


def _headlines(title: str) -> set[str]:
    """The title with none, one, … of its trailing site names taken off, normalised; {} when nothing is left."""
    plain = _LABEL.sub("", title).strip()
    found = {normalise(plain).text}
    found.update(normalise(plain[: match.start()]).text for match in _SITE_BREAK.finditer(plain))
    return found - {""}
