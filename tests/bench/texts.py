"""The texts that benches run on: articles of a folder where one is given, else the demo's own."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from service.demo.newsroom import load_articles, load_other_papers
from service.fingerprint import Fingerprint, fingerprint_text

LEAST_CHARACTERS = 200


def load_texts(data: Path | None) -> tuple[list[str], str]:
    """(different texts of at least 200 characters, where they come from). A folder's articles.jsonl and docs.jsonl files."""
    if data is None:
        texts = [one.text for one in (*load_articles(), *load_other_papers())]
        return [text for text in texts if len(text) >= LEAST_CHARACTERS], "the demo's articles"
    found: dict[str, None] = {}
    for name in ("articles.jsonl", "docs.jsonl"):
        for path in sorted(data.rglob(name)):
            with path.open(encoding="utf-8") as file:
                found.update((json.loads(line)["text"], None) for line in file if line.strip())
    return [text for text in found if len(text) >= LEAST_CHARACTERS], data.name


class FingerprintMaker:
    """Makes fingerprints of works that do not exist, as many as wanted, alike to real ones where an index feels it.

    Lengths and counts are drawn from the real texts. A passage hash is new, except as often as in the real texts one
    stands in several works: then it is drawn from a pool of shared passages whose frequencies are those measured.
    """

    def __init__(self, texts: list[str], seed: int) -> None:
        self.real = [one for one in (fingerprint_text(text) for text in texts) if one is not None]
        self._random = np.random.default_rng(seed)
        _, counts = np.unique(np.concatenate([one.winnow for one in self.real]), return_counts=True)
        self.shared_share = float(counts[counts > 1].sum() / counts.sum())
        frequent = counts[counts > 1]
        self._shares = np.sort(frequent / len(self.real))[::-1]
        self._pool = self._random.integers(0, 2**40, size=len(frequent), dtype=np.uint64)
        self._weights = self._shares / max(self._shares.sum(), 1e-9)  # texts that share nothing have an empty pool

    def make(self, count: int) -> list[Fingerprint]:
        """The next `count` fingerprints."""
        models = self._random.integers(0, len(self.real), size=count)
        return [self._one(self.real[model]) for model in models.tolist()]

    def _one(self, model: Fingerprint) -> Fingerprint:
        winnow = self._hashes(len(model.winnow))
        rewrite = np.unique(self._random.integers(0, 2**40, size=len(model.rewrite), dtype=np.uint64))
        simhash = int(self._random.integers(0, 2**64, dtype=np.uint64))
        return Fingerprint(model.algorithm, model.length, simhash, winnow, rewrite)

    def _hashes(self, size: int) -> NDArray[np.uint64]:
        values = self._random.integers(0, 2**40, size=size, dtype=np.uint64)
        shared = self._random.random(size) < self.shared_share
        if shared.any():
            values[shared] = self._random.choice(self._pool, size=int(shared.sum()), p=self._weights)
        return np.unique(values)


def cut_to(text: str, characters: int, filler: list[str], random: Random) -> str:
    """A text of exactly so many characters: the text, followed by others where it is too short."""
    while len(text) < characters:
        text += "\n" + random.choice(filler)
    return text[:characters]
