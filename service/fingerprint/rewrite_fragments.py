"""Where two texts may tell the same: groups of neighbouring sentences that are alike, one by one and as wholes."""

from collections.abc import Iterator

import numpy as np

from service.fingerprint import rewrite_kernels
from service.fingerprint.rewrite_pair import F64, I64, Pair, Side

MAX_GAP_SENTENCES = 4
MOST_PLACES = 256  # sentences; a word in more of them seeds nothing
MOST_SEEDS = 16  # of one sentence
MOST_GROUPS = 4_096  # groups of seeds looked at: some 0.1 s


def find_fragments(pair: Pair, seed_cosine: float, seed_dice: float, fragment_cosine: float) -> Iterator[I64]:
    """The seeds of each fragment, int64[k, 2], the most alike first: neighbours whose sides as wholes are alike too."""
    seeds = _seeds(pair, seed_cosine, seed_dice)
    bags = np.zeros((2, len(pair.weights)))
    waiting = [(seeds, MAX_GAP_SENTENCES)] if len(seeds) else []
    for _ in range(MOST_GROUPS):
        if not waiting:
            return
        group, gap = waiting.pop()
        parts = _split(group, gap)
        if len(parts) > 1:
            waiting += [(part, gap) for part in parts]
            continue
        a_words, b_words = word_range(pair.a, group[:, 0], 0), word_range(pair.b, group[:, 1], 0)
        cosine = rewrite_kernels.range_cosine(pair.a.ids, pair.b.ids, *a_words, *b_words, pair.weights, bags)
        if cosine > fragment_cosine:
            yield group
        elif gap > 0:
            waiting.append((group, gap - 1))


def _seeds(pair: Pair, min_cosine: float, min_dice: float) -> I64:
    """Pairs of sentences that are alike, int64[k, 2], the most alike first."""
    a, b = pair.a, pair.b
    by_word = np.argsort(b.bag, kind="stable")
    a_weights, b_weights = pair.weights[a.bag], pair.weights[b.bag]
    seeds, cosines = rewrite_kernels.find_seeds(
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
        min_cosine=min_cosine,
        min_dice=min_dice,
        most_places=MOST_PLACES,
        most_seeds=MOST_SEEDS,
    )
    return seeds[np.argsort(-cosines, kind="stable")]


def _norms(of: I64, values: F64, sentences: int) -> F64:
    return np.sqrt(np.bincount(of, values * values, sentences))


def _split(group: I64, gap: int) -> list[I64]:
    """The seeds parted wherever more than ``gap`` sentences of a, or else of b, lie between two of them."""
    for side in range(2):
        sentences = np.sort(group[:, side])
        ends = sentences[:-1][np.diff(sentences) > gap + 1]
        if len(ends):
            part_of = np.searchsorted(ends, group[:, side])
            by_part = np.argsort(part_of, kind="stable")
            return np.split(group[by_part], np.searchsorted(part_of[by_part], np.arange(1, len(ends) + 1)))
    return [group]


def word_range(side: Side, sentences: I64, margin: int) -> tuple[int, int]:
    """The places of the words from the first to the last of some sentences and of ``margin`` more on either end."""
    first, last = int(sentences.min()) - margin, int(sentences.max()) + margin
    return int(side.at[max(first, 0)]), int(side.at[min(last + 1, len(side.at) - 1)])
