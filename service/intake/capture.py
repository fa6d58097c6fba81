"""One visit as a WARC file that any archive tool can read: evidence in a form that outlives this program.

Same page, same bytes: record numbers are derived from the content, so that a task may run twice and store one capture.
Records are put together here because the headers must be kept byte for byte. Format: WARC 1.1 (ISO 28500:2017).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import uuid
from datetime import UTC
from urllib.parse import urlsplit

from service.intake.page import Headers, Page

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:yinji:capture")
# The connection joins chunks before we see them; a reader that trusted the header would look for chunks in vain.
_RENAMED = {"transfer-encoding": "X-Yinji-Transfer-Encoding"}


def write_capture(page: Page) -> bytes:
    """A .warc.gz with the response as it came, the request, and the TLS certificate (DER) where there was one.

    The response keeps its Content-Encoding and its headers; only Transfer-Encoding is renamed. Digests are SHA-256,
    WARC-IP-Address is the address that was dialled, each hop before the final one stands in X-Yinji-Redirect.
    """
    date = page.fetched_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    seed = f"{page.requested_url} {page.url} {date} {hashlib.sha256(page.raw_body).hexdigest()}"
    response_id = _record_id("response", seed)
    common = [("WARC-Target-URI", page.url), ("WARC-Date", date), ("WARC-IP-Address", page.ip)]
    facts = [("X-Yinji-Redirect", f"{hop.status} {hop.ip} {hop.url} {hop.location}") for hop in page.redirects]
    if page.tls_certificate is not None:
        facts.append(("X-Yinji-TLS-Certificate-SHA256", hashlib.sha256(page.tls_certificate).hexdigest()))
    if page.is_truncated:
        facts.append(("WARC-Truncated", "length"))
    status_line = f"{page.http_version} {page.status} {page.reason_phrase}".rstrip()
    stored = tuple((_RENAMED.get(name.lower(), name), value) for name, value in page.response_headers)
    parts = urlsplit(page.url)
    request_line = f"GET {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1"
    with_response = ("WARC-Concurrent-To", response_id)
    out = _record(
        [("WARC-Type", "response"), ("WARC-Record-ID", response_id), *common, *facts],
        "application/http; msgtype=response",
        _http_head(status_line, stored),
        page.raw_body,
    )
    out += _record(
        [("WARC-Type", "request"), ("WARC-Record-ID", _record_id("request", seed)), *common, with_response],
        "application/http; msgtype=request",
        _http_head(request_line, page.request_headers),
        b"",
    )
    if page.tls_certificate is not None:
        out += _record(
            [("WARC-Type", "resource"), ("WARC-Record-ID", _record_id("certificate", seed)), *common, with_response],
            "application/pkix-cert",
            b"",
            page.tls_certificate,
        )
    return out


def _record(fields: list[tuple[str, str]], content_type: str, head: bytes, payload: bytes) -> bytes:
    """One record as a gzip member of its own."""
    block = head + payload
    lines = [
        *fields,
        ("Content-Type", content_type),
        ("WARC-Payload-Digest", _digest(payload)),
        ("WARC-Block-Digest", _digest(block)),
        ("Content-Length", str(len(block))),
    ]
    header = "WARC/1.1\r\n" + "".join(f"{name}: {_one_line(value)}\r\n" for name, value in lines) + "\r\n"
    return gzip.compress(header.encode() + block + b"\r\n\r\n", mtime=0)


def _http_head(first_line: str, headers: Headers) -> bytes:
    return "".join([f"{first_line}\r\n", *(f"{name}: {value}\r\n" for name, value in headers), "\r\n"]).encode(
        "latin-1"
    )


def _digest(data: bytes) -> str:
    return "sha256:" + base64.b32encode(hashlib.sha256(data).digest()).decode("ascii")


def _record_id(kind: str, seed: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(_NAMESPACE, f'{kind} {seed}')}>"


def _one_line(value: str) -> str:
    """A redirect's target is a stranger's text: it must not begin a header of its own."""
    return value.replace("\r", "%0D").replace("\n", "%0A")
