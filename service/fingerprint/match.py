"""From an overlap to a word: is this a match, and of which kind ("yj-match-2")?

A match says that text was carried over, never that it was unlawful. Measured 2026-11-25 on two sets:

* real pairs: zh_reposts, 2,587 pairs of real articles in silver classes computed from their overlap;
* neighbours: 33,640 ordered pairs of 3,364 different real articles (chinanews.com, Sogou, official news), each with its
  ten nearest by tf-idf of character bigrams. Those that share less than 8 % of their 8-grams (28,933) carry nothing
  worth a flag but the odd quotation; they are the negatives below.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from service.fingerprint.align import Span
from service.fingerprint.overlap import Copied, Overlap

Kind = Literal["full", "modified", "excerpt"]
MATCH = "yj-match-2"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a match begins and how its kinds part. Lengths are normalised characters, shares 0 to 1."""

    coverage_of_work: float = 0.30
    """Share of the work outside shared quotations. 0 of the negatives reach it. A copy in which every fifth character
    was replaced, dropped or added still has 0.34 or more (800 articles, 1st percentile 0.40)."""

    span_characters: int = 80
    """One passage this long is a match whatever its share; 13 of the negatives have one, mostly official statements …"""

    span_run_characters: int = 23
    """… if it holds an unbroken run of this length, the least that winnowing is sure to find. Without it, tables of daily
    figures pass for passages (the one same-event pair of 56 that matched: 82 characters in runs of 22 at most)."""

    crossing_run_characters: int = 50
    """An unbroken run this long that crosses the end of a paragraph is a match too: what two reports quote alike is a
    sentence, but what was cut out of an article keeps its line breaks. 3 of the negatives; runs of this length anywhere
    are in 73."""

    whole_paragraph_characters: int = 61
    """So is a run that holds whole paragraphs of the work of this length, from end to end. 9 of the negatives, six of
    which are the same list of links; from 50 characters on it would be 10."""

    quoted_coverage: float = 0.50
    """Quotations alone make a match when half of the work stands in them: nobody takes that much from a speaker."""

    coverage_of_short_work: tuple[tuple[int, float], ...] = ((100, 0.70), (200, 0.60))
    """Works shorter than this need this share instead; 0.30 of 60 characters is a dateline. First 50 to 180 characters of
    2,500 articles as works, asked for among the others (2026-11-23): covered 0.60 to 0.69, 228 of 393 pairs at 50 and
    80 characters belong to articles that are no match in full (formulaic leads), but 57 of 401 at 120 and 180."""

    candidate_coverage: float = 0.70
    """A candidate that consists of the work to this share (a post, a digest) is an excerpt of it however long the work is.
    In 0 of the 56 same-event pairs is a text covered to more than 0.29."""

    least_identical: int = 30
    """No share counts with fewer identical characters than this in all: of a short text anything is a large share."""

    rewritten_score: float = 0.55
    """Rewritten passages count from this likeness on (idf-Dice of their words); below lie reports made after one form.
    With the three rules below 0 of 12,000 of the negatives drawn at random are a match; with 0.50 and 0.60 it would be 7."""

    rewritten_coverage: float = 0.30
    """Share of the work in such passages, identical text included, that makes a match by itself …"""

    rewritten_characters: int = 150
    """… if it amounts to this many characters, or one passage has that many and …"""

    rewritten_passage_score: float = 0.75
    """… this likeness."""

    agreeing_numbers: float = 0.50
    """Share of a passage's numbers that the other side must have too: who rewrites a report keeps its figures, and the
    next day's report has others. Asked where both sides have three numbers or more."""

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


def classify(overlap: Overlap, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Kind | None:
    """What the page is to the work by their identical text: None is "no match".

    ``full``: nearly all of the work, nearly unaltered. ``excerpt``: a part of it, nearly verbatim. ``modified``: carried
    over with edits inside the passages or with its parts moved.
    """
    if not is_match(overlap, thresholds):
        return None
    spans = overlap.alignment.spans
    identical = sum(span.identical for span in spans)
    is_verbatim = overlap.alignment.edits <= thresholds.edits_free + identical / thresholds.edit_every_characters
    if overlap.coverage >= thresholds.full_coverage:
        return "full" if is_verbatim and moved_share(spans) <= thresholds.moved_share else "modified"
    if not is_verbatim:
        return "modified"
    is_most = overlap.coverage >= thresholds.most_coverage
    return "modified" if is_most and moved_share(spans) > thresholds.moved_share else "excerpt"


def is_match(overlap: Overlap, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> bool:
    """Enough of the work stands in the page, by share or by one long passage. Quotations and boilerplate do not count."""
    if any(_is_long(one, thresholds) for one in overlap.passages):
        return True
    unquoted = overlap.copied - overlap.quoted
    if overlap.quoted_coverage >= thresholds.quoted_coverage and overlap.copied >= thresholds.least_identical:
        return True
    if unquoted < thresholds.least_identical:
        return False
    floors = (share for below, share in thresholds.coverage_of_short_work if overlap.work_length < below)
    needed = next(floors, thresholds.coverage_of_work)
    if overlap.unquoted_coverage >= needed:
        return True
    return bool(overlap.page_length) and unquoted / overlap.page_length >= thresholds.candidate_coverage


def _is_long(passage: Copied, thresholds: Thresholds) -> bool:
    if passage.crossing_run >= thresholds.crossing_run_characters:
        return True
    if passage.whole_paragraphs >= thresholds.whole_paragraph_characters:
        return True
    return passage.identical >= thresholds.span_characters and passage.longest_run >= thresholds.span_run_characters


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
