"""Web archives in: HTML pages out of WARC and ARC files, with every damaged record refused by name (ISO 28500)."""

from __future__ import annotations

import io
import mmap
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParserException

from service.intake.capture import write_capture
from service.intake.records import BadRecord, Buffer, cut_records
from service.intake.unpack import BadEncoding, unpack

__all__ = ["BadRecord", "WarcPage", "read_records", "write_capture"]

MAX_RECORD_BYTES = 64 * 1024 * 1024  # one record after decompression
MAX_BODY_BYTES = 20 * 1024 * 1024  # one page after Content-Encoding
_HTML = re.compile(r"\s*(text/html|application/xhtml\+xml)\b", re.IGNORECASE)
# Within the record's own header, which ends at the first empty line. warcio fails on such a record without an address.
_HTTP_RECORD = re.compile(rb"WARC/(?:[^\n]+\n)*?WARC-Type[ \t]*:[ \t]*(?:response|request|revisit)\b", re.IGNORECASE)
_HAS_TARGET = re.compile(rb"WARC/(?:[^\n]+\n)*?WARC-Target-URI[ \t]*:[ \t]*\S", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")


@dataclass(frozen=True, slots=True)
class WarcPage:
    """One archived HTML page. `offset` is where its record (or gzip member) begins, in bytes; `body` is decoded."""

    offset: int
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fetched_at: datetime | None
    ip: str | None
    record_id: str | None

    @property
    def content_type(self) -> str:
        """The Content-Type header, parameters included; empty when there is none."""
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


def read_records(
    source: Path | str | IO[bytes], *, max_record_bytes: int = MAX_RECORD_BYTES, max_body_bytes: int = MAX_BODY_BYTES
) -> Iterator[WarcPage | BadRecord]:
    """Every HTML response in an archive, in file order; each damaged record is reported and the rest is read.

    Accepts .warc, .warc.gz, .arc and .arc.gz by content, not by name. Other record types and media types are passed
    over silently. An empty file gives nothing. Memory: one record of at most `max_record_bytes`.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(source, Path | str):
        with Path(source).open("rb") as file:
            yield from read_records(file, max_record_bytes=max_record_bytes, max_body_bytes=max_body_bytes)
        return
    with _mapped(source) as buffer:
        for cut in cut_records(buffer, max_record_bytes):
            outcome = cut if isinstance(cut, BadRecord) else _read_one(*cut, max_body_bytes)
            if outcome is not None:
                yield outcome


def _read_one(offset: int, block: bytes, max_body_bytes: int) -> WarcPage | BadRecord | None:
    """The page in one record, None when it holds none."""
    if _HTTP_RECORD.match(block) and _HAS_TARGET.match(block) is None:
        return BadRecord(offset, "bad_header", "the record names no address")
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(block), check_digests=True, arc2warc=True)), None)
        if record is None:
            return None
        payload = record.raw_stream.read()
    except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, ValueError, UnicodeError) as error:
        return BadRecord(offset, "bad_http", str(error)[:200])
    if problem := _digest_problem(record):
        return BadRecord(offset, "digest_mismatch", problem)
    if record.rec_type != "response" or record.http_headers is None:
        return None
    headers = tuple((str(name), str(value)) for name, value in record.http_headers.headers)
    first = {name.lower(): value for name, value in reversed(headers)}
    status = record.http_headers.get_statuscode()
    if not _HTML.match(first.get("content-type", "")):
        return None
    if not status.isdigit():
        return BadRecord(offset, "bad_http", f"status {status[:20]!r}")
    try:
        if first.get("transfer-encoding", "").strip().lower() == "chunked":
            payload = _without_chunks(payload)
        body = _decoded(payload, first.get("content-encoding", ""), max_body_bytes)
    except _BadChunks as error:
        return BadRecord(offset, "bad_chunks", str(error))
    except BadEncoding as error:
        return BadRecord(offset, "bad_encoding", str(error))
    if body is None:
        return BadRecord(offset, "too_large", f"body above {max_body_bytes} bytes after decoding")
    return WarcPage(
        offset,
        record.rec_headers.get_header("WARC-Target-URI") or "",
        int(status),
        headers,
        body,
        _moment(record.rec_headers.get_header("WARC-Date")),
        record.rec_headers.get_header("WARC-IP-Address"),
        record.rec_headers.get_header("WARC-Record-ID"),
    )


def _digest_problem(record: Any) -> str:
    """Why a stored digest does not hold, "" when all do or there is none.

    Crawlers disagree on what the payload of a chunked answer is: there the block digest alone decides.
    """
    problems = [str(problem) for problem in record.digest_checker.problems if "failed" in str(problem)]
    is_chunked = record.http_headers is not None and record.http_headers.get_header("transfer-encoding")
    if is_chunked and record.rec_headers.get_header("WARC-Block-Digest"):
        problems = [problem for problem in problems if problem.startswith("block")]
    return problems[0] if problems else ""


class _BadChunks(ValueError):
    """The chunked body breaks off or names a size that is not there."""


def _without_chunks(payload: bytes) -> bytes:
    """The body of a chunked answer; one that a crawler had joined already (no chunk size at its start) is unchanged."""
    if _CHUNK_SIZE.match(payload) is None:
        return payload
    out = bytearray()
    position = 0
    while True:
        head = _CHUNK_SIZE.match(payload, position)
        if head is None:
            raise _BadChunks(f"no chunk size at byte {position} of the body")
        size = int(head[1], 16)
        if size == 0:
            return bytes(out)
        chunk = payload[head.end() : head.end() + size]
        if len(chunk) < size:
            raise _BadChunks(f"chunk of {size} bytes, {len(chunk)} there")
        out += chunk
        position = head.end() + size
        position += 2 if payload[position : position + 2] == b"\r\n" else 1


def _decoded(payload: bytes, encoding: str, max_bytes: int) -> bytes | None:
    """The body without Content-Encoding, None above the limit."""
    if "gzip" in encoding.lower() and not payload.startswith(b"\x1f\x8b"):
        encoding = ""  # many crawlers store the decoded body under the original header
    out = bytearray()
    for piece in unpack([payload], encoding):
        out += piece
        if len(out) > max_bytes:
            return None
    return bytes(out)


def _moment(stated: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(stated or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@contextmanager
def _mapped(stream: IO[bytes]) -> Iterator[Buffer]:
    """The stream as a read-only buffer that the system pages in; a stream without a file is spooled to one."""
    with tempfile.TemporaryFile() as spool:
        try:
            number = stream.fileno()
        except (OSError, AttributeError):
            shutil.copyfileobj(stream, spool)
            spool.flush()
            number = spool.fileno()
        try:
            with mmap.mmap(number, 0, access=mmap.ACCESS_READ) as buffer:
                yield buffer
        except ValueError as error:
            if "empty" not in str(error):
                raise
            yield b""
