"""The texts that speed benches run on: articles of a folder, or the demo's own; and works made from them, as many as wanted."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from service.errors import BadInput
from service.fingerprint import Normalised, fingerprint_text, kernels, normalise
from service.fingerprint.segment import Row
from service.fingerprint.winnow import HASH_MASK
from tests.bench.corpus import load_corpus

SNIPPET_CHARACTERS = 40
HASHES_PER_SNIPPET = 4  # some: one in 8.5 places of a text is kept


def load_texts(data: Path | None) -> tuple[list[str], str]:
    """(different texts of at least 200 characters, where they come from). Raises BadInput where a folder has too few."""
    texts = [one.text for one in load_corpus(data)]
    if len(texts) < 20:
        raise BadInput(f"--data: {len(texts)} articles of 200 characters in {data}; at least 20 are needed", "data")
    return texts, data.name if data is not None else "the demo's articles"


class WorkMaker:
    """Makes works that do not exist but meet real pages as real works do: in what real texts have in common.

    A made text has the characters of a real one in random order, and in it real snippets that stand in several real
    texts, as many and as often as measured there. Its fingerprint is computed from that text, like any other.
    """

    def __init__(self, texts: list[str], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.real = [normalise(text) for text in texts]
        self._snippets, weights, self.shared_share = _shared_snippets(self.real)
        self._until = np.cumsum(weights)

    def rows(self, first: int, until: int) -> list[Row]:
        """Rows of an index for the works of these numbers."""
        rows = []
        for number in range(first, until):
            codes = self._text()
            fingerprint = fingerprint_text(Normalised(codes, np.arange(len(codes), dtype=np.int32)))
            assert fingerprint is not None
            rows.append((number, fingerprint, codes))
        return rows

    def _text(self) -> NDArray[np.uint32]:
        codes = self._random.permutation(self.real[int(self._random.integers(len(self.real)))].codes)
        wanted = self._random.poisson(self.shared_share * len(codes) / 8.5 / HASHES_PER_SNIPPET)
        if not len(self._snippets) or not wanted or len(codes) < 2 * SNIPPET_CHARACTERS:
            return codes
        drawn = np.searchsorted(self._until, self._random.random(wanted) * self._until[-1], side="right")
        for snippet in drawn.tolist():
            start = int(self._random.integers(len(codes) - SNIPPET_CHARACTERS))
            codes[start : start + SNIPPET_CHARACTERS] = self._snippets[snippet]
        return codes


def _shared_snippets(texts: list[Normalised]) -> tuple[NDArray[np.uint32], NDArray[np.float64], float]:
    """(snippets uint32[n, 40], how often each is drawn, share of all passage hashes that stand in several texts)."""
    kept: dict[int, tuple[int, int]] = {}
    hashes = []
    for number, text in enumerate(texts):
        grams = kernels.gram_hashes(text.codes, 8)
        minima = kernels.window_minima(grams, 16, HASH_MASK)
        hashes.append(minima)
        places = np.flatnonzero(np.isin(grams & np.uint64(HASH_MASK), minima))
        for place in places.tolist():
            if 16 <= place < len(text) - 24:
                kept.setdefault(int(grams[place]) & HASH_MASK, (number, place - 16))
    values, counts = np.unique(np.concatenate(hashes), return_counts=True)
    shared = [
        (value, count)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True)
        if count > 1 and value in kept
    ]
    spots = [kept[value] for value, _ in shared]
    snippets = [texts[number].codes[at : at + SNIPPET_CHARACTERS] for number, at in spots]
    weights = np.array([count for _, count in shared], dtype=np.float64)
    share = float(counts[counts > 1].sum() / counts.sum())
    if not snippets:
        return np.empty((0, SNIPPET_CHARACTERS), np.uint32), weights, share
    return np.stack(snippets), weights / weights.sum(), share


def cut_to(text: str, characters: int, filler: list[str], random: Random) -> str:
    """A text of exactly so many characters: the text, followed by others where it is too short."""
    while len(text) < characters:
        text += "\n" + random.choice(filler)
    return text[:characters]
