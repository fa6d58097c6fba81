"""One sighting's life, top to bottom: fetch → quick text → fingerprint → candidates → article → comparison → ruling → flag.

Values flow forward and nothing reaches back. No transaction is open while a page is fetched or compared; what was
found is written in one short transaction at the end. Running it twice leaves the same rows.

Where the index is larger than one machine, the candidates come from several (`search_partition`), and the rest follows
when all have answered (`conclude_sighting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service.blobs import BlobStore
from service.clock import shanghai_date
from service.comparison import Examined, Found, WorkText, examine, likely_candidates
from service.config import Settings
from service.extensions import reading
from service.fingerprint import Candidate, normalise
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
from service.sightings.partitions import (
    answered_candidates,
    enqueue_conclusion,
    held_page,
    hold_page,
    note_answer,
    release_page,
)
from service.works.fingerprints import active_algorithm, fingerprinter
from service.works.index import (
    background,
    check_ready,
    count_partitions,
    find_candidates,
    search_algorithm,
    searches_all,
)
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

    Where this machine does not search all partitions of the index, the page is held for those that do, and its outcome
    stays *pending*. Raises FetchFailed when the page could not be had, IndexNotReady (see `check_index`).
    """
    with reading(session):
        url = session.get_one(Sighting, sighting_id).page.canonical_url
    page = fetch_page(url, limits_of(settings), client=client)
    with reading(session):
        others = 0 if searches_all(session, settings) else count_partitions(session)
    if others:
        hold_page(session, sighting_id, page, others, settings.index_partition_works)
        return "pending"
    return screen_page(session, sighting_id, page, blobs=blobs)


def screen_page(session: Session, sighting_id: int, page: FetchedPage, *, blobs: BlobStore) -> str:
    """The same for a page that was fetched, on a machine that searches all partitions. Raises IndexNotReady."""
    html, visible = read_html(page)
    likely = find_likely(session, visible)
    examined = examine_page(session, html, visible, page.url, likely.candidates)
    return write_findings(session, blobs, sighting_id, page, examined, likely.algorithm)


def check_index(session: Session, settings: Settings) -> None:
    """Returns when a page could be searched at once: so that none is fetched in vain. Raises IndexNotReady."""
    if searches_all(session, settings):
        check_ready(session)


def search_partition(session: Session, sighting_id: int, token: str, partition: int, *, blobs: BlobStore) -> None:
    """Looks for a held page's candidates in one partition; who gives the last answer sees to the conclusion.

    A page for which no partition has anything is concluded at once. Raises IndexNotReady.
    """
    with reading(session):
        held = held_page(session, sighting_id, token)
        if held is None:
            return
        held_id, page = held[0].id, held[1]
    _, visible = read_html(page)
    likely = find_likely(session, visible, partition)
    if not note_answer(session, sighting_id, token, partition, likely.candidates):
        return
    if likely.candidates or answered_candidates(session, held_id):
        enqueue_conclusion(session, sighting_id, token)
    elif release_page(session, held_id):
        write_findings(session, blobs, sighting_id, page, Examined(visible, None, []), likely.algorithm)


def conclude_sighting(session: Session, sighting_id: int, token: str, *, blobs: BlobStore) -> None:
    """Compares a held page with what all partitions found; writes the findings and lets the page go, in one transaction.

    A page that was concluded already is left alone.
    """
    with reading(session):
        held = held_page(session, sighting_id, token)
        if held is None:
            return
        held_id, page = held[0].id, held[1]
        likely = answered_candidates(session, held_id)
        algorithm = active_algorithm(session)
    html, visible = read_html(page)
    examined = examine_page(session, html, visible, page.url, likely)
    if release_page(session, held_id):
        write_findings(session, blobs, sighting_id, page, examined, algorithm)


def read_html(page: FetchedPage) -> tuple[str, str]:
    """The page's markup and all its visible text."""
    html, _, _ = decode_html(page.body, page.content_type)
    return html, quick_text(html)


@dataclass(frozen=True)
class Likely:
    """The candidates that passed the cheap test, and the fingerprint algorithm that found them."""

    algorithm: str
    candidates: list[Candidate]


def find_likely(session: Session, visible: str, partition: int | None = None) -> Likely:
    """The candidates that passed the cheap test on all visible text; a text too short to judge has none.

    Of all partitions that this machine searches, or of one. Most pages end here. Leaves no transaction open. Raises
    IndexNotReady.
    """
    text = normalise(visible)
    with reading(session):
        algorithm = search_algorithm(session)
        fingerprint = fingerprinter(algorithm)(text)
        found = [] if fingerprint is None else find_candidates(session, fingerprint, partition)
    return Likely(algorithm, likely_candidates(text, found))


def examine_page(session: Session, html: str, visible: str, url: str | None, likely: Sequence[Candidate]) -> Examined:
    """The page against its candidates, each shared word weighed by how common it is in the registry."""
    weights = background(session) if likely else None
    return examine(html, visible, url, likely, partial(load_works, session), background=weights)


def load_works(session: Session, candidates: Sequence[Candidate]) -> list[WorkText]:
    """The candidates' texts, of works in force only, in one query of its own."""
    distances = {one.version_id: one.distance for one in candidates}
    with reading(session):
        rows = session.execute(
            select(WorkVersion.id, Work.id, Work.title, WorkVersion.text)
            .join(Work, Work.id == WorkVersion.work_id)
            .where(WorkVersion.id.in_(distances), WorkVersion.is_current, Work.state.in_(MATCHED_STATES))
            .order_by(WorkVersion.id)
        ).all()
    return [
        WorkText(version_id, work_id, title, text, distances[version_id]) for version_id, work_id, title, text in rows
    ]


def write_findings(
    session: Session, blobs: BlobStore, sighting_id: int, page: FetchedPage, examined: Examined, algorithm: str
) -> str:
    """Writes the visit, and for each work found its match, ruling and flag; returns the sighting's outcome.

    `algorithm`: the fingerprint that found the works.
    """
    sighting = session.get_one(Sighting, sighting_id)
    article = examined.article
    record_visit(session, sighting, page, article)
    outcome = "no_match"
    if article is not None and examined.found:
        keep_capture(session, blobs, sighting, page, article.text)
        for one in examined.found:
            verdict, credited = rule(session, sighting, one, article, examined.visible, host_of(page.url))
            match = record_match(session, sighting, one.work.version_id, one.measured, credited, algorithm)
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
