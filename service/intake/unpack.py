"""Content-Encoding undone piece by piece, so that a small bomb never becomes a large string."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

import brotli  # type: ignore[import-untyped]  # ships no types

ENCODINGS = ("gzip", "deflate", "br")  # what we ask for
PIECE_BYTES = 64 * 1024


class BadEncoding(ValueError):
    """The bytes are not what their Content-Encoding says, end too early, or use an encoding we never asked for."""


def unpack(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The decoded body in pieces of about 64 kB; the caller counts them and stops when it has enough.

    `encoding` is the header's value, empty for none; a single layer is accepted, as nobody honest sends two.

    Raises:
        BadEncoding: damaged, truncated or unknown.
    """
    name = encoding.strip().lower()
    if name not in _DECODERS:
        raise BadEncoding(f"content encoding {name[:40]!r}")
    return _DECODERS[name](pieces)


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    return _inflate(pieces, zlib.MAX_WBITS | 16)


def _deflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Some servers send zlib data as the standard says, others bare deflate; the first two bytes tell them apart."""
    source = iter(pieces)
    head = b""
    while len(head) < 2:
        more = next(source, b"")
        if not more:
            break
        head += more
    is_zlib = len(head) >= 2 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0

    def whole() -> Iterator[bytes]:
        yield head
        yield from source

    return _inflate(whole(), zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def _inflate(pieces: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window_bits)
    seen = False
    for piece in pieces:
        data = piece
        seen = seen or bool(piece)
        while data and not inflater.eof:
            try:
                out = inflater.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise BadEncoding(str(error)) from error
            if out:
                yield out
            data = inflater.unconsumed_tail
        # What follows the end of the first member is ignored, as browsers do.
    if seen and not inflater.eof:
        if tail := inflater.flush():
            yield tail
        raise BadEncoding("the compressed body ends too early")


def _brotli(pieces: Iterable[bytes]) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    seen = False
    try:
        for piece in pieces:
            seen = seen or bool(piece)
            if not piece or decoder.is_finished():
                continue
            out = decoder.process(piece, output_buffer_limit=PIECE_BYTES)
            while out:
                yield out
                out = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=PIECE_BYTES)
    except brotli.error as error:
        raise BadEncoding(str(error)) from error
    if seen and not decoder.is_finished():
        raise BadEncoding("the compressed body ends too early")


_DECODERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "": iter,
    "identity": iter,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
}
