"""Everything that a flag's page shows, gathered from the records and the stored text of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.accounts.models import User
from service.audit import Event
from service.clock import SHANGHAI
from service.errors import BadInput, NotFound
from service.fingerprint import Span, normalise, span_edits
from service.licences.sentences import LEAST_SHARE, outcome_text, reason_text, ruling_sentence, taken_text
from service.portal.formats import day, percent, shanghai
from service.sightings import queue
from service.sightings.compare_view import Passage, group_passages, numbers_in, split_segments
from service.sightings.flags import Flag
from service.sightings.models import Match
from service.sightings.paragraph_map import ParagraphMap, map_paragraphs
from service.sightings.review import facts_for
from service.words import word

MOST_CHARACTERS = 60_000
"""Of each text shown; a person compares articles, not archives. What is cut is said on the page."""
MOST_EDITED_SPANS = 300


@dataclass(frozen=True)
class Comparison:
    """Both texts ready to print. `page` is None when the stored text of the page is missing or damaged.

    `linked`: numbers of the passages that both sides show. `rewritten`: how many of them are in other words.
    """

    work: list[list[Passage]]
    page: list[list[Passage]] | None
    drawing: ParagraphMap
    edits: int
    linked: frozenset[int]
    rewritten: int
    is_cut: bool
    page_length: int


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; `shown` is the moment or, where only the day is known, the day."""

    at: datetime
    shown: str
    text: str
    is_now: bool = False


def flag_context(session: Session, flag: Flag, user_id: int) -> dict[str, Any]:
    """The template's values beside the flag itself."""
    match = flag.match
    previous, following = queue.neighbours(session, flag)
    return {
        "match": match,
        "sighting": match.sighting,
        "sentence": ruling_sentence(match),
        "ruling_words": outcome_text(match.ruling.outcome) if match.ruling else _("尚无许可判定"),
        "reasons": [reason_text(reason) for reason in match.ruling.reasons] if match.ruling else [],
        "checks": facts_for(session, flag),
        "taken_of_work": taken_text(match.coverage_of_work, match.rewritten_coverage_of_work),
        "taken_of_page": taken_text(match.coverage_of_page, match.rewritten_coverage_of_page),
        "notes": measure_notes(match),
        "comparison": compare_sides(match),
        "entries": timeline(session, flag),
        "others": queue.same_work(session, flag),
        "permitted": queue.permitted_pages(session, flag.work_id),
        "party": queue.parties_of(session, [flag.page.host]).get(flag.page.host),
        "previous": previous,
        "following": following,
        "is_mine": flag.state == "reviewing" and flag.claimed_by_id == user_id,
        "is_held": flag.state == "reviewing" and flag.claimed_by_id not in (None, user_id),
    }


def measure_notes(match: Match) -> list[str]:
    """What stands beside the shares: quotations counted apart, and the hint that the page may be a summary."""
    notes = []
    if match.quoted_coverage_of_work >= LEAST_SHARE:
        quoted = percent(match.quoted_coverage_of_work)
        notes.append(_("逐字相同的字句中，占本文 %(percent)s 的是双方都注明出处的引语，单独计算。", percent=quoted))
    if match.is_condensed:
        notes.append(_("疑似缩写自本文（仅供参考）。"))
    return notes


def compare_sides(match: Match) -> Comparison:
    """Both texts with their linked passages and underlined edits."""
    work, page = match.version.text, _page_text(match.sighting.text_sha256)
    spans = [[int(edge) for edge in quad] for quad in match.spans] if page is not None else []
    rewritten = [[int(edge) for edge in row[:4]] for row in match.rewritten] if page is not None else []
    edits = _edits(work, page or "", spans)
    ours, theirs = work[:MOST_CHARACTERS], (page or "")[:MOST_CHARACTERS]
    left = group_passages(split_segments(ours, spans, edits, "work", rewritten))
    right = group_passages(split_segments(theirs, spans, edits, "page", rewritten)) if page is not None else None
    linked = frozenset(numbers_in(left) & numbers_in(right or []))
    return Comparison(
        work=left,
        page=right,
        drawing=map_paragraphs(ours, theirs, spans, rewritten, linked=linked),
        edits=len(edits),
        linked=linked,
        rewritten=sum(number > len(spans) for number in linked),
        is_cut=max(len(work), len(page or "")) > MOST_CHARACTERS,
        page_length=sum(not character.isspace() for character in page or ""),
    )


def timeline(session: Session, flag: Flag) -> list[Entry]:
    """What happened, newest first: decisions, scans, both publications, and the dates that the ruling names."""
    sighting, work = flag.match.sighting, flag.work
    entries = [Entry(event.at, shanghai(event.at), text) for event, text in _events(session, flag)]
    if sighting.published_at is not None:
        is_day = sighting.published_precision == "day"
        shown = day(sighting.published_at) if is_day else shanghai(sighting.published_at)
        entries.append(Entry(sighting.published_at, shown, _("对方页面发布（页面自称）")))
    if work.first_published_at is not None:
        entries.append(Entry(work.first_published_at, shanghai(work.first_published_at), _("我方首发")))
    for reason in flag.match.ruling.reasons if flag.match.ruling else []:
        if "on" in reason:
            on = date.fromisoformat(reason["on"])
            entries.append(Entry(_midnight(on), on.isoformat(), reason_text(reason)))
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return [Entry(one.at, one.shown, one.text, is_now=place == 0) for place, one in enumerate(entries)]


def _events(session: Session, flag: Flag) -> list[tuple[Event, str]]:
    """The flag's events with their sentence: what, by whom, why."""
    events = session.scalars(
        select(Event).where(Event.subject_kind == Flag.__tablename__, Event.subject_id == flag.id).order_by(Event.id)
    ).all()
    actors = {event.actor_id for event in events if event.actor_kind == "user"}
    rows = session.execute(select(User.id, User.name, User.email).where(User.id.in_(actors)))
    names = {row.id: row.name or row.email for row in rows}
    told = []
    for event in events:
        parts = [word("verb", event.verb)]
        if event.reason:
            parts.append(_("（%(reason)s）", reason=event.reason))
        who = names.get(event.actor_id) if event.actor_kind == "user" else None
        told.append((event, (f"{who}　" if who else "") + "".join(parts)))
    return told


def _page_text(sha256: str | None) -> str | None:
    """The compared text of the page, None when it is not kept or no longer what was kept."""
    if sha256 is None:
        return None
    try:
        body: bytes = current_app.extensions["yinji_blobs"].get(sha256)
    except (NotFound, BadInput):
        return None
    return body.decode("utf-8", "replace")


def _edits(work: str, page: str, spans: list[list[int]]) -> list[tuple[int, int, int, int]]:
    left, right = normalise(work), normalise(page)
    return [edit for quad in spans[:MOST_EDITED_SPANS] for edit in span_edits(left, right, Span(*quad))]


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), SHANGHAI).astimezone(UTC)
