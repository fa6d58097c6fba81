"""A small news site on loopback that remembers what was asked of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.factories import TEXT

FILLER = (
    "第{n}号粮站的账本上记着去年收了{n}车洋芋，今年又多了两成。站长说，路修通以后，外地的车能一直开到场院里来，过秤、装车、"
    "结账不过一个钟头。下午四点，最后一辆车开走，院子里扫得干干净净，只剩下一杆老秤靠在墙上。"
)
HEAD = '<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'


class Site:
    """Articles 0 … `count` - 1; those in `copies` carry the factories' text. `delay_s` is how long each answer takes."""

    def __init__(
        self, count: int, copies: frozenset[int] = frozenset(), delay_s: float = 0.0, robots: str = ""
    ) -> None:
        self.count, self.copies, self.delay_s, self.robots = count, copies, delay_s, robots
        self.visits: list[tuple[str, float, float]] = []
        """Path, start and end (monotonic seconds) of each request."""
        self.port = 0

    @property
    def address(self) -> str:
        """The page that links to all articles."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def allow(self) -> str:
        """The guard's exception for this site."""
        return f"127.0.0.1:{self.port}"

    def answer(self, path: str) -> tuple[int, str]:
        """Status and body."""
        if path == "/robots.txt":
            return (200, self.robots) if self.robots else (404, "")
        if path == "/":
            links = (f'<li><a href="/a/{n}.html">河西粮站收购见闻之第{n}篇</a>' for n in range(self.count))
            return 200, HEAD.format(title="河西见闻") + "<ul>" + "".join(links) + "</ul>"
        number = int(path.removeprefix("/a/").removesuffix(".html"))
        if number >= 1000:
            return 404, "gone"
        text = TEXT if number in self.copies else FILLER.format(n=number) * 3
        paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n"))
        return 200, HEAD.format(title=f"见闻{number}") + f"<article>{paragraphs}</article>"


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """The site, answering from threads of this process until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            started = time.monotonic()
            status, body = site.answer(self.path)
            time.sleep(site.delay_s)
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            site.visits.append((self.path, started, time.monotonic()))

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
