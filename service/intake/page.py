"""What a visit brings home, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.errors import YinjiError

Headers = tuple[tuple[str, str], ...]


class FetchFailed(YinjiError):
    """The page could not be had; says nothing about what is on it.

    `reason` is one of timeout, too_large, refused_address, dns, redirect_loop, too_many_redirects, bad_redirect,
    connection, tls, bad_response, bad_encoding, bad_status, not_html. `status` is the server's answer where there
    was one, `url` the hop that failed, `retry_after_s` the wait that the server asked for, in seconds, and `detail`
    the guard's or the library's own word.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        url: str = "",
        status: int | None = None,
        retry_after_s: int | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.detail = detail
        self.url = url
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect on the way: who answered, with what, and where it pointed."""

    url: str
    ip: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one visit brought home.

    url            final address, after redirects.        requested_url  the address asked for.
    body           bytes after Content-Encoding.          raw_body       bytes as they came, without chunking.
    sha256         of `body`, lower-case hexadecimal.     fetched_at     UTC, when the final request was sent.
    elapsed_s      seconds, all hops.                     ip             the address that was dialled.
    tls_certificate  the server's certificate (DER), None without TLS.
    not_modified   the server said 304: body is empty, the earlier capture still holds.
    """

    requested_url: str
    url: str
    status: int
    reason_phrase: str
    http_version: str
    request_headers: Headers
    response_headers: Headers
    ip: str
    body: bytes
    raw_body: bytes
    sha256: str
    fetched_at: datetime
    elapsed_s: float
    tls_certificate: bytes | None = None
    redirects: tuple[Hop, ...] = ()
    not_modified: bool = False
    is_truncated: bool = False

    def header(self, name: str) -> str:
        """The first response header of that name, empty when there is none."""
        return next((value for key, value in self.response_headers if key.lower() == name.lower()), "")

    @property
    def content_type(self) -> str:
        """The Content-Type header, parameters included."""
        return self.header("content-type")

    @property
    def media_type(self) -> str:
        """Lower-case type without parameters, empty when the server names none."""
        return self.content_type.partition(";")[0].strip().lower()
