"""Two texts as sentences over one vocabulary: what the rewritten-text aligner and the summary hint both count on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.background import Background
from service.fingerprint.sentences import Sentences

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One text of a pair. ``ids`` int64[n]: its words by number; ``at`` int64[s + 1]: first word of each sentence.

    The different words of each sentence, sorted, in CSR form: ``rows`` int64[s + 1] delimits ``bag`` (word numbers);
    ``tf`` says how often each occurs there and ``of`` in which sentence.
    """

    text: Sentences
    ids: I64
    at: I64
    rows: I64
    bag: I64
    tf: F64
    of: I64


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both texts, and per word number: ``weights`` (idf by the background, else ``rarity``) and ``rarity``.

    ``rarity``: ln((sentences of both texts + 1) / sentences with the word). What the two texts are about is common in
    them, so a subject that both share weighs little, however rare it is in the world. ``rarest``: the rarity of a
    word that stands in one sentence of either text; above 0 when there are two sentences or more.
    """

    a: Side
    b: Side
    weights: F64
    rarity: F64
    rarest: float


def pair_texts(left: Sentences, right: Sentences, background: Background | None = None) -> Pair:
    """The pair of two texts; either may be without words."""
    words, ids = np.unique(np.concatenate((left.words, right.words)), return_inverse=True)
    a = _side(left, ids[: len(left.words)].astype(np.int64), len(words))
    b = _side(right, ids[len(left.words) :].astype(np.int64), len(words))
    held = np.bincount(a.bag, minlength=len(words)) + np.bincount(b.bag, minlength=len(words))
    sentences = len(left) + len(right)
    rarity = np.log((sentences + 1) / held)
    return Pair(
        a, b, rarity if background is None else background.idf(words), rarity, float(np.log((sentences + 1) / 2))
    )


def _side(text: Sentences, ids: I64, vocabulary: int) -> Side:
    places = np.arange(len(text) + 1)
    keys, tf = np.unique(text.sentence * np.int64(max(1, vocabulary)) + ids, return_counts=True)
    of, bag = np.divmod(keys, max(1, vocabulary))
    at, rows = np.searchsorted(text.sentence, places), np.searchsorted(of, places)
    return Side(text, ids, at.astype(np.int64), rows.astype(np.int64), bag, tf.astype(np.float64), of)
