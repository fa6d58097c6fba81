"""The sample newsroom's writing: enough of it, long enough, each article its own."""

from __future__ import annotations

import re
from collections import Counter

from service.demo.newsroom import (
    LICENCES,
    OUTLETS,
    PARTIES,
    Article,
    OtherArticle,
    load_articles,
    load_host_articles,
    load_other_papers,
)
from service.kinds import FORMS

RUN = 15
PRINTED: list[Article | OtherArticle] = [*load_articles(), *load_other_papers()]


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_three_outlets_publish_at_least_thirty_articles_of_real_length() -> None:
    articles = load_articles()
    assert len(articles) >= 30
    assert {article.outlet for article in articles} == {outlet.code for outlet in OUTLETS}
    for article in articles:
        assert 450 <= len(_bare(article.text)) <= 1_100, article.id
        assert 5 <= len(article.text.split("\n")) <= 10, article.id


def test_at_least_twelve_other_papers_report_events_of_ours() -> None:
    ours = {article.id for article in load_articles()}
    others = load_other_papers()
    assert len(others) >= 12
    for other in others:
        assert other.same_event_as in ours
        assert 300 <= len(_bare(other.text)) <= 600, other.id


def test_no_two_texts_share_a_run_of_fifteen_characters() -> None:
    texts = {article.id: article.title + article.text for article in PRINTED}
    texts |= {host.id: host.before + host.after for host in load_host_articles()}
    first_seen: dict[str, str] = {}
    for name, text in texts.items():
        bare = _bare(text)
        for start in range(len(bare) - RUN + 1):
            run = bare[start : start + RUN]
            assert first_seen.setdefault(run, name) == name, (run, first_seen[run], name)


def test_all_writing_can_be_printed_in_gbk() -> None:
    for article in PRINTED:
        (article.title + article.text + article.byline).encode("gbk")


def test_works_have_known_forms_unique_names_and_dates_within_the_season() -> None:
    articles = load_articles()
    assert len({article.id for article in articles}) == len({article.url for article in articles}) == len(articles)
    forms = Counter(article.form for article in articles)
    assert set(forms) <= set(FORMS)
    assert {"text", "photograph", "video", "infographic", "h5", "poster"} <= set(forms)
    for article in articles:
        assert article.published_at.utcoffset() is not None
        assert "2025-10" <= f"{article.published_at:%Y-%m}" <= "2026-03"


def test_every_licence_belongs_to_a_party_and_covers_outlets_with_a_mandate() -> None:
    codes = {outlet.code for outlet in OUTLETS if outlet.mandate.may_sublicense}
    for licence in LICENCES:
        assert licence.party in {party.name for party in PARTIES}
        assert set(licence.outlets) <= codes
