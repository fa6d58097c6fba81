"""Which works share winnow hashes with a page: one sorted array of 40-bit hash and 24-bit work number.

A hash that stands in more than max(20, 0.05 %) of the works (datelines, boilerplate) is a stop hash: it is neither
looked up nor counted. Shared hashes are a reason to align two texts, never a finding: on one beat half of all
articles share two with another (architecture.md section 3).

Memory: 8 bytes a hash, 680 a work of average length. At most 2**24 works; beyond that, partition.
"""

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.winnow import HASH_MASK

ORDINAL_BITS = 24
MOST_WORKS = 2**ORDINAL_BITS
STOP_FLOOR = 20
STOP_SHARE = 0.0005

_SHIFT = np.uint64(ORDINAL_BITS)
_ORDINAL = np.uint64(MOST_WORKS - 1)


class PostingsIndex:
    """``packed`` uint64[p], ascending: hash << 24 | ordinal. ``ids`` int64[works]: the id of each ordinal."""

    def __init__(self, packed: NDArray[np.uint64], ids: NDArray[np.int64]) -> None:
        if len(ids) > MOST_WORKS:
            raise ValueError(f"{len(ids)} works: one index holds {MOST_WORKS}")
        self.packed = packed
        self.ids = ids
        self.most_works_per_hash = int(max(STOP_FLOOR, STOP_SHARE * len(ids)))

    @classmethod
    def build(cls, works: Iterable[tuple[int, NDArray[np.uint64]]]) -> Self:
        """Index of (work id, winnow hashes) rows; an id may come once only.

        Raises ValueError for a repeated id, a hash above 40 bits, or more than 2**24 works.
        """
        ids: list[int] = []
        blocks: list[NDArray[np.uint64]] = []
        for ordinal, (work_id, winnow) in enumerate(works):
            if len(winnow) and int(winnow.max()) > HASH_MASK:
                raise ValueError(f"work {work_id} has a winnow hash of more than 40 bits")
            ids.append(work_id)
            blocks.append(np.unique(winnow) << _SHIFT | np.uint64(ordinal & (MOST_WORKS - 1)))
        if len(set(ids)) != len(ids):
            raise ValueError("a work id comes twice")
        packed = np.concatenate(blocks) if blocks else np.empty(0, np.uint64)
        packed.sort()
        return cls(packed, np.array(ids, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, winnow: NDArray[np.uint64], min_shared: int = 2, limit: int = 20) -> list[tuple[int, int]]:
        """(work id, shared hashes), most shared first and equal counts by id; stop hashes do not count."""
        asked = np.unique(winnow)
        first = np.searchsorted(self.packed, asked << _SHIFT)
        sizes = np.searchsorted(self.packed, asked << _SHIFT | _ORDINAL, side="right") - first
        sizes[sizes > self.most_works_per_hash] = 0
        total = int(sizes.sum())
        if total < min_shared:
            return []
        places = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(total)
        ordinals, shared = np.unique(self.packed[places] & _ORDINAL, return_counts=True)
        enough = shared >= min_shared
        ids, shared = self.ids[ordinals[enough].astype(np.intp)], shared[enough]
        best = np.lexsort((ids, -shared))[:limit]
        return list(zip(ids[best].tolist(), shared[best].tolist(), strict=True))
