"""Articles out of pages of our own making: text, title, credits, and dates that are stated, never guessed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake import credits as credit_lines
from service.intake.extract import extract_article, quick_text
from service.intake.published import moment_in_address, parse_moment

PARAGRAPHS = [
    "清晨六点，秦王川的大棚里已经亮起了灯，合作社负责人马有福带着二十多名村民，把一筐筐刚剪下的葡萄搬上冷链车。",
    "“往年这个时候还在疏果，今年用了新的补光设备，上市提前了将近四十天。”马有福说，第一批货当天下午就能送到兰州市区的超市。",
    "当地农业农村局介绍，全区设施葡萄面积达到三千二百亩，带动一千一百多户农民增收，亩均纯收入预计超过两万元。",
    "为了解决运输问题，镇上今年还新建了两座产地冷库，一次可以存放六百吨鲜果，错开集中上市的压力。",
    "接下来，合作社打算把修剪下来的枝条粉碎还田，并且和高校一起试种三个晚熟品种，让采摘期一直延长到国庆节之后。",
]
TITLE = "秦王川葡萄提前四十天上市"


def page(
    head: str = "", info: str = "", tail: str = "", title: str = TITLE, paragraphs: list[str] | None = None
) -> str:
    body = "".join(f"<p>　　{line}</p>" for line in paragraphs or PARAGRAPHS)
    return f"""<html><head><meta charset="utf-8"><title>{title}_陇上新闻网</title>{head}</head><body>
    <div class="nav"><a href="/">首页</a><a href="/news">新闻</a><a href="/2025/01/01/old.html">2025-01-01 08:00 旧闻回顾</a></div>
    <div class="main"><h1>{title}</h1><div class="info">{info}</div><div class="article">{body}</div>
    <div class="foot">{tail}</div></div>
    <div class="related"><a href="/b.html">相关阅读：2026-01-05 09:00 洮河冬捕</a></div>
    <div class="copyright">陇上新闻网 版权所有 2010-2026</div></body></html>"""


def test_article_is_separated_from_its_page() -> None:
    article = extract_article(page(info="2026-03-02 08:16 来源：甘肃日报"), "http://a.cn/x.html")
    assert article.text.replace("　", "").splitlines() == PARAGRAPHS
    assert (article.text_origin, article.title) == ("main", TITLE)


def test_quick_text_holds_all_that_is_visible_and_nothing_else() -> None:
    text = quick_text(page(head="<script>var 秘密=1</script><style>p{color:red}</style>"))
    assert all(line in text for line in [*PARAGRAPHS, TITLE, "首页", "版权所有"])
    assert "秘密" not in text
    assert "color" not in text


@pytest.mark.parametrize(
    ("info", "source"),
    [
        ("2026-03-02 08:16　来源：甘肃日报", "甘肃日报"),
        ("2026年03月02日08:16 | 来源：人民网－人民日报", "人民网－人民日报"),
        ("2026/03/02/ 05:45 来源:每日甘肃网-甘肃日报 记者 崔小明", "每日甘肃网-甘肃日报"),
        ("来源 | 《甘肃日报》 2026-03-02", "甘肃日报"),
        ("文章来源：甘肃日报编辑：王某", "甘肃日报"),
        ("本文转自：新甘肃客户端", "新甘肃客户端"),
        ("稿源：兰州晚报 作者：王五", "兰州晚报"),
        ("<span>来源：<a href='#'>甘肃日报</a></span>", "甘肃日报"),
        ("图片来源：视觉甲天下", None),
        ("数据来源：统计部门", None),
        ("2026-03-02 08:16", None),
    ],
)
def test_stated_source_is_read(info: str, source: str | None) -> None:
    assert extract_article(page(info=info)).stated_source == source


@pytest.mark.parametrize(
    ("opening", "source"),
    [
        ("据甘肃日报3月2日报道，", "甘肃日报"),
        ("据新华社消息，", "新华社"),
        ("新华社兰州3月2日电 ", "新华社"),
        ("中国新闻网兰州3月2日电　", "中国新闻网"),
        ("据媒体报道，", None),
        ("据了解，", None),
        ("本报兰州3月2日讯 ", None),
    ],
)
def test_source_in_the_opening_words_is_read(opening: str, source: str | None) -> None:
    assert credit_lines.stated_source([], [], opening + PARAGRAPHS[0]) == source


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("来源:每日甘肃网-甘肃日报 记者 崔小明", "崔小明"),
        ("作者：曹石 来源:东方某网 选稿：曾火", "曹石"),
        ("新甘肃·甘肃日报记者 崔小明", "崔小明"),
        ("本报记者 王乐山 方 敏", "王乐山、方敏"),
        ("新华社记者邹多宝、唐诗月、丁乐", "邹多宝、唐诗月、丁乐"),
        ("文/张三丰 李四光", "张三丰、李四光"),
        ("（记者 张三丰 通讯员 李四光）", "张三丰、李四光"),
        ("作者：阿不都·热合曼", "阿不都·热合曼"),
        ("某社记者 李梦山 摄", None),
        ("记者从农业部门获悉", None),
        ("记者了解到，今年上市提前", None),
        ("作者其他文章", None),
    ],
)
def test_byline_is_read_and_photographers_are_not_authors(line: str, names: str | None) -> None:
    assert credit_lines.byline([line], [], "") == names or credit_lines.byline([], [], line) == names


def test_reporter_in_brackets_at_the_end_and_the_editor_are_read() -> None:
    paragraphs = [*PARAGRAPHS[:-1], PARAGRAPHS[-1] + "（记者 张三丰 李四光）"]
    article = extract_article(page(paragraphs=paragraphs, tail="责任编辑：胡永平、杨光宗"))
    assert (article.byline, article.editor) == ("张三丰、李四光", "胡永平、杨光宗")


@pytest.mark.parametrize(
    ("text", "expected", "precision"),
    [
        ("2026-03-02 08:16", "2026-03-02T00:16:00", "minute"),
        ("2026年3月2日 08:16:09", "2026-03-02T00:16:09", "second"),
        ("2026/03/02/ 05:45 来源", "2026-03-01T21:45:00", "minute"),
        ("2026-03-02T08:16:09+00:00", "2026-03-02T08:16:09", "second"),
        ("2026-03-02T08:16:09.123Z", "2026-03-02T08:16:09", "second"),
        ("2026-03-02T08:16:09+0800", "2026-03-02T00:16:09", "second"),
        ("2026年3月2日", "2026-03-01T16:00:00", "day"),
        ("2026年3月2日星期一 下午2:05", "2026-03-02T06:05:00", "minute"),
        ("2026.03.02 08:16", "2026-03-02T00:16:00", "minute"),
        ("20260302081609", "2026-03-02T00:16:09", "second"),
        ("20260302", "2026-03-01T16:00:00", "day"),
        ("Mon, 02 Mar 2026 08:16:09 GMT", "2026-03-02T08:16:09", "second"),
        ("2021-01-20 04:29:4439健康网", "2021-01-19T20:29:44", "second"),
        ("2020-02-29 00:00", "2020-02-28T16:00:00", "minute"),
    ],
)
def test_stated_moment_is_read_as_shanghai_time_unless_it_names_a_zone(
    text: str, expected: str, precision: str
) -> None:
    moment = parse_moment(text, "meta")
    assert moment is not None
    assert moment.at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert (moment.origin, moment.precision) == ("meta", precision)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "昨天",
        "3月2日",
        "2023-02-29 08:00",
        "2026-13-01",
        "2026-03-02 25:61",
        "1949年10月1日 10:00",
        "13912026-03-02",
        "2010-2026",
        "20261302",
    ],
)
def test_what_is_no_full_date_stays_unknown(text: str) -> None:
    assert parse_moment(text, "meta") is None


@pytest.mark.parametrize(
    ("head", "info", "url", "origin", "hour"),
    [
        ('<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-02T09:00:00+08:00"}</script>',
         "2026-03-02 08:16", None, "json_ld", 1),
        ('<meta property="article:published_time" content="2026-03-02T10:00:00+08:00">', "2026-03-02 08:16", None, "meta", 2),
        ('<meta name="publishdate" content="2026-03-02">', "2026-03-02 08:00", None, "visible_text", 0),
        ("", "发布时间：2026年03月02日 11:00", "http://a.cn/2026/03/01/1.html", "visible_text", 3),
        ("", "", "http://a.cn/2026/03/02/1.html", "address", None),
        ("", "", "http://a.cn/202603/t20260302_77.html", "address", None),
        ('<script type="application/ld+json">{broken</script>', "2026-03-02 08:00", None, "visible_text", 0),
    ],
)  # fmt: skip
def test_publication_time_comes_from_the_best_statement(
    head: str, info: str, url: str | None, origin: str, hour: int | None
) -> None:
    article = extract_article(page(head=head, info=info), url)
    assert article.published_at is not None
    assert article.published_at.tzinfo is UTC
    assert article.published_origin == origin
    if hour is None:
        assert article.published_precision == "day"
        assert article.published_at == datetime(2026, 3, 1, 16, tzinfo=UTC)
    else:
        assert article.published_at == datetime(2026, 3, 2, hour, tzinfo=UTC)


def test_dates_of_other_articles_and_in_running_text_are_not_the_publication_time() -> None:
    paragraphs = [
        "2025年11月20日 8:30，秦王川的大棚里已经亮起了灯，合作社负责人马有福带着村民把葡萄搬上冷链车。",
        *PARAGRAPHS,
    ]
    article = extract_article(page(paragraphs=paragraphs), "http://a.cn/x.html")
    assert (article.published_at, article.published_origin, article.published_precision) == (None, None, None)


def test_address_without_a_real_date_states_none() -> None:
    for url in (
        "http://a.cn/20261301/1.html",
        "http://a.cn/a/1234567890.html",
        "http://a.cn/2026/news.html",
        "http://[bad",
    ):
        assert moment_in_address(url) is None


def test_stated_address_title_and_site_are_read() -> None:
    head = """<link rel="canonical" href="/orig.html?utm_source=x"><meta property="og:site_name" content="陇上新闻网">
    <meta name="author" content="陇上新闻网">"""
    article = extract_article(page(head=head), "http://a.cn/copy.html")
    assert (article.canonical_url, article.site_name, article.byline) == ("http://a.cn/orig.html", "陇上新闻网", None)


def test_page_without_heading_takes_its_title_without_the_site_name() -> None:
    for title in (
        f"{TITLE}_陇上新闻网",
        f"{TITLE} - 陇上新闻网",
        f"{TITLE}-陇上新闻网",
        f"{TITLE}--新闻--陇上网",
        f"{TITLE}｜陇上",
    ):
        assert extract_article(f"<title>{title}</title><p>{PARAGRAPHS[0]}</p>").title == TITLE


def test_page_that_says_nothing_about_itself_gives_unknown_facts() -> None:
    article = extract_article("<p>短文一则。</p>")
    assert (article.text, article.text_origin) == ("短文一则。", "page")
    assert [article.title, article.byline, article.stated_source, article.published_at, article.canonical_url] == [
        None
    ] * 5
    assert extract_article("").text_origin == "none"
    assert quick_text("") == ""


@pytest.mark.parametrize("tag", ["div", "b", "table", "a", "span", "ul"])
def test_fifty_thousand_nested_tags_hide_nothing_even_in_a_thread(tag: str) -> None:
    deep = f"<html><body>{f'<{tag}>' * 50_000}{PARAGRAPHS[0]}{f'</{tag}>' * 50_000}</body></html>"
    found: list[str] = []
    worker = threading.Thread(target=lambda: found.extend([quick_text(deep), extract_article(deep).text]))
    worker.start()
    worker.join(timeout=20)
    assert len(found) == 2
    assert all(PARAGRAPHS[0] in text for text in found)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script type='application/ld+json'>" + "[" * 100_000 + "</script>",
        "<script type='application/ld+json'>" + '{"a":' * 30_000 + "1" + "}" * 30_000 + "</script>",
        "<title>" + "-" * 100_000 + "</title>",
        "<title>" + "_ " * 50_000 + "</title>",
        "<p>" + "来源" * 50_000 + "</p>",
        "<p>记者" + " 一" * 50_000 + "</p>",
        "<p>" + "2026-" * 50_000 + "</p>",
        "<meta name=author content='" + "张、" * 50_000 + "'>",
        "<p>（" + "（记者" * 30_000 + "</p>",
        "<p>" * 300_000,
        "<td><a href=x>" * 60_000,
        "<table><tr><td>x" * 20_000,
    ],
)
def test_hostile_page_is_read_within_seconds(hostile: str) -> None:
    started = time.monotonic()
    extract_article(page(head=hostile, info=hostile), "http://a.cn/")
    assert time.monotonic() - started < 4


@given(st.text(alphabet="<>/=\"' abp来源：记者2026-03-02 08:16年月日（）【】", max_size=200))
def test_any_markup_is_read_without_error(markup: str) -> None:
    article = extract_article(markup)
    assert (article.published_at is None) == (article.published_origin is None)
