"""Cuts a WARC or ARC file into its records, whatever is wrong with some of them.

A compressed file is a row of gzip members, as a rule one per record. After damage the search goes on at the next place
where a record really begins, so that one bad record costs only itself. Memory stays within one record.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

Buffer = mmap | bytes

_GZIP = b"\x1f\x8b\x08"
_PIECE_BYTES = 256 * 1024
_MAX_HEADER_BYTES = 256 * 1024
# How far a refused record is read over inside one gzip member, in multiples of the limit; then the member is left.
_MAX_SKIP = 16
# A record begins like this, at the start of a line: WARC version line and a field, or the five fields of ARC version 1.
_START = re.compile(
    rb"^(?:WARC/\d\.\d{1,2}\r?\n[A-Za-z][\w-]{0,60}:"
    rb"|(?:https?|filedesc|dns|ftp)://?[^\r\n]{1,8192} \S{1,60} \d{14,18} \S{1,100} \S{1,20}\r?\n)",
    re.MULTILINE,
)
_WARC_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that was refused. `offset`: bytes from the start of the file; of the gzip member in compressed files.

    `reason`: wrong_length, truncated, digest_mismatch, too_large, bad_gzip, bad_header, bad_http, bad_chunks,
    bad_encoding.
    """

    offset: int
    reason: str
    detail: str = ""


class _BadGzip(ValueError):
    """The compressed data is damaged (`is_cut`: it merely ends too early)."""

    def __init__(self, message: str, is_cut: bool) -> None:
        super().__init__(message)
        self.is_cut = is_cut


class _Segment:
    """Decompressed bytes of one gzip member, or those of a plain file, read on demand."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.data = bytearray()
        self.position = 0  # of data[0] within the segment

    def fill(self, size: int) -> bool:
        """Whether `size` bytes are there."""
        while len(self.data) < size:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self.data += piece
        return True

    def drop(self, size: int) -> None:
        del self.data[:size]
        self.position += size

    def skip(self, size: int) -> bool:
        """Reads over `size` bytes without keeping them; False when the end comes first."""
        while size > 0:
            if not self.fill(1):
                return False
            step = min(size, len(self.data))
            self.drop(step)
            size -= step
        return True


def cut_records(buffer: Buffer, max_record_bytes: int) -> Iterator[tuple[int, bytes] | BadRecord]:
    """Each record as (offset, bytes), or the reason why it was refused, in file order."""
    if buffer[:2] != _GZIP[:2]:
        yield from _cut_segment(_Segment(_slices(buffer)), 0, max_record_bytes, is_plain=True)
        return
    start = 0
    while start < len(buffer):
        if buffer[start : start + 3] != _GZIP:
            following = _next_member(buffer, start)
            if buffer[start : following if following is not None else len(buffer)].strip(b"\0\r\n"):
                yield BadRecord(start, "bad_gzip", "no gzip member begins here")
            if following is None:
                return
            start = following
            continue
        member = _Member(buffer, start)
        try:
            yield from _cut_segment(_Segment(member.pieces()), start, max_record_bytes, is_plain=False)
        except _BadGzip as error:
            yield BadRecord(start, "truncated" if error.is_cut else "bad_gzip", str(error))
        if member.end is None:  # damaged or left early
            following = _next_member(buffer, start + 1)
            if following is None:
                return
            start = following
        else:
            start = member.end


def _cut_segment(
    segment: _Segment, base: int, max_bytes: int, *, is_plain: bool
) -> Iterator[tuple[int, bytes] | BadRecord]:
    while _at_next(segment):
        offset = base + segment.position if is_plain else base
        size = _record_size(segment.data)
        if size is None:
            yield BadRecord(offset, "bad_header", "no record begins here, or it names no length")
            is_over = not _resync(segment)
        elif size > max_bytes:
            yield BadRecord(offset, "too_large", f"{size} bytes, limit {max_bytes}")
            # In a plain file passing over costs nothing; a gzip bomb is left instead of being inflated to its end.
            is_over = (not is_plain and size > _MAX_SKIP * max_bytes) or not segment.skip(size)
        elif _holds(segment, size):
            record = bytes(segment.data[:size])
            segment.drop(size)
            yield offset, record
            continue
        else:
            is_cut = is_plain and len(segment.data) < size and _START.search(segment.data, 1) is None
            yield BadRecord(offset, "truncated" if is_cut else "wrong_length", "no record ends where the length says")
            is_over = not _resync(segment)
        if is_over:
            return


def _at_next(segment: _Segment) -> bool:
    """Moves over line ends to the next record and loads its header; False at the end."""
    while segment.fill(1):
        blank = len(segment.data) - len(segment.data.lstrip(b"\r\n"))
        if blank == 0:
            segment.fill(_MAX_HEADER_BYTES)
            return True
        segment.drop(blank)
    return False


def _holds(segment: _Segment, size: int) -> bool:
    """Whether a record of `size` bytes is there and ends where its length says."""
    try:
        if not segment.fill(size):
            return False
        segment.fill(size + _MAX_HEADER_BYTES)
    except _BadGzip:
        if len(segment.data) < size:
            raise
        # What comes after is damaged; that is reported when it is read.
    following = bytes(segment.data[size : size + _MAX_HEADER_BYTES])
    rest = following.lstrip(b"\r\n")
    return not rest or following.startswith(b"\r\n\r\n") or _START.match(rest) is not None


def _record_size(data: bytearray) -> int | None:
    """Bytes of the record at the start of `data`, header included; None when none begins there."""
    if _START.match(data) is None:
        return None
    if data.startswith(b"WARC/"):
        end = _HEADER_END.search(data, 0, _MAX_HEADER_BYTES)
        length = _WARC_LENGTH.search(data, 0, end.start() + 1) if end is not None else None
        return end.end() + int(length[1]) if end is not None and length is not None else None
    line_end = data.index(b"\n") + 1
    length_field = bytes(data[:line_end]).split()[-1]
    return line_end + int(length_field) if length_field.isdigit() and len(length_field) <= 15 else None


def _resync(segment: _Segment) -> bool:
    """Drops everything up to the next place where a record begins; False when there is none."""
    while True:
        found = _START.search(segment.data, 1)
        if found is not None:
            segment.drop(found.start())
            return True
        # The tail stays: the beginning of a record may be cut by the end of what is loaded.
        segment.drop(max(0, len(segment.data) - 16_384))
        if not segment.fill(len(segment.data) + 1):
            return False


def _slices(buffer: Buffer) -> Iterator[bytes]:
    for start in range(0, len(buffer), _PIECE_BYTES):
        yield bytes(buffer[start : start + _PIECE_BYTES])


class _Member:
    """One gzip member; `end` is the offset after it once all its pieces were taken."""

    def __init__(self, buffer: Buffer, start: int) -> None:
        self._buffer = buffer
        self._start = start
        self.end: int | None = None

    def pieces(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        position = self._start
        data = b""
        while not inflater.eof:
            if not data:
                data = bytes(self._buffer[position : position + _PIECE_BYTES])
                position += len(data)
                if not data:
                    raise _BadGzip("the file ends inside a gzip member", is_cut=True)
            try:
                piece = inflater.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise _BadGzip(str(error), is_cut=False) from error
            data = inflater.unconsumed_tail
            if piece:
                yield piece
        self.end = position - len(inflater.unused_data)


def _next_member(buffer: Buffer, start: int) -> int | None:
    """Where the next gzip member with a record at its beginning stands; three bytes alone may be chance."""
    position = buffer.find(_GZIP, start)
    while position >= 0:
        try:
            opening = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(
                bytes(buffer[position : position + 4096]), 16_384
            )
        except zlib.error:
            opening = b""
        if _START.match(opening):
            return position
        position = buffer.find(_GZIP, position + 1)
    return None
