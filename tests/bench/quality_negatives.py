"""Pairs that are no copies: nearest neighbours by tf-idf, and all pairs of a corpus; how many of them are flagged.

A pair counts as no copy when either text shares less than 8 % of its different 8-grams with the other: a measure that
knows nothing of spans, quotations or order. Pairs above share text and are left out; their number stands in the row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels, normalise
from tests.bench.corpus import Article
from tests.bench.report import Row, share_row
from tests.bench.screening import Lab

NEIGHBOURS = 10
MOST_ARTICLES = 8_000  # the vectors of so many take 0.5 GB
DIMENSIONS = 2**14
COMMON_SHARE = 0.2
STRANGER_SHARE = 0.08
BANDS = (0.02, 0.05, STRANGER_SHARE)
MOST_PAIRS = 15_000
NEIGHBOUR_GOAL, RANDOM_GOAL = 0.0005, 1e-6


def neighbour_rows(_data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """False flags among each article's ten nearest, by how much the pairs share, and in all."""
    corpus = corpus[:MOST_ARTICLES]
    grams = [grams_of(one.text) for one in corpus]
    pairs = [(a, int(b)) for a, near in enumerate(nearest(corpus)) for b in near]
    shares = [containment(grams[a], grams[b]) for a, b in pairs]
    strangers = [(share, a, b) for share, (a, b) in zip(shares, pairs, strict=True) if share < STRANGER_SHARE]
    most = 300 if quick else MOST_PAIRS
    chosen = sorted(lab.random(f"{seed}:neighbours").sample(strangers, min(most, len(strangers))))
    flagged = []
    for share, a, b in chosen:
        measured = lab.compare(corpus[a].text, corpus[b].text)
        if measured is not None:
            figures = {"shared_8_grams": round(share, 3), **lab.figures(measured)}
            flagged.append({"work": corpus[a].id, "page": corpus[b].id, **figures})
    rows = []
    low = 0.0
    for high in BANDS:
        total = sum(low <= share < high for share, _, _ in chosen)
        hits = sum(low <= float(one["shared_8_grams"]) < high for one in flagged)
        rows.append(
            share_row(
                f"false flags: neighbours sharing {low:.0%}–{high:.0%} of their 8-grams", hits, total, is_most=True
            )
        )
        low = high
    goal = NEIGHBOUR_GOAL
    left_out = len(pairs) - len(strangers)
    total_row = share_row(
        "false flags: nearest neighbours",
        len(flagged),
        len(chosen),
        goal,
        is_most=True,
        left_out=left_out,
        flagged=flagged,
    )
    return [total_row, *rows]


def all_pair_rows(_data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """False flags among all ordered pairs of the corpus: each article is screened as a page against all the others."""
    pages = lab.sample(seed + 1, 100 if quick else len(corpus))
    flagged = []
    own = 0
    for page in pages:
        seen = lab.screen(corpus[page].text, corpus[page].title)
        own += page in seen.found
        for work, measured in seen.found.items():
            share = containment(grams_of(corpus[work].text), grams_of(corpus[page].text)) if work != page else 1.0
            if share < STRANGER_SHARE:
                figures = {"shared_8_grams": round(share, 3), **lab.figures(measured)}
                flagged.append({"work": corpus[work].id, "page": corpus[page].id, **figures})
    pairs = len(pages) * (len(corpus) - 1)
    return [
        share_row("articles that find themselves", own, len(pages), 1.0),
        share_row("false flags: all pairs", len(flagged), pairs, RANDOM_GOAL, is_most=True, flagged=flagged),
    ]


def nearest(corpus: list[Article]) -> NDArray[np.int64]:
    """int64[n, 10]: each article's nearest by tf-idf of its character bigrams (hashed to 2**14 places)."""
    counts = np.zeros((len(corpus), DIMENSIONS), dtype=np.float32)
    for number, article in enumerate(corpus):
        codes = normalise(article.text).codes.astype(np.uint64)
        bigrams = (codes[:-1] * np.uint64(0x9E3779B1) ^ codes[1:] * np.uint64(0x85EBCA77)) >> np.uint64(7)
        counts[number] = np.bincount((bigrams % np.uint64(DIMENSIONS)).astype(np.intp), minlength=DIMENSIONS)
    held = (counts > 0).sum(axis=0)
    weights = np.log(len(corpus) / np.maximum(held, 1)).astype(np.float32)
    weights[(held < 2) | (held > COMMON_SHARE * len(corpus))] = 0
    np.log1p(counts, out=counts)
    counts *= weights
    counts /= np.maximum(np.sqrt((counts * counts).sum(axis=1, keepdims=True)), 1e-9)
    near = np.empty((len(corpus), min(NEIGHBOURS, len(corpus) - 1)), dtype=np.int64)
    for start in range(0, len(corpus), 512):
        likeness = counts[start : start + 512] @ counts.T
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -1
        near[start : start + 512] = np.argsort(-likeness, axis=1, kind="stable")[:, : near.shape[1]]
    return near


def grams_of(text: str) -> NDArray[np.uint64]:
    """The different 8-grams of a text, hashed, ascending."""
    return np.unique(kernels.gram_hashes(normalise(text).codes, 8))


def containment(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Share of the smaller set's 8-grams that the other has too: the larger of both ways."""
    smaller = min(len(a), len(b))
    return len(np.intersect1d(a, b, assume_unique=True)) / smaller if smaller else 0.0
