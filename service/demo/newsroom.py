"""The invented newsroom of 雪岭: three outlets with mandates and articles, two licensees, one stranger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any

ARTICLE_FILES = ("xueling-daily.jsonl", "xueling-evening.jsonl", "xueling-media.jsonl")
"""Each is a valid input of `works import`."""

RESERVED_ON = date(2025, 9, 15)
RESERVATION_TEXT = (
    "版权声明：雪岭日报、雪岭晚报及雪岭新媒体各平台已将其采写、拍摄、编辑、制作、刊发的原创作品的著作权统一授权本中心保护、"
    "维权和对外许可，作品形式包括文字、图片、摄影、视频、音频、文创产品、文艺作品、H5、海报、AR、VR、手绘、沙画、图解。"
    "自本声明公布之日起，任何组织、媒体和自媒体账号未经本中心许可，不得转载、修改、摘编，也不得以其他方式复制、传播上述作品。"
    "需要使用的，请先向本中心提出申请。"
)
RESERVATION_ADDRESS = "https://daily.xueling.example/statement/20250915.html"


@dataclass(frozen=True)
class Article:
    """One registered original. `text` holds paragraphs separated by newlines; `published_at` is aware (+08:00)."""

    id: str
    outlet: str
    title: str
    text: str
    byline: str
    form: str
    published_at: datetime
    url: str
    page: str
    subtitle: str = ""


@dataclass(frozen=True)
class OtherArticle:
    """Another newspaper's own report on the same event as the work `same_event_as`: shared facts, no shared words."""

    id: str
    outlet: str
    title: str
    same_event_as: str
    text: str
    byline: str
    published_at: datetime


@dataclass(frozen=True)
class HostArticle:
    """A reposting site's own article with a gap between `before` and `after`, into which an excerpt is pasted."""

    id: str
    site: str
    title: str
    byline: str
    before: str
    after: str


@dataclass(frozen=True)
class Mandate:
    """An outlet's grant to the Centre, as plain values; empty `forms` and `rights` mean all of them."""

    grant_kind: str
    valid_from: date
    valid_to: date | None
    may_sublicense: bool
    may_enforce: bool
    forms: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlet:
    """A member outlet with its mandate. The one Reservation above binds all three."""

    code: str
    name: str
    kind: str
    mandate: Mandate


@dataclass(frozen=True)
class Party:
    """A user of works; its one channel is the domain of the site `site`, known only when that site is served."""

    name: str
    site: str
    channel_kind: str = "domain"


@dataclass(frozen=True)
class Licence:
    """A blanket licence over the works of `outlets` for the domain of its party."""

    reference: str
    party: str
    outlets: tuple[str, ...]
    acts: tuple[str, ...]
    credit_text: str
    valid_from: date
    valid_to: date


OUTLETS = (
    Outlet("XLRB", "雪岭日报", "newspaper", Mandate("exclusive", date(2025, 7, 1), date(2030, 6, 30), True, True)),
    Outlet("XLWB", "雪岭晚报", "newspaper", Mandate("assignment", date(2025, 7, 1), None, True, True)),
    Outlet("XLXM", "雪岭新媒体", "platform", Mandate("agency", date(2025, 9, 1), date(2028, 8, 31), True, False)),
)
PARTIES = (Party("河口融媒", "hekou"), Party("晨谷资讯", "chengu"), Party("图图头条网", "tutu"))
LICENCES = (
    Licence("L25-00147", "河口融媒", ("XLRB",), ("repost",), "来源：雪岭日报", date(2025, 7, 15), date(2027, 7, 14)),
    Licence("L25-00213", "晨谷资讯", ("XLRB",), ("repost",), "来源：雪岭日报", date(2025, 8, 19), date(2026, 2, 18)),
)
OUTLET_NAMES = {outlet.code: outlet.name for outlet in OUTLETS}


def load_articles() -> tuple[Article, ...]:
    """All works of the three outlets, in file order."""
    return tuple(Article(**_dated(row)) for name in ARTICLE_FILES for row in _rows(name))


def load_other_papers() -> tuple[OtherArticle, ...]:
    """The innocent articles: same events, independently written."""
    return tuple(OtherArticle(**_dated(row)) for row in _rows("other-papers.jsonl"))


def load_host_articles() -> tuple[HostArticle, ...]:
    """The reposting sites' own articles that carry an excerpt."""
    return tuple(HostArticle(**row) for row in _rows("host-articles.jsonl"))


def _rows(name: str) -> list[dict[str, Any]]:
    lines = files("service.demo").joinpath("content", name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "published_at": datetime.fromisoformat(row["published_at"])}
