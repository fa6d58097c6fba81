"""What screening writes: the visit, its capture, matches, rulings and flags. Each may run twice and leaves the same rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from service.audit import WORKER, record
from service.blobs import BlobStore
from service.fingerprint.align import ALIGNMENT
from service.fingerprint.background import BACKGROUND
from service.fingerprint.match import MATCH
from service.fingerprint.rewritten import REWRITTEN
from service.intake.extract import Article
from service.intake.page import Page as FetchedPage
from service.intake.warc import write_capture
from service.licences.rules import RULES_VERSION, Verdict
from service.matching import Measured
from service.sightings.flags import FLAG, Flag
from service.sightings.models import Capture, Match, Ruling, Sighting
from service.states import next_state

NEEDS_EYES = ("out_of_scope", "not_licensed", "exception_likely", "unclear")
"""Every ruling but *permitted* raises a flag: machines record evidence, people decide."""
MATERIAL_CHANGE = 0.2
"""A dismissed flag returns when the copy now carries this much more of the work (share of its characters)."""


def record_visit(session: Session, sighting: Sighting, page: FetchedPage, article: Article | None) -> None:
    """Notes what the visit saw; the page's own statements are cut to their columns."""
    sighting.seen_at = page.fetched_at
    sighting.http_status = page.status
    sighting.content_sha256 = page.sha256
    sighting.page.last_seen_at = page.fetched_at
    if article is not None:
        sighting.title = (article.title or "")[:500]
        sighting.byline = (article.byline or "")[:300]
        sighting.stated_source = (article.stated_source or "")[:300]
        sighting.published_at = article.published_at
        sighting.published_origin = article.published_origin or ""
        sighting.published_precision = article.published_precision or ""


def keep_capture(session: Session, blobs: BlobStore, sighting: Sighting, page: FetchedPage, text: str) -> Capture:
    """Stores the page's bytes as WARC and the compared text as blobs; the same bytes of a page are kept once."""
    sighting.text_sha256 = blobs.put(text.encode("utf-8", "replace"))
    capture = session.scalars(
        select(Capture).where(Capture.page_id == sighting.page_id, Capture.content_sha256 == page.sha256)
    ).first()
    if capture is None:
        warc = write_capture(page)
        capture = Capture(
            page_id=sighting.page_id,
            content_sha256=page.sha256,
            warc_sha256=blobs.put(warc),
            captured_at=page.fetched_at,
            ip=page.ip,
            size_bytes=len(warc),
        )
        session.add(capture)
    sighting.capture = capture
    return capture


def record_match(
    session: Session,
    sighting: Sighting,
    version_id: int,
    measured: Measured,
    is_credited: bool | None,
    algorithm: str,
) -> Match:
    """The match of this sighting with this version: one row, written anew when screening runs again.

    It names what measured it: the fingerprint that found the work (`algorithm`), both aligners, what weighs the words, the
    rules of classification.
    """
    match = session.scalars(
        select(Match)
        .where(Match.sighting_id == sighting.id, Match.version_id == version_id)
        .options(selectinload(Match.ruling))
    ).first() or Match(sighting_id=sighting.id, version_id=version_id)
    match.algorithm = " ".join((algorithm, ALIGNMENT, REWRITTEN, BACKGROUND, MATCH))
    match.kind = measured.kind
    match.coverage_of_work = measured.overlap.coverage
    match.coverage_of_page = measured.overlap.coverage_of_page
    match.longest_run = measured.alignment.longest_run
    match.simhash_distance = measured.distance
    match.is_title_changed = measured.is_title_changed
    match.is_credited = is_credited
    match.spans = measured.spans
    match.rewritten = [
        [one.a_start, one.a_end, one.b_start, one.b_end, round(one.score, 4)] for one in measured.rewritten
    ]
    of_work, of_page = measured.rewritten_coverage
    # Boilerplate counts in these but not in the shares above, so that their sums could pass 1 by a little.
    match.rewritten_coverage_of_work = min(of_work, 1 - match.coverage_of_work)
    match.rewritten_coverage_of_page = min(of_page, 1 - match.coverage_of_page)
    match.quoted_coverage_of_work = measured.quoted_coverage
    match.is_condensed = measured.is_condensed
    session.add(match)
    session.flush()
    return match


def record_ruling(session: Session, match: Match, verdict: Verdict, at: datetime) -> Ruling:
    """The ruling of a match: one row, written anew when the check runs again."""
    ruling = match.ruling or Ruling(match_id=match.id)
    ruling.outcome = verdict.outcome
    ruling.reasons = list(verdict.reasons)
    ruling.licence_id = verdict.licence_id
    ruling.rules_version = RULES_VERSION
    ruling.ruled_at = at
    match.ruling = ruling
    session.flush()
    return ruling


def raise_flag(session: Session, sighting: Sighting, work_id: int, match: Match, ruling: Ruling) -> Flag | None:
    """The flag of this page and work: new, or the one that is there with this match attached. None when permitted.

    Whoever decided is not overruled: a dismissed flag stays dismissed unless the copy changed materially.
    """
    flag = _find(session, sighting.page_id, work_id)
    if flag is None:
        if ruling.outcome not in NEEDS_EYES:
            return None
        flag, is_new = _insert(session, sighting, work_id, match, ruling)
        if is_new:
            return flag
    _attach(session, flag, sighting, match, ruling)
    return flag


def severity_of(match: Match, ruling: Ruling) -> int:
    """0–100, for the order of the queue: how much was taken, how surely without licence, how it was disguised."""
    share = max(match.taken_of_work, min(1.0, match.longest_run / 500))
    weight = {"not_licensed": 20, "out_of_scope": 20, "unclear": 5, "exception_likely": 0, "permitted": 0}
    disguised = 10 * match.is_title_changed + 10 * (match.is_credited is False)
    return min(100, round(60 * share) + weight[ruling.outcome] + disguised)


def _has_grown(before: Match, now: Match) -> bool:
    """The page carries materially more than was decided on. What only a newer algorithm sees is no change of the page."""
    if before.algorithm != now.algorithm:
        return now.coverage_of_work >= before.coverage_of_work + MATERIAL_CHANGE
    return now.taken_of_work >= before.taken_of_work + MATERIAL_CHANGE


def _find(session: Session, page_id: int, work_id: int) -> Flag | None:
    held = select(Flag).where(Flag.page_id == page_id, Flag.work_id == work_id).with_for_update()
    return session.scalars(held).first()


def _insert(session: Session, sighting: Sighting, work_id: int, match: Match, ruling: Ruling) -> tuple[Flag, bool]:
    """A new flag; or, when another worker was first, the one it made."""
    assert sighting.seen_at is not None
    flag = Flag(
        page_id=sighting.page_id,
        work_id=work_id,
        match_id=match.id,
        severity=severity_of(match, ruling),
        first_seen_at=sighting.seen_at,
        last_seen_at=sighting.seen_at,
    )
    try:
        with session.begin_nested():
            session.add(flag)
    except IntegrityError:
        existing = _find(session, sighting.page_id, work_id)
        assert existing is not None
        return existing, False
    record(session, WORKER, "flag.raised", flag, new="new", ruling=ruling.outcome, match=match.id)
    return flag, True


def _attach(session: Session, flag: Flag, sighting: Sighting, match: Match, ruling: Ruling) -> None:
    assert sighting.seen_at is not None
    if flag.match_id == match.id:
        flag.severity = severity_of(match, ruling) if flag.state in ("new", "reviewing", "watching") else flag.severity
        return
    flag.last_seen_at = max(flag.last_seen_at, sighting.seen_at)
    if flag.state in ("new", "reviewing", "watching"):  # a form opened on the old evidence must not decide the new
        flag.match_id, flag.severity = match.id, severity_of(match, ruling)
        flag.revision += 1
        return
    before = flag.match  # decided flags keep the evidence that was decided on
    if flag.state == "dismissed" and ruling.outcome in NEEDS_EYES and _has_grown(before, match):
        flag.state = next_state(FLAG, "dismissed", "return")
        flag.match_id, flag.severity = match.id, severity_of(match, ruling)
        flag.dismiss_reason = None
        flag.revision += 1
        reason = f"copy changed: {before.taken_of_work:.0%} → {match.taken_of_work:.0%} of the work"
        record(session, WORKER, "flag.returned", flag, old="dismissed", new=flag.state, reason=reason)
