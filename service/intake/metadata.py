"""What a page says about itself: title, byline, source, publication time, own address. Machine-readable facts first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin

from resiliparse.parse.html import HTMLTree

from service.errors import BadInput
from service.intake import credits as credit_lines
from service.intake.links import canonicalise_url
from service.intake.published import Published, first_moment, moment_in_address, moment_in_lines, parse_moment

_MAX_JSON_LD_CHARACTERS = 300_000
_MAX_JSON_LD_NODES = 2000
_ARTICLE_TYPES = re.compile(r"Article|Posting|Report|WebPage")
_DATE_NAMES = (
    "article:published_time", "og:published_time", "og:article:published_time", "datepublished", "publishdate", "pubdate",
    "publish_date", "publish-date", "publication_date", "parsely-pub-date", "dc.date.issued", "dcterms.issued",
    "firstpublishedtime", "apub:time", "weibo:article:create_at", "bytedance:published_time", "_pubtime", "others:pubtime",
)  # fmt: skip
_TITLE_NAMES = ("og:title", "articletitle", "twitter:title", "dcterms.title")
_SOURCE_NAMES = ("contentsource", "source", "article:source", "copyrightsource", "mediaid", "og:article:source")
_AUTHOR_NAMES = ("author", "article:author", "og:article:author", "byl", "dc.creator")
_SITE_NAMES = ("og:site_name", "sitename", "application-name")
_TITLE_SEPARATOR = re.compile(r"\s*[_|｜丨]+\s*|\s+[-–—]+\s+|\s*--+\s*")
_SITE_TAIL = re.compile(r"[-–—]\s?[^-–—]{0,14}(网|新闻|频道|日报|晚报|时报|客户端|在线|门户|资讯|中心|社|网站)$")
_MIN_TITLE_CHARACTERS = 4
_HEAD_LINES = 10  # between a headline and its article; more than that is something else
_NO_PERSON = re.compile(
    r"://|www\.|@|_|^\d+$|admin|(社|网|报|台|网易|新闻|编辑部|频道|客户端|项目贡献者)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Facts as stated; None where the page is silent. Times are UTC."""

    title: str | None
    byline: str | None
    editor: str | None
    stated_source: str | None
    published_at: datetime | None
    published_origin: str | None
    published_precision: str | None
    canonical_url: str | None
    site_name: str | None


def read_metadata(tree: HTMLTree, lines: list[str], text: str, url: str | None) -> Metadata:
    """The facts of a page. `lines` are the visible lines of the whole page, `text` the article ("" when unknown)."""
    named = _named_values(tree)
    linked = _linked_data(tree)
    title = _title(tree, named, linked)
    near = _around(lines, text, title)
    published = _published(tree, named, linked, near, url)
    editor = credit_lines.editor(near.head + near.opening, near.tail)
    site_name = _first(named, _SITE_NAMES) or _name_in(linked.get("publisher"))
    return Metadata(
        title=title,
        byline=credit_lines.byline(near.head + near.opening, near.tail, text)
        or _stated_author(named, linked, {site_name or "", editor or ""}),
        editor=editor,
        stated_source=credit_lines.stated_source(near.head + near.opening, [], text)
        or credit_lines.clean_source(_first(named, _SOURCE_NAMES) or "")
        or credit_lines.stated_source([], near.tail, ""),
        published_at=published.at if published else None,
        published_origin=published.origin if published else None,
        published_precision=published.precision if published else None,
        canonical_url=_canonical(tree, named, url),
        site_name=site_name,
    )


def _named_values(tree: HTMLTree) -> dict[str, str]:
    """The first content of every meta element, by lower-case name, property or itemprop."""
    found: dict[str, str] = {}
    for meta in _select(tree, "meta"):
        value = " ".join((meta.getattr("content") or "").split())
        for attribute in ("property", "name", "itemprop"):
            name = (meta.getattr(attribute) or "").strip().lower()
            if name and value:
                found.setdefault(name, value)
    return found


def _linked_data(tree: HTMLTree) -> dict[str, Any]:
    """The article object of the page's JSON-LD: the first one of a fitting type that names a date or a headline."""
    for script in _select(tree, 'script[type="application/ld+json"]'):
        source = script.text or ""
        if len(source) > _MAX_JSON_LD_CHARACTERS:
            continue
        try:
            data = json.loads(source, strict=False)
        except (ValueError, RecursionError):  # broken or hostile: the page is read without it
            continue
        for node in _nodes(data):
            kinds = node.get("@type")
            kind = " ".join(map(str, kinds)) if isinstance(kinds, list) else str(kinds)
            if _ARTICLE_TYPES.search(kind) and (node.get("datePublished") or node.get("headline")):
                return node
    return {}


def _nodes(data: object) -> Iterator[dict[str, Any]]:
    queue = [data]
    for _ in range(_MAX_JSON_LD_NODES):
        if not queue:
            return
        item = queue.pop(0)
        if isinstance(item, dict):
            yield item
            queue.extend(value for value in item.values() if isinstance(value, dict | list))
        elif isinstance(item, list):
            queue.extend(item)


def _title(tree: HTMLTree, named: dict[str, str], linked: dict[str, Any]) -> str | None:
    """The headline that a reader sees: an h1 that the page's own title repeats, else the stated one without site name."""
    page_title = " ".join((tree.title or "").split())
    stated = str(linked.get("headline") or "").strip() or _first(named, _TITLE_NAMES) or ""
    headings = [" ".join((node.text or "").split()) for node in _select(tree, "h1")]
    headings = [heading for heading in headings if _MIN_TITLE_CHARACTERS <= len(heading) <= 150]
    spoken = _squeezed(page_title + stated)
    for heading in headings:
        if _squeezed(heading) in spoken:
            return heading
    for candidate in (stated, page_title):
        if candidate and (shortened := _without_site(candidate)):
            return shortened
    return headings[0] if headings else None


def _without_site(title: str) -> str:
    parts = [part for part in _TITLE_SEPARATOR.split(title) if part]
    first = next((part for part in parts if len(part) >= _MIN_TITLE_CHARACTERS), title)
    shortened = _SITE_TAIL.sub("", first).strip()
    return shortened if len(shortened) >= _MIN_TITLE_CHARACTERS else first


class _Near(NamedTuple):
    """Visible lines between headline and article, the article's first two lines, and the lines just after it."""

    head: list[str]
    opening: list[str]
    tail: list[str]


def _around(lines: list[str], text: str, title: str | None) -> _Near:
    paragraphs = text.splitlines()
    # Headlines and credits may stand at the top of the article too: only a real paragraph marks its beginning.
    starts = [line[:12] for line in paragraphs if len(line) >= 40] or [
        line[:12] for line in paragraphs if len(line) >= 12
    ]
    begin = _index_of(lines, starts[:5])
    wanted = _squeezed(title or "")[:12]
    headlines = [i for i, line in enumerate(lines[:begin]) if wanted and wanted in _squeezed(line)]
    if begin is None:
        first = headlines[0] if headlines else 0
        return _Near(lines[first : first + _HEAD_LINES], [], [])
    end = _index_of(list(reversed(lines)), list(reversed(starts))[:5])
    after = len(lines) - end if end is not None else begin
    # Above the headline stand menus and teasers of other articles, with dates and sources of their own.
    top = max(headlines[-1] if headlines else begin - 4, begin - _HEAD_LINES, 0)
    return _Near(lines[top:begin], lines[begin : begin + 2], lines[after : after + 8])


def _index_of(lines: list[str], starts: list[str]) -> int | None:
    for start in starts:
        for i, line in enumerate(lines):
            if line.startswith(start):
                return i
    return None


def _published(
    tree: HTMLTree, named: dict[str, str], linked: dict[str, Any], near: _Near, url: str | None
) -> Published | None:
    """The most trustworthy statement; when it names the day only, another one that adds the time of that day."""
    times = _select(tree, 'time[pubdate], time[itemprop="datePublished"], article time[datetime]')
    stated = [
        parse_moment(str(linked.get("datePublished") or ""), "json_ld"),
        first_moment((named[name] for name in _DATE_NAMES if name in named), "meta"),
        first_moment([time.getattr("datetime") or time.text or "" for time in times[:1]], "time_element"),
        moment_in_lines(near.head, near.opening),
        moment_in_address(url) if url else None,
    ]
    found = [moment for moment in stated if moment is not None]
    if not found:
        return None
    first = found[0]
    same_day = (moment for moment in found if moment.precision != "day" and 0 <= (moment.at - first.at).days < 1)
    return next(same_day, first) if first.precision == "day" else first


def _stated_author(named: dict[str, str], linked: dict[str, Any], not_authors: set[str]) -> str | None:
    """The machine-readable author, unless a site put its own name, an outlet, a number or its editor there."""
    for stated in (_name_in(linked.get("author")), _first(named, _AUTHOR_NAMES)):
        if not stated or len(stated) > 60 or any(other and other in stated for other in not_authors):
            continue
        if not _NO_PERSON.search(stated):
            return credit_lines.read_names(stated) or stated
    return None


def _select(tree: HTMLTree, selector: str) -> list[Any]:
    return list(tree.document.query_selector_all(selector)) if tree.document is not None else []


def _name_in(value: object) -> str | None:
    if isinstance(value, list):
        return "、".join(name for item in value[:10] if (name := _name_in(item))) or None
    if isinstance(value, dict):
        value = value.get("name")
    return value.strip() or None if isinstance(value, str) else None


def _first(named: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((named[name] for name in names if named.get(name)), None)


def _canonical(tree: HTMLTree, named: dict[str, str], url: str | None) -> str | None:
    links = [link.getattr("href") for link in _select(tree, 'link[rel="canonical"]')[:1]]
    for stated in (*links, named.get("og:url")):
        if stated:
            try:
                return canonicalise_url(urljoin(url or "", stated))
            except (BadInput, ValueError):  # half an address is no address
                continue
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()
