"""Which passages of one text were carried over into another in other words ("yj-rewritten-1").

Sentences whose words are alike (tf-idf cosine, and Dice weighted by idf) are seeds. Seeds at most four sentences apart
on both sides form a fragment; one whose sides as wholes are not alike is split again with smaller gaps. Each side of a
fragment, with a sentence more on either end, is cut to the run of words that the other side bears out, and its ends
move to sentence ends near by. What is left counts when its words agree (idf-Dice), and when the shared words are rare
enough in these two texts for the length: two reports of one event share its names, a rewritten passage its wording.
Verbatim passages are found too; where they make up most of a fragment, they bound it. Cost grows with the lengths: words
in more than ``MOST_PLACES`` sentences seed nothing, a sentence has ``MOST_SEEDS`` seeds at most.

Measured 2026-11-25 (macro plagdet as the PAN lab defines it, no background):
PAN 2013 training subset, 499 pairs: .923 (none .991, random .938, translation .934, summary .203; halves .919 and
.926; with ``condensed_from`` .943); 0 of the 100 pairs without plagiarism have a passage, of 1,000 pairs of unrelated
documents 3, all truly shared text; 1.6 ms a pair.
Human-rewritten Chinese sentences (five writers) inside two articles: five .977 (365 pairs), three .949 (610); whole
texts of five .962, of twelve .970; 0.4 ms a pair. Of 56 pairs on one event 8 have a passage (bulletins of a series,
reports from one statement), of 1,500 random pairs 2 (an official statement, a medical definition).
A step of 0.05 in any limit below moves the PAN total by less than .01. ``keep_evidence`` in Chinese trades events for
short passages: 2.5 gives 12 event pairs and three sentences .957, 3.0 gives 5 and .936; 2.75 stands between.

Source: M. Sanchez-Perez, G. Sidorov, A. Gelbukh, "A winning approach to text alignment for text reuse detection",
PAN at CLEF 2014, from which trimming, evidence and the treatment of verbatim parts depart.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import rewrite_kernels
from service.fingerprint.align import align_texts
from service.fingerprint.background import Background
from service.fingerprint.rewrite_pair import F64, I64, Pair, pair_texts
from service.fingerprint.sentences import Sentences, split_sentences

REWRITTEN = "yj-rewritten-1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as rewritten. Measured per script as the module says; lengths are code points of the original."""

    seed_cosine: float
    seed_dice: float
    fragment_cosine: float

    miss: float
    """A word that the other side lacks costs this multiple of its idf …"""

    dense_miss: float
    """… and this one where 95 % of the idf is borne out (from 50 % on in proportion)."""

    snap: int
    """How far an end may move to a sentence's end."""

    keep_dice: float
    keep_characters: int

    keep_evidence: float
    """Shared words, counted as ``Passage.evidence`` does, per square root of both sides' length."""


LATIN = Limits(
    0.25, 0.33, 0.35, miss=0.35, dense_miss=0.8, snap=80, keep_dice=0.40, keep_characters=150, keep_evidence=0.40
)
CHINESE = Limits(
    0.25, 0.25, 0.30, miss=0.2, dense_miss=0.2, snap=30, keep_dice=0.30, keep_characters=40, keep_evidence=2.75
)

MAX_GAP_SENTENCES = 4
MARGIN_SENTENCES = 1
MOST_PLACES = 256
MOST_SEEDS = 16
MOST_PASSAGES = 500
PAIRED_SHARE = 0.75  # of the idf in word pairs of both sides: the wording is the same
VERBATIM_SHARE = 0.5  # of a passage in long identical spans: these bound it
LEAST_SPAN = 60  # identical characters of such a span
CLOSING_MARKS = 4  # characters that may stand between a span's last letter and its sentence's end
EVEN_GAP = 40  # spans whose gaps on both sides are below this, or within a factor of 3, run on


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """A passage of ``a`` whose content stands in ``b``: code points of the originals, ends exclusive.

    ``score``: idf-Dice of the two sides' words, 0 to 1 (1: the same words). ``evidence``: how many words they share,
    each counted by its rarity in the two texts: 1 when it stands in one sentence of either. Two passages are equal
    when their offsets are.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    score: float = field(default=0.0, compare=False)
    evidence: float = field(default=0.0, compare=False)

    @property
    def quad(self) -> tuple[int, int, int, int]:
        """(a_start, a_end, b_start, b_end), as reports and files write a passage."""
        return self.a_start, self.a_end, self.b_start, self.b_end


def align_rewritten(a: str | Sentences, b: str | Sentences, background: Background | None = None) -> list[Passage]:
    """The passages of ``a`` that ``b`` carries in the same or in other words, ascending in a; [] when there are none.

    Any string is accepted. Two passages overlap on neither side by more than half. Texts count as Chinese when both
    are; then 40 characters are the least, else 150. ``background``: how common words are in the registry; without it
    the two texts' own sentences say so.
    """
    left = split_sentences(a) if isinstance(a, str) else a
    right = split_sentences(b) if isinstance(b, str) else b
    if not len(left) or not len(right):
        return []
    limits = CHINESE if left.is_chinese and right.is_chinese else LATIN
    pair = pair_texts(left, right, background)
    found = _passages(pair, _fragments(pair, limits), limits)
    return _distinct(_bounded_by_spans(found, left, right, limits)) if found else []


def _fragments(pair: Pair, limits: Limits) -> I64:
    """Sentence ranges that are alike: int64[k, 4], first and last of a and of b, inclusive."""
    a, b = pair.a, pair.b
    by_word = np.argsort(b.bag, kind="stable")
    a_weights, b_weights = pair.weights[a.bag], pair.weights[b.bag]
    seeds = rewrite_kernels.find_seeds(
        a.rows,
        a.bag,
        a.tf,
        np.searchsorted(b.bag[by_word], np.arange(len(pair.weights) + 1)),
        b.of[by_word],
        b.tf[by_word],
        pair.weights,
        _norms(a.of, a_weights * a.tf, len(a.text)),
        _norms(b.of, b_weights * b.tf, len(b.text)),
        np.bincount(a.of, a_weights, len(a.text)).astype(np.float64),
        np.bincount(b.of, b_weights, len(b.text)).astype(np.float64),
        min_cosine=limits.seed_cosine,
        min_dice=limits.seed_dice,
        most_places=MOST_PLACES,
        most_seeds=MOST_SEEDS,
    )
    return rewrite_kernels.cluster_seeds(
        seeds, a.at, a.ids, b.at, b.ids, pair.weights, MAX_GAP_SENTENCES, limits.fragment_cosine
    )


def _norms(of: I64, values: F64, sentences: int) -> F64:
    return np.sqrt(np.bincount(of, values * values, sentences))


def _passages(pair: Pair, fragments: I64, limits: Limits) -> list[Passage]:
    a, b = pair.a, pair.b
    ranges = np.stack(
        (
            a.at[np.maximum(fragments[:, 0] - MARGIN_SENTENCES, 0)],
            a.at[np.minimum(fragments[:, 1] + MARGIN_SENTENCES + 1, len(a.text))],
            b.at[np.maximum(fragments[:, 2] - MARGIN_SENTENCES, 0)],
            b.at[np.minimum(fragments[:, 3] + MARGIN_SENTENCES + 1, len(b.text))],
        ),
        axis=1,
    )
    rows = rewrite_kernels.trim_fragments(
        ranges, a.ids, b.ids, pair.weights, pair.rarity, _misses(limits), PAIRED_SHARE
    )
    found = []
    for a0, a1, b0, b1, dice, evidence in rows[rows[:, 4] >= limits.keep_dice].tolist():
        a_start, a_end = _snapped(a.text, int(a0), int(a1), limits.snap)
        b_start, b_end = _snapped(b.text, int(b0), int(b1), limits.snap)
        shorter = min(a_end - a_start, b_end - b_start)
        both = a_end - a_start + b_end - b_start
        if shorter >= limits.keep_characters and evidence >= limits.keep_evidence * pair.rarest * both**0.5:
            found.append(Passage(a_start, a_end, b_start, b_end, dice, evidence / pair.rarest))
    return sorted(found, key=_weight)[:MOST_PASSAGES]


def _misses(limits: Limits) -> F64:
    """Cost of a missing word by hundredths of idf borne out, 0 to 100; last, the cost before anything is known."""
    return np.append(
        np.interp(np.arange(101) / 100, (0.5, 0.95), (limits.miss, limits.dense_miss)), limits.miss
    ).astype(np.float64)


def _snapped(text: Sentences, first: int, end: int, reach: int) -> tuple[int, int]:
    """Offsets of a range of words, each moved to the nearest sentence boundary within ``reach`` code points."""
    return _snap(text, int(text.starts[first]), int(text.ends[end - 1]), reach)


def _snap(text: Sentences, start: int, stop: int, reach: int) -> tuple[int, int]:
    begins, closes = text.bounds[:, 0], text.bounds[:, 1]
    near_start, near_stop = int(begins[np.abs(begins - start).argmin()]), int(closes[np.abs(closes - stop).argmin()])
    start = near_start if abs(near_start - start) <= reach else start
    return start, near_stop if abs(near_stop - stop) <= reach else stop


def _bounded_by_spans(found: list[Passage], left: Sentences, right: Sentences, limits: Limits) -> list[Passage]:
    """Each passage, or in its place the verbatim pieces that make up most of it."""
    spans = align_texts(left.normalised, right.normalised).spans
    rows = [[s.a_start, s.a_end, s.b_start, s.b_end] for s in spans if s.identical >= LEAST_SPAN]
    places = np.array(sorted(rows, key=lambda row: row[2]), dtype=np.int64).reshape(-1, 4)
    pieces = [piece for one in found for piece in _pieces(one, places, limits)]
    return [
        Passage(
            *_snap(left, one.a_start, one.a_end, CLOSING_MARKS),
            *_snap(right, one.b_start, one.b_end, CLOSING_MARKS),
            one.score,
            one.evidence,
        )
        for one in pieces
    ]


def _pieces(one: Passage, spans: I64, limits: Limits) -> list[Passage]:
    inside = spans[
        _is_half_inside(spans[:, 0], spans[:, 1], one.a_start, one.a_end)
        & _is_half_inside(spans[:, 2], spans[:, 3], one.b_start, one.b_end)
    ]
    if not len(inside) or int((inside[:, 3] - inside[:, 2]).sum()) < VERBATIM_SHARE * (one.b_end - one.b_start):
        return [one]
    blocks: list[list[int]] = []
    for a_start, a_end, b_start, b_end in inside.tolist():
        if blocks and _runs_on(a_start - blocks[-1][1], b_start - blocks[-1][3]):
            blocks[-1][1], blocks[-1][3] = a_end, b_end
        else:
            blocks.append([a_start, a_end, b_start, b_end])
    first, last = blocks[0], blocks[-1]
    if _runs_on(first[0] - one.a_start, first[2] - one.b_start):
        first[0], first[2] = one.a_start, one.b_start
    if _runs_on(one.a_end - last[1], one.b_end - last[3]):
        last[1], last[3] = one.a_end, one.b_end
    kept = [row for row in blocks if min(row[1] - row[0], row[3] - row[2]) >= limits.keep_characters]
    return [Passage(a0, a1, b0, b1, one.score, one.evidence) for a0, a1, b0, b1 in kept] or [one]


def _is_half_inside(starts: I64, ends: I64, start: int, end: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = 2 * (np.minimum(ends, end) - np.maximum(starts, start)) > ends - starts
    return inside


def _runs_on(a_gap: int, b_gap: int) -> bool:
    """The text goes on over the gap on both sides: an edit, not another place of the text."""
    low, high = min(a_gap, b_gap), max(a_gap, b_gap)
    return low >= -EVEN_GAP and (high <= EVEN_GAP or 3 * low >= high)


def _weight(one: Passage) -> tuple[float, Passage]:
    """Sort key: the longest and most alike first."""
    return -one.score * (one.a_end - one.a_start + one.b_end - one.b_start), one


def _distinct(found: list[Passage]) -> list[Passage]:
    """Without those that mostly repeat a better one on either side; ascending in a."""
    kept: list[Passage] = []
    for one in sorted(found, key=_weight)[:MOST_PASSAGES]:
        a_half, b_half = (one.a_end - one.a_start) / 2, (one.b_end - one.b_start) / 2
        if not any(
            min(one.a_end, other.a_end) - max(one.a_start, other.a_start) > a_half
            or min(one.b_end, other.b_end) - max(one.b_start, other.b_start) > b_half
            for other in kept
        ):
            kept.append(one)
    return sorted(kept)
