"""What sites ask of crawlers, from real answers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from service.intake.limits import FetchLimits
from service.intake.robots import MAX_CRAWL_DELAY_S, fetch_robots, parse_robots

from .conftest import Site, respond

Limits = Callable[..., FetchLimits]
AGENT = "YinjiBot"


def test_rules_for_our_agent_win_over_those_for_all() -> None:
    rules = parse_robots(b"User-agent: *\nDisallow: /\n\nUser-agent: YinjiBot\nDisallow: /private/\nCrawl-delay: 7\n")
    assert rules.allowed("http://a.cn/news/1.html", AGENT)
    assert not rules.allowed("http://a.cn/private/1.html", AGENT)
    assert not rules.allowed("http://a.cn/news/1.html", "OtherBot")
    assert rules.crawl_delay(AGENT) == 7
    assert rules.crawl_delay("OtherBot") is None


def test_absurd_delay_is_bounded_and_a_rate_counts_too() -> None:
    assert parse_robots(b"User-agent: *\nCrawl-delay: 999999").crawl_delay(AGENT) == MAX_CRAWL_DELAY_S
    assert parse_robots(b"User-agent: *\nRequest-rate: 1/5s").crawl_delay(AGENT) == 5
    assert parse_robots(b"User-agent: *\nCrawl-delay: -1").crawl_delay(AGENT) is None


def test_chinese_comments_in_gbk_do_not_hide_the_rules() -> None:
    rules = parse_robots("# 禁止抓取后台\nUser-agent: *\nDisallow: /后台/\nDisallow: /admin/".encode("gb18030"))
    assert not rules.allowed("http://a.cn/admin/x", AGENT)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_no_robots_file_allows_all(status: int, site: Site, limits_for: Limits) -> None:
    site.paths["/robots.txt"] = lambda handler: respond(handler, b"", status=status)
    assert fetch_robots(site.url("/deep/page.html?x=1"), limits_for(site.host)).allowed(site.url("/a"), AGENT)
    assert [path for path, _ in site.requests] == ["/robots.txt"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failing_server_forbids_all_for_now(status: int, site: Site, limits_for: Limits) -> None:
    site.paths["/robots.txt"] = lambda handler: respond(handler, b"", status=status)
    rules = fetch_robots(site.url(), limits_for(site.host))
    assert (rules.state, rules.allowed(site.url("/a"), AGENT)) == ("unreachable", False)


def test_robots_that_redirect_inside_forbid_all(site: Site, canary: Site, limits_for: Limits) -> None:
    site.redirect("/robots.txt", canary.url("/robots.txt"))
    assert fetch_robots(site.url(), limits_for(site.host)).state == "unreachable"
    assert canary.requests == []


def test_ten_megabytes_of_robots_are_read_up_to_the_limit(site: Site, limits_for: Limits) -> None:
    body = b"User-agent: *\nDisallow: /first/\n" + b"Disallow: /x*y*z\n" * 600_000 + b"Disallow: /last/\n"
    site.page("/robots.txt", body, "text/plain")
    started = time.monotonic()
    rules = fetch_robots(site.url(), limits_for(site.host))
    assert not rules.allowed(site.url("/first/a"), AGENT)
    assert rules.allowed(site.url("/last/a"), AGENT)
    assert time.monotonic() - started < 5
