"""Rows of works → the arrays of a segment, piece by piece, so that they need not fit into memory.

Arrays are handed on piece by piece to a ``put``: in memory it joins them, on disk it appends them to a file. Held in
memory at once are some 70 bytes a work and one part of the postings; postings beyond ``SPILL_POSTINGS`` wait in files,
parted by their first bits, so that each part is sorted by itself.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.hamming import BANDS, BRUTE_FORCE_ROWS, sort_band
from service.fingerprint.postings import bucket_bits, bucket_starts, cut_records, pack_postings
from service.fingerprint.text import SIMHASH_CHARACTERS, Fingerprint

Row = tuple[int, Fingerprint, NDArray[np.uint32]]
"""A work version's id, its fingerprint and its normalised codes."""
Put = Callable[[str, Iterable[NDArray[Any]]], None]

ARRAYS = {
    "texts": "u2",
    "text_ends": "i8",
    "ids": "i8",
    "by_id": "u4",
    "lengths": "u4",
    "simhashes": "u8",
    "hamming.ids": "u4",
    "hamming.order": "i4",
    "hamming.banded": "u8",
    "hamming.starts": "i4",
    "postings.records": "u1",
    "postings.starts": "u4",
}
"""Each array of a segment → the type of its elements, little-endian."""

PARTS = 64
PART_BITS = 6
SPILL_POSTINGS = 2**22  # 32 MB wait in memory


class Postings:
    """Postings on their way into an index: in memory, and in files of ``folder`` (if given) when they are many."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._waiting: list[NDArray[np.uint64]] = []
        self._sizes = array("Q")
        self._held = 0
        self._works = 0  # that are in files already
        self._spilled = 0  # postings that are in files already

    def add(self, *hashes: NDArray[np.uint64]) -> None:
        """The hashes of the next work, in any number of arrays."""
        self._waiting += hashes
        self._sizes.append(sum(map(len, hashes)))
        self._held += self._sizes[-1]
        if self._folder is not None and self._held >= SPILL_POSTINGS:
            self._spill()

    def finish(self) -> tuple[int, Iterator[NDArray[np.uint64]]]:
        """How many postings there are, and all of them, ascending, in ``PARTS`` pieces of equal first bits."""
        if self._spilled:
            self._spill()
            return self._spilled, map(self._read, range(PARTS))
        packed = self._take()
        return len(packed), iter(_cut(packed))

    def _take(self) -> NDArray[np.uint64]:
        packed = pack_postings(self._waiting, self._sizes, self._works)
        self._works += len(self._sizes)
        self._waiting, self._sizes, self._held = [], array("Q"), 0
        return packed

    def _spill(self) -> None:
        packed = self._take()
        self._spilled += len(packed)
        for part, piece in enumerate(_cut(packed)):
            with self._path(part).open("ab") as file:
                file.write(piece.astype("<u8").tobytes())

    def _read(self, part: int) -> NDArray[np.uint64]:
        packed: NDArray[np.uint64] = np.fromfile(self._path(part), dtype="<u8").astype(np.uint64, copy=False)
        self._path(part).unlink()
        packed.sort()
        return packed

    def _path(self, part: int) -> Path:
        assert self._folder is not None
        return self._folder / f"postings.{part}.spill"


def _cut(packed: NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
    return np.split(packed, bucket_starts(packed, PART_BITS, 1, PARTS))


def assemble(rows: Iterable[Row], algorithm: str, put: Put, spill_folder: Path | None = None) -> int:
    """Hands every array named in ARRAYS to ``put``, in that order; returns the number of works.

    Raises ValueError when an id comes twice, a fingerprint is of another algorithm or cannot be indexed.
    """
    ids, ends, lengths, simhashes = array("q"), array("q", [0]), array("I"), array("Q")
    hashes = Postings(spill_folder)

    def texts() -> Iterator[NDArray[np.uint16]]:
        for version_id, fingerprint, codes in rows:
            if fingerprint.algorithm != algorithm:
                raise ValueError(f"version {version_id} is fingerprinted by {fingerprint.algorithm}, not {algorithm}")
            hashes.add(fingerprint.winnow, fingerprint.rewrite)
            ids.append(version_id)
            lengths.append(fingerprint.length)
            simhashes.append(fingerprint.simhash)
            ends.append(ends[-1] + len(codes))
            yield codes.astype(np.uint16)  # the cast keeps the low 16 bits

    put("texts", texts())
    put("text_ends", [np.frombuffer(ends, np.int64)])
    by_id = np.argsort(_numbers(ids, np.int64), kind="stable").astype(np.uint32)
    ordered = _numbers(ids, np.int64)[by_id]
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("a version id comes twice")
    put("ids", [_numbers(ids, np.int64)])
    put("by_id", [by_id])
    put("lengths", [_numbers(lengths, np.uint32)])
    put("simhashes", [_numbers(simhashes, np.uint64)])
    _put_hamming(put, _numbers(simhashes, np.uint64), _numbers(lengths, np.uint32))
    _put_postings(put, hashes)
    return len(ids)


def _numbers(values: "array[int]", dtype: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(values, dtype) if len(values) else np.empty(0, dtype)


def _put_hamming(put: Put, simhashes: NDArray[np.uint64], lengths: NDArray[np.uint32]) -> None:
    """Tables of the texts that are long enough for a distance to mean something."""
    long = np.flatnonzero(lengths >= SIMHASH_CHARACTERS).astype(np.uint32)
    put("hamming.ids", [long])
    hashes = simhashes[long]
    bands = range(BANDS if len(long) > BRUTE_FORCE_ROWS else 0)
    if not bands:
        put("hamming.order", [np.arange(len(long), dtype=np.int32)])
        put("hamming.banded", [hashes])
        put("hamming.starts", [])
        return
    orders = [sort_band(hashes, band) for band in bands]
    put("hamming.order", (order for order, _ in orders))
    put("hamming.banded", (hashes[order] for order, _ in orders))
    put("hamming.starts", (starts for _, starts in orders))


def _put_postings(put: Put, postings: Postings) -> None:
    total, parts = postings.finish()
    bits = bucket_bits(total)
    starts = np.full(2**bits + 1, total, dtype=np.uint32)
    per_part = 2 ** (bits - PART_BITS)

    def records() -> Iterator[NDArray[np.uint8]]:
        done = 0
        for part, packed in enumerate(parts):
            first = part * per_part
            starts[first : first + per_part] = done + bucket_starts(packed, bits, first, first + per_part)
            done += len(packed)
            yield cut_records(packed, bits)

    put("postings.records", records())
    put("postings.starts", [starts])
