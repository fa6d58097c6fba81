"""One searchable set of work versions: simhashes, passage hashes and texts ("yj-segment-1").

A segment is built in memory from a few works (``IndexSegment.build``: what was registered lately, an offline screening)
or opened from the files that all processes of a machine map (``snapshot.open_segment``). Both hold the same arrays, so
both give the same answers. A segment is never changed; it holds fingerprints of one algorithm and refuses to search for
another's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.assembly import ARRAYS, Row, assemble
from service.fingerprint.hamming import Bands, HammingIndex
from service.fingerprint.postings import PostingsIndex
from service.fingerprint.simhash import hamming_distance
from service.fingerprint.text import ALGORITHM, SIMHASH_CHARACTERS, Fingerprint

MAX_DISTANCE_BITS = 10
"""“Same article” by simhash: unrelated pairs of ≥ 200 characters differ in 13 bits or more (150,000 pairs measured)."""
MIN_SHARED_HASHES = 2
MAX_CANDIDATES = 20
MOST_CANDIDATES = 200
CHARACTERS_PER_CANDIDATE = 250
"""A digest holds many works: a page of 50,000 characters may have 200 candidates, one of up to 5,000 the usual 20."""

NO_CODES = np.empty(0, np.uint16)


@dataclass(frozen=True)
class Candidate:
    """A work version worth comparing: shared winnow hashes, and the simhash distance where both texts are long enough.

    ``rewritten``: shared rewrite codes, which rewriting leaves where winnow hashes are gone. ``codes``: the version's
    normalised characters, each cut to 16 bits, uint16[n]; empty where only the finding travelled.
    """

    version_id: int
    shared: int
    distance: int | None
    codes: NDArray[np.uint16] = field(default_factory=NO_CODES.copy, compare=False, repr=False)
    rewritten: int = 0


def rank(one: Candidate) -> tuple[int, int, int]:
    """Sorting key, also across segments: the most shared hashes first, then the nearest, then the id."""
    return -(one.shared + one.rewritten), 64 if one.distance is None else one.distance, one.version_id


class IndexSegment:
    """``arrays``: those that assembly.ARRAYS names, read-only. ``check`` is called before they are read.

    ``attached``: small data that was written with a snapshot, by name; empty for a segment in memory.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        algorithm: str = ALGORITHM,
        check: Callable[[], None] = lambda: None,
        attached: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        self.algorithm = algorithm
        self.attached = attached
        self.ids: NDArray[np.int64] = arrays["ids"]
        self._check = check
        self._by_id: NDArray[np.uint32] = arrays["by_id"]
        self._lengths: NDArray[np.uint32] = arrays["lengths"]
        self._simhashes: NDArray[np.uint64] = arrays["simhashes"]
        self._text_ends: NDArray[np.int64] = arrays["text_ends"]
        self._texts: NDArray[np.uint16] = arrays["texts"]
        long = arrays["hamming.ids"]
        bands = len(arrays["hamming.order"]) // len(long) if len(long) else 1
        tables = (arrays[f"hamming.{name}"].reshape(bands, -1) for name in ("order", "banded", "starts"))
        self._hamming = HammingIndex.from_bands(Bands(*tables), long)
        self._postings = PostingsIndex(
            arrays["postings.starts"], arrays["postings.records"], self.ids, self._lengths, SIMHASH_CHARACTERS
        )

    @classmethod
    def build(cls, rows: Iterable[Row], algorithm: str = ALGORITHM) -> Self:
        """The segment of (version id, fingerprint, codes) rows, in memory; no rows give one that finds nothing.

        Raises ValueError when an id comes twice or a fingerprint is of another algorithm.
        """
        arrays: dict[str, NDArray[Any]] = {}

        def put(name: str, pieces: Iterable[NDArray[Any]]) -> None:
            arrays[name] = np.concatenate((np.empty(0, ARRAYS[name]), *pieces), dtype=ARRAYS[name])
            arrays[name].flags.writeable = False  # as mapped arrays are: numba compiles the search once for both

        assemble(rows, algorithm, put)
        return cls(arrays, algorithm)

    @property
    def size(self) -> int:
        """Number of work versions."""
        return len(self.ids)

    def find(self, fingerprint: Fingerprint) -> list[Candidate]:
        """Candidates for a page's fingerprint, best first: at most 20 by hashes (more for a long page) plus 20 by simhash.

        Asked for are two shared winnow hashes, or three hashes of both kinds; one less where the page or the work is
        short, since short texts have few.

        Raises ValueError when the fingerprint is of another algorithm.
        """
        if fingerprint.algorithm != self.algorithm:
            raise ValueError(f"a fingerprint by {fingerprint.algorithm} cannot be compared with {self.algorithm}")
        self._check()
        least = 1 if fingerprint.is_short else MIN_SHARED_HASHES
        limit = max(MAX_CANDIDATES, min(MOST_CANDIDATES, fingerprint.length // CHARACTERS_PER_CANDIDATE))
        ordinals, counts = self._postings.count_shared(fingerprint.winnow, fingerprint.rewrite, least, limit)
        shared = dict(zip(ordinals.tolist(), counts.tolist(), strict=True))
        distances: dict[int, int | None] = {}
        if not fingerprint.is_short:
            near, bits = self._hamming.search(fingerprint.simhash, MAX_DISTANCE_BITS)
            distances.update(zip(near[:MAX_CANDIDATES].tolist(), bits[:MAX_CANDIDATES].tolist(), strict=True))
        for ordinal in shared:
            if ordinal not in distances:
                distances[ordinal] = self._distance(ordinal, fingerprint)
        found = [
            Candidate(int(self.ids[ordinal]), winnow, distance, self._codes(ordinal), rewritten)
            for ordinal, distance in distances.items()
            for winnow, rewritten in [shared.get(ordinal, (0, 0))]
        ]
        self._check()  # what was read meanwhile was sound only if the file still is
        return sorted(found, key=rank)

    def codes(self, version_id: int) -> NDArray[np.uint16]:
        """The version's normalised characters, each cut to 16 bits (uint16[n], read-only, perhaps mapped).

        For the cheap test before a comparison only: cut on both sides, equal characters stay equal and a few unequal
        ones become so. Raises KeyError when the version is not in the segment.
        """
        self._check()
        place = bisect_left(self._by_id, version_id, key=lambda ordinal: int(self.ids[ordinal]))
        if place == self.size or self.ids[self._by_id[place]] != version_id:
            raise KeyError(version_id)
        return self._codes(int(self._by_id[place]))

    def document_frequency(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """In how many versions each winnow hash stands, int64[k] in the order given; stop hashes too."""
        self._check()
        return self._postings.document_frequency(hashes)

    def _codes(self, ordinal: int) -> NDArray[np.uint16]:
        return self._texts[int(self._text_ends[ordinal]) : int(self._text_ends[ordinal + 1])]

    def _distance(self, ordinal: int, fingerprint: Fingerprint) -> int | None:
        if fingerprint.is_short or self._lengths[ordinal] < SIMHASH_CHARACTERS:
            return None
        return hamming_distance(int(self._simhashes[ordinal]), fingerprint.simhash)
