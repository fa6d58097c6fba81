"""Screening from bytes to flag on both databases, without a network: what is written, and that twice is once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.audit import CLI
from service.blobs import BlobStore, open_store
from service.comparison import examine, likely_candidates
from service.demo.newsroom import load_articles, load_host_articles, load_other_papers
from service.fingerprint import fingerprint_text, normalise
from service.intake.extract import quick_text
from service.intake.page import Page
from service.licences.facts import HISTORIC_SWITCH
from service.licences.operations import set_switch
from service.offline import read_works
from service.outlets.models import Outlet
from service.screening import examine_page, find_likely, screen_page
from service.sightings.flags import Flag
from service.sightings.models import Capture, Match, Ruling, Sighting
from service.sightings.models import Page as PageRow
from service.works import index
from service.works.models import Work
from service.works.operations import change_work_state
from tests.factories import (
    NOW,
    make_channel,
    make_licence,
    make_mandate,
    make_outlet,
    make_page,
    make_party,
    make_reservation,
    make_sighting,
    make_work,
)
from tests.pages import FETCHED_AT, page_of
from tests.rewriting import REPORT, RETOLD

ARTICLE = load_articles()[0]
URL = "https://copy.example/a/1.html"


@pytest.fixture
def blobs(tmp_path: Any) -> BlobStore:
    return open_store(str(tmp_path / "blobs"))


@pytest.fixture
def outlet(any_session: Session) -> Outlet:
    """An outlet whose work is registered, mandated and reserved, with the historic licences loaded."""
    outlet = make_outlet(any_session, name="雪岭日报")
    make_mandate(any_session, outlet)
    make_reservation(any_session)
    make_work(any_session, ARTICLE.text, outlet=outlet, title=ARTICLE.title)
    set_switch(any_session, CLI, HISTORIC_SWITCH, True, NOW)
    any_session.commit()
    return outlet


def html_of(
    text: str, *, title: str = ARTICLE.title, when: str = "2026-03-05 09:00", source: str = "综合网络"
) -> bytes:
    body = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    credit = f"来源：{source}" if source else ""
    return (
        f"<html><head><meta charset='utf-8'><title>{title}</title></head><body><h1>{title}</h1>"
        f"<div class='info'>{when}　{credit}</div><article>{body}</article></body></html>"
    ).encode()


def screen(session: Session, blobs: BlobStore, sighting_id: int, page: Page) -> str:
    """What `screen_sighting` does with a page that was fetched."""
    outcome = screen_page(session, sighting_id, page, blobs=blobs)
    session.commit()
    return outcome


def visit(session: Session, blobs: BlobStore, body: bytes, url: str = URL) -> tuple[str, Sighting]:
    """A first visit of a page with this body."""

    row = session.scalars(select(PageRow).where(PageRow.canonical_url == url)).first() or make_page(session, url)
    sighting = make_sighting(session, row)
    session.commit()
    return screen(session, blobs, sighting.id, page_of(url, body)), sighting


def the_flag(session: Session) -> Flag:
    return session.scalars(select(Flag)).one()


def test_an_unlicensed_copy_is_flagged_with_match_ruling_and_capture(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    outcome, sighting = visit(any_session, blobs, html_of(ARTICLE.text))
    flag = the_flag(any_session)
    assert (outcome, flag.state, flag.page_id) == ("flagged", "new", sighting.page_id)
    assert flag.match.kind == "full" and flag.match.coverage_of_work > 0.95 and flag.match.is_credited is not True
    assert flag.match.ruling is not None and flag.match.ruling.outcome == "not_licensed"
    assert sighting.published_at is not None and sighting.capture is not None
    text = blobs.get(sighting.text_sha256 or "").decode()
    work_start, work_end, page_start, page_end = flag.match.spans[0]
    assert text[page_start:page_end].replace("\n", "") == ARTICLE.text[work_start:work_end].replace("\n", "")
    assert blobs.has(sighting.capture.warc_sha256)


def test_screening_a_sighting_twice_leaves_the_same_rows(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    _, sighting = visit(any_session, blobs, html_of(ARTICLE.text))
    assert screen(any_session, blobs, sighting.id, page_of(URL, html_of(ARTICLE.text))) == "flagged"
    for model in (Match, Ruling, Flag, Capture):
        assert any_session.scalar(select(func.count()).select_from(model)) == 1


def test_a_later_sighting_attaches_to_the_flag_and_a_dismissed_one_stays_dismissed(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    visit(any_session, blobs, html_of(ARTICLE.text))
    flag = the_flag(any_session)
    first_match = flag.match_id
    flag.state, flag.dismiss_reason = "dismissed", "exception"
    any_session.commit()
    outcome, _ = visit(any_session, blobs, html_of(ARTICLE.text + "\n转自网络。"))
    flag = the_flag(any_session)
    assert outcome == "flagged" and flag.match_id == first_match and flag.state == "dismissed"
    assert any_session.scalar(select(func.count()).select_from(Match)) == 2


def test_a_dismissed_flag_returns_when_the_copy_grew_materially(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    half = "\n".join(ARTICLE.text.split("\n")[:3])
    visit(any_session, blobs, html_of(half))
    flag = the_flag(any_session)
    flag.state, flag.dismiss_reason = "dismissed", "exception"
    any_session.commit()
    visit(any_session, blobs, html_of(ARTICLE.text))
    assert the_flag(any_session).state == "new"


def test_a_licensed_repost_raises_no_flag_and_keeps_its_match(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    party = make_party(any_session)
    make_channel(any_session, "copy.example", party=party)
    any_session.refresh(party)
    make_licence(any_session, party=party, outlets=[outlet])
    outcome, sighting = visit(any_session, blobs, html_of(ARTICLE.text, source="雪岭日报"))
    assert outcome == "permitted"
    assert any_session.scalars(select(Flag)).all() == []
    assert [match.ruling.outcome for match in sighting.matches if match.ruling] == ["permitted"]


def test_the_credit_line_that_the_licence_asks_for_is_credit_whatever_it_names(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    party = make_party(any_session)
    make_channel(any_session, "copy.example", party=party)
    any_session.refresh(party)
    make_licence(any_session, party=party, outlets=[outlet], credit_text="本文由雪岭网授权刊载")
    assert visit(any_session, blobs, html_of(ARTICLE.text, source="雪岭网"))[0] == "flagged"
    credited = html_of(ARTICLE.text + "\n（本文由雪岭网授权刊载）", source="雪岭网")
    assert visit(any_session, blobs, credited, URL + "?p=2")[0] == "permitted"


def test_without_the_switch_everything_is_unclear(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:
    set_switch(any_session, CLI, HISTORIC_SWITCH, False, NOW)
    visit(any_session, blobs, html_of(ARTICLE.text))
    ruling = the_flag(any_session).match.ruling
    assert ruling is not None and ruling.outcome == "unclear"
    assert ruling.reasons[0]["code"] == "historic_not_loaded"


@pytest.mark.parametrize(
    ("when", "code"),
    [("", "page_date_unknown"), ("2026-03-01 08:00", "they_published_first"), ("2026-03-02", "order_unknown")],
)
def test_a_missing_or_earlier_date_is_unclear_never_an_accusation(
    any_session: Session, blobs: BlobStore, outlet: Outlet, when: str, code: str
) -> None:
    visit(any_session, blobs, html_of(ARTICLE.text, when=when))
    ruling = the_flag(any_session).match.ruling
    assert ruling is not None and ruling.outcome == "unclear"
    assert code in [reason["code"] for reason in ruling.reasons]


def test_our_own_channel_is_never_flagged(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:
    party = make_party(any_session, relation="own", outlet=outlet)
    make_channel(any_session, "outlet.example", party=party)
    outcome, _ = visit(any_session, blobs, html_of(ARTICLE.text), "https://www.outlet.example/1.html")
    assert outcome == "permitted" and any_session.scalars(select(Flag)).all() == []


def test_an_independent_report_of_the_same_event_is_no_match(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    other = load_other_papers()[0]
    ours = next(one for one in load_articles() if one.id == other.same_event_as)
    make_work(any_session, ours.text, outlet=outlet, title=ours.title)
    any_session.commit()
    outcome, sighting = visit(any_session, blobs, html_of(other.text, title=other.title))
    assert outcome == "no_match" and sighting.capture is None


def test_a_withdrawn_work_is_no_longer_matched(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:

    work = any_session.scalars(select(Work)).one()
    change_work_state(any_session, CLI, work, "withdraw", "撤稿")
    any_session.commit()
    assert visit(any_session, blobs, html_of(ARTICLE.text))[0] == "no_match"


def test_a_work_registered_later_is_found_at_once(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:
    second = load_articles()[7]
    assert visit(any_session, blobs, html_of(second.text, title=second.title))[0] == "no_match"
    make_work(any_session, second.text, outlet=outlet, title=second.title)
    any_session.commit()
    assert visit(any_session, blobs, html_of(second.text, title=second.title))[0] == "flagged"


def test_a_work_told_in_other_words_is_flagged(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:
    work = make_work(any_session, REPORT, outlet=outlet, title="供暖")
    any_session.commit()
    outcome, _ = visit(any_session, blobs, retold())
    flag = the_flag(any_session)
    assert (outcome, flag.work_id, flag.match.kind) == ("flagged", work.id, "modified")
    assert flag.match.rewritten and flag.match.rewritten_coverage_of_work > 0.2


def retold() -> bytes:
    return html_of(f"{RETOLD}\n{load_host_articles()[0].before}", title="检修")


@pytest.mark.parametrize("is_built", [False, True], ids=["no snapshot", "snapshot"])
def test_a_scan_judges_as_the_screening_of_files_does(
    any_session: Session, outlet: Outlet, tmp_path: Path, is_built: bool
) -> None:
    """The same candidates, and shared words weighed by the same registry."""
    texts = [ARTICLE.text, REPORT, *(one.text for one in load_articles()[1:])]
    for text in texts[1:]:
        make_work(any_session, text, outlet=outlet)
    any_session.commit()
    if is_built:
        index.rebuild(any_session, current_app.config["YINJI"])
    file = tmp_path / "works.jsonl"
    rows = ({"id": str(number), "title": f"第{number}篇", "text": text} for number, text in enumerate(texts))
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    registry = read_works(file)

    html = retold().decode()
    visible = quick_text(html)
    likely = likely_candidates(normalise(visible), registry.find(fingerprint_text(visible)))
    by_file = examine(html, visible, None, likely, registry.load, background=registry.background)
    by_scan = examine_page(any_session, html, visible, None, find_likely(any_session, visible).candidates)
    unweighed = examine(html, visible, None, likely, registry.load)
    scores = [[one.score for one in each.found[0].measured.rewritten] for each in (by_file, by_scan, unweighed)]
    assert scores[0] == scores[1] != scores[2]
    assert [one.work.text for one in by_scan.found] == [one.work.text for one in by_file.found] == [REPORT]


def test_seen_times_follow_the_visits(any_session: Session, blobs: BlobStore, outlet: Outlet) -> None:
    visit(any_session, blobs, html_of(ARTICLE.text))
    sighting = make_sighting(any_session, the_flag(any_session).page)
    any_session.commit()
    later = FETCHED_AT + timedelta(days=3)
    screen(any_session, blobs, sighting.id, page_of(URL, html_of(ARTICLE.text), fetched_at=later))
    flag = the_flag(any_session)
    assert (flag.first_seen_at, flag.last_seen_at) == (FETCHED_AT, later)


def test_a_redirect_is_ruled_by_the_site_that_it_leads_to(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    party = make_party(any_session, relation="own", outlet=outlet)
    make_channel(any_session, "outlet.example", party=party)
    sighting = make_sighting(any_session, make_page(any_session, URL))
    any_session.commit()
    arrived = page_of("https://www.outlet.example/1.html", html_of(ARTICLE.text))
    assert screen(any_session, blobs, sighting.id, arrived) == "permitted"


def test_new_evidence_makes_an_open_form_stale_and_leaves_a_decision_alone(
    any_session: Session, blobs: BlobStore, outlet: Outlet
) -> None:
    visit(any_session, blobs, html_of(ARTICLE.text))
    flag = the_flag(any_session)
    revision, match_id = flag.revision, flag.match_id
    visit(any_session, blobs, html_of(ARTICLE.text + "\n转自网络。"))
    flag = the_flag(any_session)
    assert flag.revision == revision + 1 and flag.match_id != match_id
    flag.state, match_id = "confirmed", flag.match_id
    any_session.commit()
    visit(any_session, blobs, html_of(ARTICLE.text + "\n又转。"))
    assert (the_flag(any_session).state, the_flag(any_session).match_id) == ("confirmed", match_id)
