"""How common each word is in a body of texts: the background against which a shared word is surprising or not."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.sentences import split_sentences

BACKGROUND = "yj-background-1"
SLOT_BITS = 19  # 0.5 million counters, 1 MB: a registry's frequent character pairs keep a slot of their own
LEAST_IDF = 0.01  # a word in every text still counts as shared
LEAST_TEXTS = 20
"""In fewer texts nearly every word of a work looks common, since the work is one of them: counted over one or two works, a
rewritten work was missed that three, and none, let be found (2026-11-25, one article). Then the two texts alone tell."""
_SLOTS = 2**SLOT_BITS
_HEADER = struct.Struct("<16sIQ")  # name, slot bits, texts


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Document frequencies of hashed words. ``texts``: how many were counted; ``counts`` uint16[2**19], scaled when full.

    Words share a counter by chance, which can only make a rare word look more common, never the other way round.
    """

    texts: int
    counts: NDArray[np.uint16]
    name: str = BACKGROUND

    def idf(self, words: NDArray[np.uint64]) -> NDArray[np.float64]:
        """ln((texts + 1) / (texts with the word + 1)) per word hash, never below 0.01: float64[n]."""
        scale = max(1.0, self.texts / 0xFFFF)
        frequency = self.counts[words & np.uint64(_SLOTS - 1)] * scale
        idf: NDArray[np.float64] = np.maximum(np.log((self.texts + 1) / (frequency + 1)), LEAST_IDF)
        return idf

    def to_bytes(self) -> bytes:
        """Name, size and counters: 1 MB, the same on every machine."""
        return _HEADER.pack(self.name.encode(), SLOT_BITS, self.texts) + self.counts.astype("<u2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The background that ``to_bytes`` gave. Raises ValueError when it is damaged or of another version."""
        if len(data) != _HEADER.size + 2 * _SLOTS:
            raise ValueError(f"{len(data)} bytes are no background of {_SLOTS} counters")
        name, bits, texts = _HEADER.unpack_from(data)
        if name.rstrip(b"\0") != BACKGROUND.encode() or bits != SLOT_BITS:
            raise ValueError("the background is of another version")
        return cls(texts, np.frombuffer(data, "<u2", offset=_HEADER.size).astype(np.uint16))


def build_background(texts: Iterable[str]) -> Background:
    """The background of a body of texts, each counted once per word; no texts give one that knows nothing."""
    counts = np.zeros(_SLOTS, dtype=np.uint32)
    total = 0
    for text in texts:
        counts[np.unique(split_sentences(text).words & np.uint64(_SLOTS - 1)).astype(np.intp)] += 1
        total += 1
    scale = max(1.0, total / 0xFFFF)
    return Background(total, np.round(counts / scale).astype(np.uint16))
