"""The quick way and the slow way of reading a page: the same works must be found, and few pages read carefully."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.comparison import Found, WorkText, examine, find_works, likely_candidates
from service.demo.answers import answer_key
from service.demo.newsroom import load_articles, load_host_articles, load_other_papers
from service.demo.sites import build_sites
from service.fingerprint import Candidate, fingerprint_text, normalise
from service.intake.charset import decode_html
from service.intake.extract import extract_article, quick_text
from service.offline import Registry, read_works
from tests.factories import NOW
from tests.rewriting import REPORT, RETOLD

Shape = dict[int, tuple[str, float, list[list[int]], list[tuple[int, int, int, int]]]]
"""Work → kind, share of identical text, spans of it, and rewritten passages."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    path: Path = tmp_path_factory.mktemp("registry") / "works.jsonl"
    rows = [{"id": one.id, "title": one.title, "text": one.text} for one in load_articles()]
    rows.append({"id": "report", "title": "供暖", "text": REPORT})
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return read_works(path)


def every_work(registry: Registry) -> list[WorkText]:
    return [WorkText(number, number, work.title, work.text, None) for number, work in enumerate(registry.works)]


def quick_way(registry: Registry, html: str) -> tuple[Shape, bool]:
    """What screening finds, and whether it read the article."""
    visible = quick_text(html)
    likely = likely_candidates(normalise(visible), registry.find(fingerprint_text(visible)))
    examined = examine(html, visible, None, likely, registry.load)
    return shape_of(examined.found), examined.article is not None


def shape_of(found: Sequence[Found]) -> Shape:
    return {
        one.work.work_id: (
            one.measured.kind,
            one.measured.overlap.coverage,
            one.measured.spans,
            [passage.quad for passage in one.measured.rewritten],
        )
        for one in found
    }


def slow_way(registry: Registry, html: str) -> Shape:
    """The article of the page against every work there is: no index, no cheap test."""
    article = extract_article(html)
    return shape_of(find_works(article.text, article.title or "", every_work(registry)))


@pytest.mark.parametrize("seed", [1, 7, 20])
def test_the_quick_way_finds_what_the_slow_way_finds_and_reads_only_copies(registry: Registry, seed: int) -> None:
    copies = {(one.site, one.path) for one in answer_key(seed) if one.work_id is not None}
    read, found = set(), set()
    for site in build_sites(seed, NOW):
        for path, (body, content_type) in site.pages.items():
            html, _, _ = decode_html(body, content_type)
            quick, is_read = quick_way(registry, html)
            assert quick == slow_way(registry, html), (seed, site.key, path)
            read |= {(site.key, path)} if is_read else set()
            found |= {(site.key, path)} if quick else set()
    assert found == copies
    assert len(read - copies) <= 1


def page_of(text: str) -> str:
    filler = "".join(f"<li>{one.title}</li>" for one in load_other_papers()[:8])
    body = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    return f"<html><body><ul>{filler}</ul><h1>街谈</h1><article>{body}</article><ul>{filler}</ul></body></html>"


@pytest.mark.parametrize("number", range(0, 30, 5))
def test_small_parts_of_a_work_inside_another_article_are_found_both_ways(registry: Registry, number: int) -> None:
    work, host = registry.works[number], load_host_articles()[number % len(load_host_articles())]
    paragraphs = work.text.split("\n")
    html = page_of("\n".join((host.before, *paragraphs[1:3], host.after)))
    quick, _ = quick_way(registry, html)
    assert number in quick
    assert quick == slow_way(registry, html)


def test_a_work_told_in_other_words_is_found_both_ways(registry: Registry) -> None:
    number = len(registry.works) - 1
    html = page_of(f"{RETOLD}\n{load_host_articles()[0].before}")
    quick, _ = quick_way(registry, html)
    assert quick == slow_way(registry, html)
    kind, _, _, rewritten = quick[number]
    assert kind == "modified" and rewritten


def test_a_page_without_candidates_is_not_read_and_asks_for_no_text(registry: Registry) -> None:
    def load(_: Sequence[Candidate]) -> list[WorkText]:
        raise AssertionError("asked for a text")

    html = page_of(load_other_papers()[0].text)
    assert examine(html, quick_text(html), None, [], load).article is None


def test_a_work_that_is_no_longer_in_force_is_not_compared(registry: Registry) -> None:
    html = page_of(registry.works[0].text)
    visible = quick_text(html)
    likely = likely_candidates(normalise(visible), registry.find(fingerprint_text(visible)))
    assert likely
    examined = examine(html, visible, None, likely, lambda _: [])
    assert examined.article is None and examined.found == []
