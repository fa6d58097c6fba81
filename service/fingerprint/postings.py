"""Which works share passage hashes with a page: postings of 40-bit hash and 24-bit work number, five bytes each.

The hashes are winnow hashes and rewrite codes alike (they meet by chance only). A work is worth comparing when it
shares two winnow hashes, or three of both together.

A posting is the 64-bit value hash << 24 | ordinal, ascending. Its first 8, 16 or 24 bits are not stored: a table of
2**8, 2**16 or 2**24 buckets says where the postings with those first bits start. So a lookup reads one place of the
table and a few neighbouring records, at any size.

A hash that stands in too many works (datelines, boilerplate) is a stop hash: it is neither looked up nor counted. The
line is 0.05 % of the works, at least 50 and at most 500. Shared hashes are a reason to align two texts, never a
finding: on one beat half of all articles share two with another (architecture.md section 3).

Memory: 5 bytes a posting (6 below 4 million postings, 7 below 16,000), some 510 a work of average length (102 hashes,
2,667 articles, 2026-11-25), and 64 MB for the large table. At most 2**24 works; beyond that, partition.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import kernels
from service.fingerprint.winnow import HASH_BITS, HASH_MASK

ORDINAL_BITS = 24
MOST_WORKS = 2**ORDINAL_BITS
MOST_POSTINGS = 2**32 - 1
STOP_FLOOR = 50  # the share's value at 10**5 works: an agency's text that dozens of outlets registered is still found
STOP_SHARE = 0.0005
STOP_CEILING = 500
"""The share's value at 10**6 works. A page of 110 hashes that each stand in 500 works costs 1.0 ms, in 5,000 works 31
ms (10**7 works, 2026-11-25); in 2,667 articles of one newsroom a hash stands in 1.9 on average, and 1 % of the postings
are of stop hashes."""
NO_HASHES = np.empty(0, np.uint64)

_SHIFT = np.uint64(ORDINAL_BITS)


class PostingsIndex:
    """Bucket table ``starts`` uint32[2**bits + 1] and ``records`` uint8[postings * (8 - bits // 8)].

    ``ids`` int64[works]: the id of each ordinal. ``lengths`` uint32[works]: normalised characters of each work; those
    below ``short_length`` are worth looking at from one shared hash on, for they have few.
    """

    def __init__(
        self,
        starts: NDArray[np.uint32],
        records: NDArray[np.uint8],
        ids: NDArray[np.int64],
        lengths: NDArray[np.uint32],
        short_length: int = 0,
    ) -> None:
        self.starts = starts
        self.records = records
        self.ids = ids
        self.lengths = lengths
        self.short_length = short_length
        self.most_works_per_hash = int(max(STOP_FLOOR, min(STOP_SHARE * len(ids), STOP_CEILING)))

    @classmethod
    def build(cls, works: Iterable[tuple[int, NDArray[np.uint64]]]) -> Self:
        """Index of (work id, hashes of both kinds) rows; an id may come once only.

        Raises ValueError for a repeated id, a hash above 40 bits, or more than 2**24 works.
        """
        rows = list(works)
        ids = [work_id for work_id, _ in rows]
        if len(set(ids)) != len(ids):
            raise ValueError("a work id comes twice")
        packed = pack_postings([hashes for _, hashes in rows], [len(hashes) for _, hashes in rows], 0)
        bits = bucket_bits(len(packed))
        starts = np.append(bucket_starts(packed, bits, 0, 2**bits), len(packed)).astype(np.uint32)
        arrays = (starts, cut_records(packed, bits), np.array(ids, dtype=np.int64), np.zeros(len(ids), np.uint32))
        for array in arrays:
            array.flags.writeable = False  # as mapped arrays are: numba compiles the search once for both
        return cls(*arrays)

    def __len__(self) -> int:
        return len(self.ids)

    def search(
        self, winnow: NDArray[np.uint64], min_shared: int = 2, limit: int = 20, rewrite: NDArray[np.uint64] = NO_HASHES
    ) -> list[tuple[int, int]]:
        """(work id, shared hashes), most shared first and equal counts by id; stop hashes do not count.

        ``min_shared`` winnow hashes make a candidate, or one more of winnow hashes and rewrite codes together.
        """
        ordinals, shared = self.count_shared(winnow, rewrite, min_shared, limit)
        return list(zip(self.ids[ordinals].tolist(), shared.sum(axis=1).tolist(), strict=True))

    def count_shared(
        self, winnow: NDArray[np.uint64], rewrite: NDArray[np.uint64], min_shared: int, limit: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(ordinals int32[k], shared winnow hashes and rewrite codes int32[k, 2]) as ``search`` finds them.

        Raises ValueError when a hash needs more than 40 bits.
        """
        asked = distinct(winnow)
        return kernels.count_shared(
            self.starts,
            self.records,
            np.concatenate((asked, distinct(rewrite))) if len(rewrite) else asked,
            len(asked),
            self.ids,
            self.lengths,
            short_length=self.short_length,
            most_works=self.most_works_per_hash,
            min_shared=min_shared,
            limit=limit,
        )

    def document_frequency(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """In how many works each hash stands, int64[k] in the order given; stop hashes are counted like any other.

        Raises ValueError when a hash needs more than 40 bits.
        """
        if len(hashes) and int(hashes.max()) > HASH_MASK:
            raise ValueError("a hash has more than 40 bits")
        first, end = kernels.postings_ranges(self.starts, self.records, np.array(hashes, dtype=np.uint64))
        return end - first


def distinct(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes ascending, each once, in an array of their own.

    Raises ValueError when a hash needs more than 40 bits.
    """
    own = np.array(hashes, dtype=np.uint64)  # its own and writable: one type for numba
    if len(own) > 1 and not (own[1:] > own[:-1]).all():
        own = np.unique(own)
    if len(own) and int(own[-1]) > HASH_MASK:
        raise ValueError("a hash has more than 40 bits")
    return own


def pack_postings(hashes: Sequence[NDArray[np.uint64]], sizes: Sequence[int], first: int) -> NDArray[np.uint64]:
    """Hash << 24 | ordinal, ascending, each once: uint64[k].

    ``hashes`` joined are those of works ``first``, ``first`` + 1, …; as many for each as ``sizes`` says, in any order.
    Raises ValueError when a hash needs more than 40 bits or an ordinal more than 24.
    """
    if first + len(sizes) > MOST_WORKS:
        raise ValueError(f"one index holds {MOST_WORKS} works")
    joined = np.concatenate((NO_HASHES, *hashes))
    if len(joined) and int(joined.max()) > HASH_MASK:
        raise ValueError("a hash has more than 40 bits")
    ordinals = np.repeat(np.arange(first, first + len(sizes), dtype=np.uint64), np.array(sizes, dtype=np.int64))
    packed = joined << _SHIFT | ordinals
    packed.sort()
    is_new = np.ones(len(packed), dtype=np.bool_)
    np.not_equal(packed[1:], packed[:-1], out=is_new[1:])
    return packed[is_new]


def bucket_bits(postings: int) -> int:
    """First bits that the table of so many postings holds: a delta of thirty works shall not fill 64 MB.

    Raises ValueError beyond 2**32 - 1 postings.
    """
    if postings > MOST_POSTINGS:
        raise ValueError(f"{postings} postings: one index holds {MOST_POSTINGS}")
    return 8 if postings < 2**14 else 16 if postings < 2**22 else 24


def bucket_starts(packed: NDArray[np.uint64], bits: int, first: int, end: int) -> NDArray[np.int64]:
    """Places in ascending ``packed`` at which the buckets from ``first`` to before ``end`` start."""
    shift = np.uint64(HASH_BITS + ORDINAL_BITS - bits)
    starts: NDArray[np.int64] = np.searchsorted(packed, np.arange(first, end, dtype=np.uint64) << shift)
    return starts


def cut_records(packed: NDArray[np.uint64], bits: int) -> NDArray[np.uint8]:
    """The postings without their first ``bits`` (8, 16 or 24), little-endian, uint8[k * (8 - bits // 8)]."""
    return packed.astype("<u8").view(np.uint8).reshape(-1, 8)[:, : 8 - bits // 8].reshape(-1)
