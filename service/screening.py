"""One sighting's life, top to bottom: fetch → quick text → fingerprint → candidates → article → comparison → ruling → flag.

Values flow forward and nothing reaches back. No transaction is open while a page is fetched or compared; what was
found is written in one short transaction at the end. Running it twice leaves the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.blobs import BlobStore
from service.clock import shanghai_date
from service.comparison import Examined, Found, WorkText, examine, likely_candidates
from service.config import Settings
from service.extensions import reading
from service.fingerprint import Candidate, fingerprint_text, normalise
from service.intake.charset import decode_html
from service.intake.extract import Article, quick_text
from service.intake.fetch import fetch_page
from service.intake.page import Page as FetchedPage
from service.licences.facts import is_credited, is_platform, work_facts
from service.licences.operations import licences_for, terms_of
from service.licences.rules import Use, Verdict, check_use
from service.parties.identifiers import host_of
from service.parties.operations import channels_for
from service.sightings.hosts import limits_of
from service.sightings.models import Sighting
from service.sightings.operations import keep_capture, raise_flag, record_match, record_ruling, record_visit
from service.works.index import find_candidates
from service.works.models import Work, WorkVersion

MATCHED_STATES = ("registered", "disputed")
"""Works whose copies are looked for. A disputed work is matched too; its dispute blocks notices, not evidence."""


def screen_sighting(
    session: Session,
    sighting_id: int,
    *,
    settings: Settings,
    blobs: BlobStore,
    client: httpx2.Client | None = None,
) -> str:
    """Visits the sighting's page and writes what was found; returns the outcome (no_match, permitted, flagged).

    Raises FetchFailed when the page could not be had.
    """
    with reading(session):
        url = session.get_one(Sighting, sighting_id).page.canonical_url
    page = fetch_page(url, limits_of(settings), client=client)
    html, _, _ = decode_html(page.body, page.content_type)
    visible = quick_text(html)
    fingerprint = fingerprint_text(visible)
    with reading(session):
        candidates = [] if fingerprint is None else find_candidates(session, fingerprint)
    likely = likely_candidates(normalise(visible), candidates)
    with reading(session):
        works = load_works(session, likely)
    examined = examine(html, visible, page.url, likely, lambda _: works)
    return write_findings(session, blobs, sighting_id, page, examined)


def load_works(session: Session, candidates: Sequence[Candidate]) -> list[WorkText]:
    """The candidates' texts, of works in force only, in one query."""
    chosen = {one.version_id: one for one in candidates}
    if not chosen:
        return []
    rows = session.execute(
        select(WorkVersion.id, WorkVersion.text, Work.id, Work.title)
        .join(Work, Work.id == WorkVersion.work_id)
        .where(WorkVersion.id.in_(chosen), WorkVersion.is_current, Work.state.in_(MATCHED_STATES))
    )
    return [
        WorkText(version_id, work_id, title, text, chosen[version_id].distance)
        for version_id, text, work_id, title in rows
    ]


def write_findings(session: Session, blobs: BlobStore, sighting_id: int, page: FetchedPage, examined: Examined) -> str:
    """Writes the visit, and for each work found its match, ruling and flag; returns the sighting's outcome."""
    sighting = session.get_one(Sighting, sighting_id)
    article = examined.article
    record_visit(session, sighting, page, article)
    outcome = "no_match"
    if article is not None and examined.found:
        keep_capture(session, blobs, sighting, page, article.text)
        for one in examined.found:
            verdict, credited = rule(session, sighting, one, article, examined.visible, host_of(page.url))
            match = record_match(session, sighting, one.work.version_id, one.measured, credited)
            ruling = record_ruling(session, match, verdict, page.fetched_at)
            raise_flag(session, sighting, one.work.work_id, match, ruling)
            if outcome != "flagged":
                outcome = "permitted" if verdict.outcome == "permitted" else "flagged"
    sighting.outcome, sighting.reason = outcome, ""
    session.flush()
    return outcome


def rule(
    session: Session, sighting: Sighting, found: Found, article: Article, visible: str, host: str
) -> tuple[Verdict, bool | None]:
    """The licence check of one match, from stored facts as of the day of the use; `host` is where the page was found."""
    assert sighting.seen_at is not None
    work = session.get_one(Work, found.work.work_id, options=[joinedload(Work.outlet)])
    channels = channels_for(session, host)
    party = channels[0].party if channels else None
    licences = licences_for(session, party.id if party else None)
    credited = is_credited(work, article.stated_source, visible, [licence.credit_text for licence in licences])
    published_on = shanghai_date(sighting.published_at) if sighting.published_at else None
    seen_on = shanghai_date(sighting.seen_at)
    use = Use(
        kind=found.measured.kind,
        party_id=party.id if party else None,
        channel_ids=frozenset(channel.id for channel in channels if channel.party is party),
        channel_kind="domain",
        relation=party.relation if party else None,
        published_on=published_on,
        seen_on=seen_on,
        is_credited=credited,
        is_title_changed=found.measured.is_title_changed,
        is_on_platform=is_platform(host),
    )
    facts = work_facts(session, work, sighting.published_at, sighting.published_precision, published_on or seen_on)
    return check_use(use, [terms_of(licence) for licence in licences], facts), credited
