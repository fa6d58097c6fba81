"""HTTP/1.1 that connects to the checked IP and nowhere else, under one deadline.

The name stays in the Host header and in TLS (SNI and certificate check); only the number that is dialled comes from
the guard. Every request opens its own connection: a kept connection would outlive its check, and a polite crawler
waits between two requests anyway.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy

import certifi
import httpcore2
import httpx2

from service.intake.guard import CheckedAddress, Resolver, check_address
from service.intake.limits import FetchLimits

SocketOptions = Iterable[tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]]
DEADLINE = "deadline"  # request extension: seconds on the monotonic clock
DIALLED_IP = "dialled_ip"  # extra info of a response's network stream: the checked IP that answered


class DeadlineStream(httpcore2.NetworkStream):
    """A connection whose every read and write gets at most the time that is left, however small the steps."""

    def __init__(self, inner: httpcore2.NetworkStream, ip: str, deadline: float) -> None:
        self._inner = inner
        self._ip = ip
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(httpcore2.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(httpcore2.WriteTimeout, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._left(httpcore2.ConnectTimeout, timeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left), self._ip, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._ip if info == DIALLED_IP else self._inner.get_extra_info(info)

    def _left(self, error: type[httpcore2.TimeoutException], timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error("the deadline of the fetch has passed")
        return left if timeout is None else min(left, timeout)


class PinnedBackend(httpcore2.NetworkBackend):
    """Dials the checked IPs in the resolver's order, whatever host name it is asked for."""

    def __init__(self, checked: CheckedAddress, deadline: float) -> None:
        self._checked = checked
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore2.NetworkStream:
        last: httpcore2.ConnectError | httpcore2.ConnectTimeout = httpcore2.ConnectError("no address")
        for ip in self._checked.ips:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise httpcore2.ConnectTimeout("the deadline of the fetch has passed")
            wait = left if timeout is None else min(left, timeout)
            try:
                stream = self._sockets.connect_tcp(ip, self._checked.port, wait, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
                continue
            return DeadlineStream(stream, ip, self._deadline)
        raise last


class GuardedTransport(httpx2.BaseTransport):
    """Checks, resolves and pins every single request, also one that a caller's own redirect made."""

    def __init__(self, limits: FetchLimits, resolve: Resolver, tls: ssl.SSLContext | None) -> None:
        self._limits = limits
        self._resolve = resolve
        self._tls = tls

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = request.extensions.get(DEADLINE, time.monotonic() + self._limits.total_timeout_s)
        checked = check_address(str(request.url), self._limits.allow, self._resolve)
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=checked.port,
            target=request.url.raw_path,
        )
        connection = httpcore2.HTTPConnection(
            origin=url.origin,
            ssl_context=(self._tls or default_tls()) if checked.scheme == "https" else None,
            network_backend=PinnedBackend(checked, deadline),
        )
        message = httpcore2.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        with _as_httpx_errors():
            try:
                answer = connection.handle_request(message)
            except BaseException:
                connection.close()
                raise
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(connection, answer),
            extensions=dict(answer.extensions),
        )


class _Body(httpx2.SyncByteStream):
    """The body as it arrives; closing it closes the connection."""

    def __init__(self, connection: httpcore2.HTTPConnection, answer: httpcore2.Response) -> None:
        self._connection = connection
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


@contextlib.contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """The client's users know one family of errors; the original stays as the cause."""
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except httpcore2.ConnectError as error:
        raise httpx2.ConnectError(str(error)) from error
    except httpcore2.NetworkError as error:
        raise httpx2.ReadError(str(error)) from error
    except httpcore2.ProtocolError as error:
        raise httpx2.RemoteProtocolError(str(error)) from error


@functools.cache
def default_tls() -> ssl.SSLContext:
    """Certificate checking with the system's roots and the bundled ones; built once, it costs tens of milliseconds."""
    tls = httpx2.create_ssl_context(trust_env=False)
    tls.load_verify_locations(certifi.where())  # a minimal machine has no roots of its own
    return tls


def guarded_client(
    limits: FetchLimits, resolve: Resolver = socket.getaddrinfo, tls: ssl.SSLContext | None = None
) -> httpx2.Client:
    """A client that can reach public web addresses only (and `limits.allow`). No proxy, cookie or redirect of its own.

    `tls` replaces the roots that certificates are checked against.
    """
    return httpx2.Client(
        transport=GuardedTransport(limits, resolve, tls),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx2.Timeout(limits.total_timeout_s, connect=limits.connect_timeout_s),
        headers={"User-Agent": limits.user_agent},
    )
