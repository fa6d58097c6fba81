"""Which passages of one text were carried over into another in other words ("yj-rewritten-1")."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import rewrite_kernels
from service.fingerprint.align import Span, align_texts
from service.fingerprint.background import Background
from service.fingerprint.sentences import Sentences, split_sentences

REWRITTEN = "yj-rewritten-1"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Limits of one script. Measured as given in ``LATIN`` and ``CHINESE``."""

    seed_cosine: float
    seed_dice: float
    max_gap: int
    fragment_cosine: float
    miss: float
    margin: int
    snap: int
    keep_dice: float
    keep_characters: int
    dense_miss: float = 0.8
    least_evidence: float = 0.0
    verbatim: float = 0.5
    held: float = 0.0
    anchor: int = 60
    even: int = 40
    most_miss: float = 2.0


LATIN = Parameters(0.25, 0.33, 4, 0.35, 0.35, 1, 80, 0.40, 150, least_evidence=1.5)
CHINESE = Parameters(0.25, 0.25, 4, 0.30, 0.20, 1, 30, 0.30, 40, dense_miss=0.2, least_evidence=7.5)
MIN_GAP = 0
MOST_PLACES = 256
MOST_SEEDS = 16


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """A passage of ``a`` whose content stands in ``b``: code points of the originals, ends exclusive.

    ``score``: idf-Dice of the two sides' words, 0 to 1 (1: the same words).
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    score: float = field(default=0.0, compare=False)
    shared: float = field(default=0.0, compare=False)


def align_rewritten(a: str | Sentences, b: str | Sentences, background: Background | None = None) -> list[Passage]:
    """The passages of ``a`` that ``b`` carries in the same or in other words, ascending in a; [] when there are none."""
    left = split_sentences(a) if isinstance(a, str) else a
    right = split_sentences(b) if isinstance(b, str) else b
    if not len(left) or not len(right):
        return []
    limits = CHINESE if left.is_chinese and right.is_chinese else LATIN
    return _passages(left, right, background, limits)


def _passages(left: Sentences, right: Sentences, background: Background | None, p: Parameters) -> list[Passage]:
    words, ids = np.unique(np.concatenate((left.words, right.words)), return_inverse=True)
    a_ids, b_ids = ids[: len(left.words)], ids[len(left.words) :]
    a_rows, a_words, a_tf, a_of = _bags(left, a_ids, len(words))
    _, b_words, b_tf, b_of = _bags(right, b_ids, len(words))
    held = np.bincount(a_words, minlength=len(words)) + np.bincount(b_words, minlength=len(words))
    own = np.log((len(left) + len(right) + 1) / held)
    weights = own if background is None else background.idf(words)
    columns = np.argsort(b_words, kind="stable")
    b_columns = np.searchsorted(b_words[columns], np.arange(len(words) + 1))
    a_weights, b_weights = weights[a_words], weights[b_words]
    seeds = rewrite_kernels.find_seeds(
        a_rows,
        a_words,
        b_columns,
        b_of[columns],
        weights,
        np.sqrt(np.bincount(a_of, (a_weights * a_tf) ** 2)),
        np.sqrt(np.bincount(b_of, (b_weights * b_tf) ** 2)),
        np.bincount(a_of, a_weights),
        np.bincount(b_of, b_weights),
        a_tf,
        b_tf[columns],
        p.seed_cosine,
        p.seed_dice,
        MOST_PLACES,
        MOST_SEEDS,
    )
    if not len(seeds):
        return []
    a_at, b_at = _at(left), _at(right)
    fragments = rewrite_kernels.cluster_seeds(
        seeds, a_at, a_ids, b_at, b_ids, weights, p.max_gap, MIN_GAP, p.fragment_cosine, p.held
    )
    ranges = np.stack(
        (
            a_at[np.maximum(fragments[:, 0] - p.margin, 0)],
            a_at[np.minimum(fragments[:, 1] + p.margin + 1, len(left))],
            b_at[np.maximum(fragments[:, 2] - p.margin, 0)],
            b_at[np.minimum(fragments[:, 3] + p.margin + 1, len(right))],
        ),
        axis=1,
    )
    rows = rewrite_kernels.trim_fragments(ranges, a_ids, b_ids, weights, own, _misses(p), 0.75)
    found = []
    for a0, a1, b0, b1, dice, shared in rows.tolist():
        if dice < p.keep_dice:
            continue
        a_start, a_end = _snapped(left, int(a0), int(a1), p.snap)
        b_start, b_end = _snapped(right, int(b0), int(b1), p.snap)
        a_size, b_size = a_end - a_start, b_end - b_start
        if min(a_size, b_size) >= p.keep_characters and shared >= p.least_evidence * (a_size + b_size) ** 0.5:
            found.append(Passage(a_start, a_end, b_start, b_end, dice, shared))
    return _distinct(_settled(found, left, right, p) if found else found)


def _settled(found: list[Passage], left: Sentences, right: Sentences, p: Parameters) -> list[Passage]:
    spans = [s for s in align_texts(left.normalised, right.normalised).spans if s.identical >= p.anchor]
    spans.sort(key=lambda s: s.b_start)
    return [piece for one in found for piece in _pieces(one, spans, p)]


def _pieces(one: Passage, spans: list[Span], p: Parameters) -> list[Passage]:
    inside = [
        s
        for s in spans
        if min(s.a_end, one.a_end) - max(s.a_start, one.a_start) > (s.a_end - s.a_start) / 2
        and min(s.b_end, one.b_end) - max(s.b_start, one.b_start) > (s.b_end - s.b_start) / 2
    ]
    if sum(s.b_end - s.b_start for s in inside) < p.verbatim * (one.b_end - one.b_start):
        return [one]
    blocks: list[list[int]] = []
    for s in inside:
        if blocks:
            last = blocks[-1]
            if _runs_on(s.a_start - last[1], s.b_start - last[3], p.even):
                last[1], last[3] = s.a_end, s.b_end
                continue
        blocks.append([s.a_start, s.a_end, s.b_start, s.b_end])
    first, last = blocks[0], blocks[-1]
    if _runs_on(first[0] - one.a_start, first[2] - one.b_start, p.even):
        first[0], first[2] = one.a_start, one.b_start
    if _runs_on(one.a_end - last[1], one.b_end - last[3], p.even):
        last[1], last[3] = one.a_end, one.b_end
    kept = [b for b in blocks if min(b[1] - b[0], b[3] - b[2]) >= p.keep_characters]
    return [Passage(*b, one.score, one.shared) for b in kept] or [one]


def _runs_on(a_gap: int, b_gap: int, even: int) -> bool:
    low, high = min(a_gap, b_gap), max(a_gap, b_gap)
    return low >= -even and (high <= even or 3 * low >= high)


def _misses(p: Parameters) -> NDArray[np.float64]:
    return np.append(np.interp(np.arange(101) / 100, (0.5, 0.95), (p.miss, p.dense_miss)), p.miss)


def _at(text: Sentences) -> NDArray[np.int64]:
    return np.searchsorted(text.sentence, np.arange(len(text) + 1)).astype(np.int64)


def _bags(
    text: Sentences, ids: NDArray[np.int64], vocabulary: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """(row delimiters, word ids, how often each, its sentence): the different words of each sentence."""
    keys, tf = np.unique(text.sentence.astype(np.int64) * vocabulary + ids, return_counts=True)
    of, words = np.divmod(keys, vocabulary)
    return np.searchsorted(of, np.arange(len(text) + 1)), words, tf.astype(np.float64), of


def _snapped(text: Sentences, first: int, end: int, reach: int) -> tuple[int, int]:
    """Offsets of a range of words, each moved to the nearest sentence boundary within ``reach`` code points."""
    start, stop = int(text.starts[first]), int(text.ends[end - 1])
    begins, closes = text.bounds[:, 0], text.bounds[:, 1]
    near = int(np.abs(begins - start).argmin())
    if abs(int(begins[near]) - start) <= reach:
        start = int(begins[near])
    near = int(np.abs(closes - stop).argmin())
    if abs(int(closes[near]) - stop) <= reach:
        stop = int(closes[near])
    return start, stop


def _distinct(found: list[Passage]) -> list[Passage]:
    """Without those that mostly repeat a better one: the longer and more alike passage wins."""
    kept: list[Passage] = []
    for one in sorted(found, key=lambda x: (-x.score * (x.b_end - x.b_start + x.a_end - x.a_start), x)):
        overlaps = (
            max(
                (min(one.b_end, other.b_end) - max(one.b_start, other.b_start)) / (one.b_end - one.b_start),
                (min(one.a_end, other.a_end) - max(one.a_start, other.a_start)) / (one.a_end - one.a_start),
            )
            for other in kept
        )
        if not any(share > 0.5 for share in overlaps):
            kept.append(one)
    return sorted(kept)
