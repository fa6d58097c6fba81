"""The reposting sites: the plan rendered as bytes, and a loopback server for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from service.demo.layouts import CHENGU, HEKOU, TUTU, Layout
from service.demo.plan import PlannedPage, plan_pages

_RELATED = 5
_SITES: dict[str, tuple[str, Layout]] = {
    "hekou": ("河口融媒", HEKOU),
    "chengu": ("晨谷资讯", CHENGU),
    "tutu": ("图图头条网", TUTU),
}


@dataclass(frozen=True)
class Site:
    """A small site. `pages` maps a path to (body, content type); `/` is the index, `/robots.txt` allows all."""

    key: str
    name: str
    charset: str
    pages: dict[str, tuple[bytes, str]]


def build_sites(seed: int, now: datetime, omit: str | None = None) -> tuple[Site, ...]:
    """河口融媒 (the licensee), 晨谷资讯 (GBK, licence ended) and 图图头条网 (no licence), for one seed.

    `now` (aware) only dates the index pages; articles bear the dates of the plan. `omit` leaves out the page of that
    key from its site and index. Raises ValueError for an unknown key.
    """
    planned = plan_pages(seed, omit)
    return tuple(_build(key, [page for page in planned if page.site == key], now) for key in _SITES)


def serve_site(site: Site, host: str = "127.0.0.1", port: int = 0) -> tuple[ThreadingHTTPServer, int]:
    """Serves a site from a daemon thread until `server.shutdown()` and `server.server_close()`.

    Port 0 takes a free one. Returns the server and its port. Raises OSError when the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            found = site.pages.get(urlsplit(self.path).path)
            body, content_type = found or ("没有这个页面".encode(), "text/plain; charset=utf-8")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the demo prints its own progress."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, name=f"demo-site-{site.key}", daemon=True).start()
    return server, int(server.server_address[1])


def _build(key: str, planned: list[PlannedPage], now: datetime) -> Site:
    name, layout = _SITES[key]
    planned = sorted(planned, key=lambda page: page.published_at, reverse=True)
    content_type = f"text/html; charset={layout.charset}"
    pages = {"/robots.txt": (b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")}
    index = layout.index.format(name=name, today=f"{now:%Y-%m-%d}", links=_links(layout, planned), year=f"{now:%Y}")
    pages["/"] = (_encoded(index, layout), content_type)
    for place, page in enumerate(planned):
        others = (planned[place + 1 :] + planned[:place])[:_RELATED]
        html = layout.article.format(
            name=name,
            title=escape(page.title),
            meta=_meta(layout, page),
            body="\n".join(layout.paragraph.format(text=escape(line)) for line in page.text.split("\n")),
            related=_links(layout, others),
            year=f"{now:%Y}",
        )
        pages[page.path] = (_encoded(html, layout), content_type)
    return Site(key, name, layout.charset, pages)


def _meta(layout: Layout, page: PlannedPage) -> str:
    meta = layout.time.format(at=page.published_at)
    meta += layout.source.format(source=escape(page.source)) if page.source else layout.no_source
    return meta + (layout.byline.format(byline=escape(page.byline)) if page.byline else "")


def _links(layout: Layout, pages: list[PlannedPage]) -> str:
    return "\n".join(
        layout.link.format(path=page.path, title=escape(page.title), at=page.published_at) for page in pages
    )


def _encoded(html: str, layout: Layout) -> bytes:
    """A character that the charset lacks travels as a numeric reference, as editors of such sites let it."""
    return html.encode(layout.charset, errors="xmlcharrefreplace")
