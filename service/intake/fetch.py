"""One page from a stranger's server, with every limit in force and everything that evidence needs kept.

Redirects are followed by hand so that the guard sees each hop. A page is read only while time and bytes last.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote, urljoin

import httpx2

from service.errors import Refused
from service.intake.guard import parse_address
from service.intake.limits import FetchLimits
from service.intake.page import FetchFailed, Headers, Hop, Page
from service.intake.transport import DEADLINE, DIALLED_IP, guarded_client
from service.intake.unpack import ENCODINGS, BadEncoding, unpack

__all__ = ["FetchFailed", "Hop", "Page", "fetch_bytes", "fetch_page"]

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_RETRY_AFTER_S = 86_400
# First bytes of files that servers like to call text/html: PDF, images, archives and Office, sound, film.
_BINARY = re.compile(
    rb"%PDF-|\x89PNG|GIF8|\xff\xd8\xff|PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|\xd0\xcf\x11\xe0|RIFF|ID3|\x00\x00\x00.ftyp"
)


def fetch_page(
    url: str,
    limits: FetchLimits,
    *,
    client: httpx2.Client | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Page:
    """An HTML page with status 200, or one with `not_modified` after a conditional request.

    `client` comes from `guarded_client`. A type other than HTML, or bytes that are plainly another file format, are
    refused; a missing Content-Type is read as HTML.

    Raises:
        FetchFailed: with its reason.
    """
    page = fetch_bytes(url, limits, client=client, etag=etag, last_modified=last_modified, accept=HTML_TYPES)
    if _BINARY.match(page.body[:16]):
        raise FetchFailed("not_html", "该地址返回的不是网页，而是其他格式的文件", url=page.url, status=page.status)
    return page


def fetch_bytes(
    url: str,
    limits: FetchLimits,
    *,
    client: httpx2.Client | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    accept: frozenset[str] | None = None,
    truncate_at: int | None = None,
) -> Page:
    """Any resource with status 200 (feeds, robots.txt, sitemaps), under the same guard and limits as a page.

    `accept`, when given, names the only media types whose body is read at all. `truncate_at` (bytes) keeps the first
    part of a longer body instead of failing; the page then says `is_truncated`.

    Raises:
        FetchFailed: with its reason.
    """
    if client is None:
        with guarded_client(limits) as own:
            return fetch_bytes(
                url, limits, client=own, etag=etag, last_modified=last_modified, accept=accept, truncate_at=truncate_at
            )
    started = time.monotonic()
    deadline = started + limits.total_timeout_s
    headers = _request_headers(limits, etag, last_modified)
    hops: list[Hop] = []
    seen: set[str] = set()
    target = url
    while True:
        target = _parse(target, limits)
        if target in seen:
            raise FetchFailed("redirect_loop", "该网址循环跳转", url=target)
        seen.add(target)
        sent_at = datetime.now(UTC)
        with _named_failures(target), _send(client, target, headers, deadline) as response:
            if response.status_code in REDIRECTS:
                location = _location(response, target)
                hops.append(Hop(target, _dialled_ip(response), response.status_code, location))
                if len(hops) > limits.max_redirects:
                    raise FetchFailed("too_many_redirects", f"跳转超过 {limits.max_redirects} 次", url=target)
                target = location
                continue
            certificate = _certificate(response)
            _refuse_answer(response, target, accept, conditional=bool(etag or last_modified))
            body, raw_body, is_truncated = _read_body(response, target, limits, truncate_at)
            return Page(
                requested_url=url,
                url=target,
                status=response.status_code,
                reason_phrase=response.reason_phrase,
                http_version=response.http_version,
                request_headers=_pairs(response.request.headers),
                response_headers=_pairs(response.headers),
                ip=_dialled_ip(response),
                body=body,
                raw_body=raw_body,
                sha256=hashlib.sha256(body).hexdigest(),
                fetched_at=sent_at,
                elapsed_s=time.monotonic() - started,
                tls_certificate=certificate,
                redirects=tuple(hops),
                not_modified=response.status_code == 304,
                is_truncated=is_truncated,
            )


def _request_headers(limits: FetchLimits, etag: str | None, last_modified: str | None) -> dict[str, str]:
    headers = {
        "User-Agent": limits.user_agent,
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
        "Accept-Encoding": ", ".join(ENCODINGS),
        "Connection": "close",
    }
    # Both values came from a stranger's earlier answer: a line break in them must not become a header.
    if etag and etag.isascii() and etag.isprintable():
        headers["If-None-Match"] = etag
    if last_modified and last_modified.isascii() and last_modified.isprintable():
        headers["If-Modified-Since"] = last_modified
    return headers


def _parse(url: str, limits: FetchLimits) -> str:
    try:
        return parse_address(url, limits.allow).url
    except Refused as refusal:
        raise FetchFailed("refused_address", refusal.message, url=url[:200], detail=refusal.reason) from refusal


@contextmanager
def _send(client: httpx2.Client, url: str, headers: dict[str, str], deadline: float) -> Iterator[httpx2.Response]:
    request = client.build_request("GET", url, headers=headers)
    request.extensions[DEADLINE] = deadline
    response = client.send(request, stream=True, follow_redirects=False)
    try:
        yield response
    finally:
        response.close()


def _refuse_answer(response: httpx2.Response, url: str, accept: frozenset[str] | None, *, conditional: bool) -> None:
    """Everything that the headers alone decide, before a byte of the body is read."""
    status = response.status_code
    if status == 304 and conditional:
        return
    if not 200 <= status < 300:
        asked = response.headers.get("retry-after", "")
        wait = min(int(asked), _MAX_RETRY_AFTER_S) if re.fullmatch(r"[0-9]{1,9}", asked) else None
        raise FetchFailed("bad_status", f"对方服务器返回 {status}", url=url, status=status, retry_after_s=wait)
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if accept is not None and media_type and media_type not in accept:
        raise FetchFailed("not_html", f"该地址返回的不是网页（{media_type[:80]}）", url=url, status=status)


def _read_body(
    response: httpx2.Response, url: str, limits: FetchLimits, truncate_at: int | None
) -> tuple[bytes, bytes, bool]:
    """Decoded bytes, bytes on the wire, and whether the rest was left unread."""
    too_large = FetchFailed("too_large", "页面过大，已停止读取", url=url, status=response.status_code)
    declared = response.headers.get("content-length", "")
    if truncate_at is None and declared.isdecimal() and int(declared[:18]) > limits.max_bytes:
        raise too_large
    raw = bytearray()
    body = bytearray()

    def wire() -> Iterator[bytes]:
        for piece in response.iter_raw():
            raw.extend(piece)
            if len(raw) > limits.max_bytes:
                raise too_large
            yield piece

    for piece in unpack(wire(), response.headers.get("content-encoding", "")):
        body += piece
        if truncate_at is not None and len(body) >= truncate_at:
            return bytes(body[:truncate_at]), bytes(raw), True
        if len(body) > limits.max_decompressed_bytes:
            raise too_large
    return bytes(body), bytes(raw), False


@contextmanager
def _named_failures(url: str) -> Iterator[None]:
    """Every way in which the network, the guard or the server can fail, as one error with a reason."""
    try:
        yield
    except Refused as refusal:
        reason = "dns" if refusal.reason == "unresolved" else "refused_address"
        raise FetchFailed(reason, refusal.message, url=url, detail=refusal.reason) from refusal
    except httpx2.InvalidURL as error:
        raise FetchFailed("refused_address", "网址格式有误", url=url, detail="bad_url") from error
    except httpx2.TimeoutException as error:
        raise FetchFailed("timeout", "对方服务器响应超时", url=url, detail=str(error)) from error
    except httpx2.ConnectError as error:
        if _is_tls(error):
            raise FetchFailed("tls", "无法与对方服务器建立可信的加密连接", url=url, detail=str(error)) from error
        raise FetchFailed("connection", "无法连接对方服务器", url=url, detail=str(error)) from error
    except httpx2.NetworkError as error:
        raise FetchFailed("connection", "与对方服务器的连接中断", url=url, detail=str(error)) from error
    except httpx2.ProtocolError as error:
        raise FetchFailed("bad_response", "对方服务器的应答不符合协议或不完整", url=url, detail=str(error)) from error
    except BadEncoding as error:
        raise FetchFailed("bad_encoding", "页面的压缩数据损坏或不受支持", url=url, detail=str(error)) from error


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _location(response: httpx2.Response, url: str) -> str:
    """The absolute target. Raw bytes beyond ASCII are kept as they came, percent-encoded, as browsers do."""
    raw = next((value for key, value in response.headers.raw if key.lower() == b"location"), b"").strip()
    if not raw:
        raise FetchFailed("bad_redirect", "跳转未给出目标地址", url=url, status=response.status_code)
    try:
        return urljoin(url, quote(raw, safe="".join(chr(code) for code in range(0x21, 0x7F))))
    except ValueError as error:
        raise FetchFailed("bad_redirect", "跳转目标格式有误", url=url, status=response.status_code) from error


def _dialled_ip(response: httpx2.Response) -> str:
    return str(response.extensions["network_stream"].get_extra_info(DIALLED_IP))


def _certificate(response: httpx2.Response) -> bytes | None:
    session = response.extensions["network_stream"].get_extra_info("ssl_object")
    return session.getpeercert(True) if session is not None else None


def _pairs(headers: httpx2.Headers) -> Headers:
    return tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in headers.raw)
