"""The reposting sites over HTTP, and the answer key that belongs to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from http.client import HTTPConnection

import pytest

from service.demo.answers import answer_key
from service.demo.newsroom import LICENCES, PARTIES, load_articles
from service.demo.plan import SLOTS, plan_pages
from service.demo.sites import Site, build_sites, serve_site

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
SEED = 20260302
EXPIRED_ON = date(2026, 2, 18)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, tuple[Site, int]]]:
    running = {site.key: (site, *serve_site(site)) for site in build_sites(SEED, NOW)}
    yield {key: (site, port) for key, (site, _, port) in running.items()}
    for _, server, _ in running.values():
        server.shutdown()
        server.server_close()


def _request(port: int, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.getheader("Content-Type", ""), body


def test_every_article_page_is_reached_from_its_index_page_by_http(served: dict[str, tuple[Site, int]]) -> None:
    answers = answer_key(SEED)
    for site, port in served.values():
        status, _, body = _request(port, "/")
        linked = set(re.findall(r'href="(/[^"]+)"', body.decode(site.charset)))
        expected = {answer.path for answer in answers if answer.site == site.key}
        assert status == 200
        assert linked == expected
        for path in expected:
            assert _request(port, path)[0] == 200


def test_each_page_shows_its_title_time_and_paragraphs_in_its_charset(served: dict[str, tuple[Site, int]]) -> None:
    for page in plan_pages(SEED):
        site, port = served[page.site]
        _, content_type, body = _request(port, page.path)
        html = unescape(body.decode(site.charset))
        assert content_type == f"text/html; charset={site.charset}"
        assert f"charset={site.charset}" in html or f'charset="{site.charset}"' in html
        assert page.title in html
        assert f"{page.published_at:%Y-%m-%d %H:%M}" in html
        assert all(line in html for line in page.text.split("\n"))


def test_one_site_is_in_gbk_and_one_in_utf8() -> None:
    assert {site.charset for site in build_sites(SEED, NOW)} == {"gbk", "utf-8"}


def test_head_sends_no_body_and_an_unknown_path_is_404(served: dict[str, tuple[Site, int]]) -> None:
    _, port = served["tutu"]
    assert _request(port, "/", "HEAD")[2] == b""
    assert _request(port, "/nowhere.html")[0] == 404
    assert b"User-agent" in _request(port, "/robots.txt")[2]


def test_the_plan_holds_every_kind_that_the_demo_promises() -> None:
    kinds = Counter(answer.kind for answer in answer_key(SEED))
    assert kinds["innocent"] >= 10
    promised = {"exact", "retitled_noisy", "excerpt", "reordered", "traditional", "credit_removed"}
    assert promised | {"licensed", "licence_expired", "lead_rewritten"} <= set(kinds)


def test_copies_are_dated_after_ours_and_breaches_after_the_licence_ended() -> None:
    works = {work.id: work for work in load_articles()}
    for seed in range(20):
        for page in plan_pages(seed):
            if page.work_id is None:
                continue
            assert page.published_at > works[page.work_id].published_at
            if page.site == "chengu":
                assert page.published_at.date() > EXPIRED_ON


def test_a_licensed_copy_keeps_every_term_of_its_licence() -> None:
    works = {work.id: work for work in load_articles()}
    licence = next(licence for licence in LICENCES if licence.party == "河口融媒")
    for page in plan_pages(SEED):
        if page.kind == "licensed" and page.work_id is not None:
            work = works[page.work_id]
            assert work.outlet in licence.outlets
            assert (page.title, page.source) == (work.title, "雪岭日报")
            assert page.text.startswith(work.text)
            assert licence.credit_text in page.text
            assert licence.valid_from <= page.published_at.date() <= licence.valid_to


def test_every_site_belongs_to_a_party() -> None:
    assert {site.key for site in build_sites(SEED, NOW)} == {party.site for party in PARTIES}


def test_the_same_seed_builds_the_same_bytes_and_another_seed_others() -> None:
    assert build_sites(SEED, NOW) == build_sites(SEED, NOW)
    assert build_sites(SEED, NOW) != build_sites(SEED + 1, NOW)


@pytest.mark.parametrize("key", [slot.key for slot in SLOTS])
def test_leaving_one_page_out_removes_it_alone(key: str) -> None:
    whole, rest = plan_pages(SEED), plan_pages(SEED, omit=key)
    assert set(whole) - set(rest) == {page for page in whole if page.key == key}
    assert len(rest) == len(whole) - 1 == len(answer_key(SEED, omit=key))


def test_leaving_out_a_page_that_is_not_planned_is_an_error() -> None:
    with pytest.raises(ValueError, match="no page"):
        build_sites(SEED, NOW, omit="nothing-1")
