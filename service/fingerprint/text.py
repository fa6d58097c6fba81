"""The fingerprint of a text ("yj-text-1"): normalised length, simhash and winnow hashes, or None when too short.

Lengths are normalised characters. Below 40, or with fewer than 16 different 4-grams (one character repeated, a line of
dots and dates), a text says too little to be judged: None. From 40 to 199 a text is *short*: its winnow hashes and
its alignment may be used, its simhash distance may not, because the safe distance was measured on articles of 200
characters and more (unrelated pairs at 13 bits or more in 150,000).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels
from service.fingerprint.normalise import Normalised, codes_of, load_table, normalise
from service.fingerprint.winnow import HASH_MASK, WINDOW_GRAMS, pack_hashes, unpack_hashes

ALGORITHM = "yj-text-1"  # = yj-norm-1 + yj-simhash-1 + yj-winnow-1; only like is compared with like
LEAST_CHARACTERS = 40
LEAST_DISTINCT_GRAMS = 16
SIMHASH_CHARACTERS = 200  # from here on a simhash distance means something


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is stored of a text to find its copies.

    ``length``: normalised characters, at least 40. ``simhash``: unsigned 64 bits. ``winnow``: uint64[k], 40-bit hashes,
    ascending, k ≥ 1.
    """

    algorithm: str
    length: int
    simhash: int
    winnow: NDArray[np.uint64]

    @property
    def is_short(self) -> bool:
        """The simhash distance of this text must not be trusted."""
        return self.length < SIMHASH_CHARACTERS

    def to_bytes(self) -> bytes:
        """The winnow hashes, five bytes each: the one blob a work's row holds beside the three plain columns."""
        return pack_hashes(self.winnow)

    @classmethod
    def from_bytes(cls, winnow: bytes, *, algorithm: str, length: int, simhash: int) -> Self:
        """The fingerprint whose ``to_bytes`` gave ``winnow``. Raises ValueError when the blob is damaged."""
        return cls(algorithm, length, simhash, unpack_hashes(winnow))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fingerprint):
            return NotImplemented
        mine = (self.algorithm, self.length, self.simhash)
        return mine == (other.algorithm, other.length, other.simhash) and np.array_equal(self.winnow, other.winnow)

    def __hash__(self) -> int:
        return hash((self.algorithm, self.length, self.simhash))


def fingerprint_text(text: str | Normalised) -> Fingerprint | None:
    """The fingerprint of a text, or None when it is too short or too uniform to judge. Accepts any string."""
    length = -1
    if isinstance(text, str):
        table = load_table()
        length, simhash, winnow = kernels.fingerprint_source(
            codes_of(text), table.bmp, table.keys, table.starts, table.values, **_LIMITS
        )
    if length < 0:  # given as codes already, or with characters beyond the table
        codes = normalise(text).codes if isinstance(text, str) else text.codes
        length, simhash, winnow = kernels.fingerprint_codes(codes, **_LIMITS)
    return Fingerprint(ALGORITHM, length, simhash, winnow) if len(winnow) else None


_LIMITS = {
    "least_codes": LEAST_CHARACTERS,
    "least_grams": LEAST_DISTINCT_GRAMS,
    "window": WINDOW_GRAMS,
    "keep": HASH_MASK,
}
