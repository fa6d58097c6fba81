"""The fingerprint of a text ("yj-text-2"): length, simhash, winnow hashes and rewrite codes, or None when too short.

Lengths are normalised characters. Below 40, or with fewer than 16 different 4-grams (one character repeated, a line of
dots and dates), a text says too little to be judged: None. From 40 to 199 a text is *short*: its winnow hashes and
its alignment may be used, its simhash distance may not, because the safe distance was measured on articles of 200
characters and more (unrelated pairs at 13 bits or more in 150,000).

"yj-text-1" is the same without the rewrite codes; it stays computable for databases that still hold it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels
from service.fingerprint.normalise import Normalised, codes_of, load_table, normalise
from service.fingerprint.rewrite_codes import WINDOW_GRAMS as REWRITE_WINDOW_GRAMS
from service.fingerprint.rewrite_codes import content_table
from service.fingerprint.winnow import HASH_BYTES, HASH_MASK, WINDOW_GRAMS, pack_hashes, unpack_hashes

ALGORITHM_1 = "yj-text-1"  # = yj-norm-1 + yj-simhash-1 + yj-winnow-1
ALGORITHM_2 = "yj-text-2"  # = the same + yj-rewrite-1
ALGORITHM = ALGORITHM_2  # of fingerprint_text; only like is compared with like
LEAST_CHARACTERS = 40
LEAST_DISTINCT_GRAMS = 16
SIMHASH_CHARACTERS = 200  # from here on a simhash distance means something
BATCH_CHARACTERS = 2**20  # 10.8 µs an article against 13.3 one by one, 6.3 in two threads (2,667 articles, 2026-11-25)

NO_HASHES = np.empty(0, np.uint64)
NO_HASHES.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is stored of a text to find its copies.

    ``length``: normalised characters, at least 40. ``simhash``: unsigned 64 bits. ``winnow``: uint64[k], 40-bit hashes,
    ascending, k ≥ 1. ``rewrite``: uint64[k], likewise, empty where the text has no Han characters and in yj-text-1.
    """

    algorithm: str
    length: int
    simhash: int
    winnow: NDArray[np.uint64]
    rewrite: NDArray[np.uint64] = field(default_factory=lambda: NO_HASHES)

    @property
    def is_short(self) -> bool:
        """The simhash distance of this text must not be trusted."""
        return self.length < SIMHASH_CHARACTERS

    def to_bytes(self) -> bytes:
        """The one blob a work's row holds beside the three plain columns: a whole number of five-byte items.

        yj-text-1: the winnow hashes. yj-text-2: how many of both there are, the winnow hashes, the rewrite codes.
        """
        if self.algorithm == ALGORITHM_1:
            return pack_hashes(self.winnow)
        numbers = np.array([len(self.winnow), len(self.rewrite)], dtype=np.uint64)
        return pack_hashes(np.concatenate((numbers, self.winnow, self.rewrite)))

    @classmethod
    def from_bytes(cls, blob: bytes, *, algorithm: str, length: int, simhash: int) -> Self:
        """The fingerprint whose ``to_bytes`` gave ``blob``. Raises ValueError when the blob is damaged."""
        if algorithm == ALGORITHM_1:
            return cls(algorithm, length, simhash, unpack_hashes(blob))
        head = 2 * HASH_BYTES
        end, whole = (head + HASH_BYTES * int.from_bytes(blob[i : i + HASH_BYTES], "little") for i in (0, HASH_BYTES))
        whole += end - head
        if whole != len(blob):
            raise ValueError(f"{len(blob)} bytes instead of the {whole} of the hashes that they announce")
        return cls(algorithm, length, simhash, unpack_hashes(blob[head:end]), unpack_hashes(blob[end:]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fingerprint):
            return NotImplemented
        mine = (self.algorithm, self.length, self.simhash)
        return (
            mine == (other.algorithm, other.length, other.simhash)
            and np.array_equal(self.winnow, other.winnow)
            and np.array_equal(self.rewrite, other.rewrite)
        )

    def __hash__(self) -> int:
        return hash((self.algorithm, self.length, self.simhash))


def fingerprint_text(text: str | Normalised) -> Fingerprint | None:
    """The fingerprint of a text, or None when it is too short or too uniform to judge. Accepts any string."""
    return FINGERPRINTERS[ALGORITHM](text)


def fingerprint_texts(texts: Sequence[str]) -> list[Fingerprint | None]:
    """The fingerprint of each text in order, the very ones that ``fingerprint_text`` gives.

    Texts are joined up to BATCH_CHARACTERS for each call of the kernel: an article costs less than by itself, and
    threads run side by side, because the interpreter's lock is free meanwhile. Empty input gives [].
    """
    found: list[Fingerprint | None] = []
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and characters + len(text) > BATCH_CHARACTERS:
            found += _fingerprint_batch(batch)
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        found += _fingerprint_batch(batch)
    return found


def fingerprint_text_1(text: str | Normalised) -> Fingerprint | None:
    """The fingerprint by yj-text-1: without rewrite codes."""
    return _fingerprint(text, ALGORITHM_1, _NO_CONTENT)


def fingerprint_text_2(text: str | Normalised) -> Fingerprint | None:
    """The fingerprint by yj-text-2."""
    return _fingerprint(text, ALGORITHM_2, content_table().view(np.uint8))


FINGERPRINTERS: dict[str, Callable[[str | Normalised], Fingerprint | None]] = {
    ALGORITHM_1: fingerprint_text_1,
    ALGORITHM_2: fingerprint_text_2,
}
"""Algorithm → its function, oldest first."""


def _fingerprint_batch(texts: list[str]) -> Iterator[Fingerprint | None]:
    table = load_table()
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    lengths, simhashes, hash_ends, hashes = kernels.fingerprint_sources(
        codes_of("".join(texts)),
        ends,
        table.bmp,
        table.keys,
        table.starts,
        table.values,
        content_table().view(np.uint8),
        **_LIMITS,
    )
    start = 0
    rows = zip(texts, lengths.tolist(), simhashes.tolist(), hash_ends.tolist(), strict=True)
    for text, length, simhash, (middle, end) in rows:
        if length < 0:  # with characters beyond the table
            yield fingerprint_text_2(text)
        elif middle == start:
            yield None
        else:
            yield Fingerprint(ALGORITHM_2, length, simhash, hashes[start:middle].copy(), hashes[middle:end].copy())
        start = end


def _fingerprint(text: str | Normalised, algorithm: str, is_content: NDArray[np.uint8]) -> Fingerprint | None:
    length = -1
    if isinstance(text, str):
        table = load_table()
        length, simhash, winnow, rewrite = kernels.fingerprint_source(
            codes_of(text), table.bmp, table.keys, table.starts, table.values, is_content, **_LIMITS
        )
    if length < 0:  # given as codes already, or with characters beyond the table
        codes = normalise(text).codes if isinstance(text, str) else text.codes
        length, simhash, winnow, rewrite = kernels.fingerprint_codes(codes, is_content, **_LIMITS)
    return Fingerprint(algorithm, length, simhash, winnow, rewrite) if len(winnow) else None


_LIMITS = {
    "least_codes": LEAST_CHARACTERS,
    "least_grams": LEAST_DISTINCT_GRAMS,
    "window": WINDOW_GRAMS,
    "rewrite_window": REWRITE_WINDOW_GRAMS,
    "keep": HASH_MASK,
}

_NO_CONTENT = np.empty(0, np.uint8)
