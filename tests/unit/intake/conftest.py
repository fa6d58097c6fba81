"""Real servers on loopback: one that speaks HTTP by the book, one that sends whatever bytes a test wants."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.intake.limits import FetchLimits

Answer = Callable[[BaseHTTPRequestHandler], None]
Script = Callable[[socket.socket, threading.Event], None]


class QuietServer(ThreadingHTTPServer):
    """A client that hangs up in the middle is what these tests are about; any other fault is printed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Site:
    """A site whose paths are functions; remembers what was asked of it."""

    def __init__(self) -> None:
        self.paths: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                answer = site.paths.get(self.path)
                if answer is None:
                    respond(self, b"nothing here", status=404)
                else:
                    answer(self)

            def log_message(self, *_: object) -> None:
                """Silence: test output is for failures."""

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    def page(self, path: str, body: bytes, content_type: str = "text/html; charset=utf-8", **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.paths[path] = lambda handler: respond(handler, body, content_type=content_type, **named)
        return self.url(path)

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        self.paths[path] = lambda handler: respond(handler, b"", status=status, Location=target)
        return self.url(path)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def respond(
    handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, content_type: str = "text/html", **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    with closing(Site()) as running:
        yield running


@pytest.fixture
def canary() -> Iterator[Site]:
    """A server that nobody may reach; a test asserts that `requests` stays empty."""
    with closing(Site()) as running:
        running.page("/", b"secret")
        yield running


@pytest.fixture
def raw_server() -> Iterator[Callable[[Script], str]]:
    """Starts a server that reads one request per connection and then runs the script on the bare socket."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []
    stop = threading.Event()

    def start(script: Script) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # closed at the end of the test
                with connection:
                    try:
                        connection.recv(65_536)
                        script(connection, stop)
                    except OSError:
                        continue  # the client hung up, as it should

        thread = threading.Thread(target=serve)
        thread.start()
        threads.append(thread)
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(timeout=5)


@pytest.fixture
def limits_for() -> Callable[..., FetchLimits]:
    def build(*hosts: str, **changes: float) -> FetchLimits:
        values = {"connect_timeout_s": 2.0, "total_timeout_s": 5.0, **changes}
        return FetchLimits(allow=frozenset(hosts), **values)  # type: ignore[arg-type]  # the tests pass whole numbers

    return build
