"""What can be done with works. One path registers, for a single form as for a file of a million rows: `register_works`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from service.audit import Actor, Event, record
from service.clock import shanghai_date
from service.errors import BadInput, IllegalTransition
from service.fingerprint import Fingerprint, fingerprint_text, normalise, to_signed64
from service.intake.links import canonicalise_url
from service.kinds import FORMS
from service.outlets.models import Mandate, Outlet, Reservation
from service.outlets.operations import pick_mandate, pick_reservation
from service.states import next_state
from service.works.models import Publication, Work, WorkFingerprint, WorkVersion
from service.works.rows import MAX_TEXT_CHARACTERS, check_characters, count_characters
from service.works.transitions import NAMES, WORK

AMENDABLE = ("draft", "submitted", "returned", "registered", "disputed")
REGISTRATION = ("submit", "register")
"""The steps that registering takes from a draft; each leaves its event."""
NEEDS_REASON = ("return", "refuse", "dispute", "withdraw", "cancel")


@dataclass(frozen=True)
class WorkDraft:
    """What a registrar states about a work. "" and None mean *not stated*; `url` must be http(s)."""

    outlet: Outlet
    title: str
    text: str
    external_id: str | None = None
    url: str = ""
    published_at: datetime | None = None
    byline: str = ""
    form: str = ""
    subtitle: str = ""
    edition_page: str = ""
    authorship: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Registered:
    """What became of a draft. `created` is False when the outlet had this external id; `amended` names the fields that
    then changed. `duplicate_of` is the work with the same text that was registered first.
    """

    work: Work
    duplicate_of: Work | None
    created: bool
    amended: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Measured:
    """A draft with what is computed from it."""

    draft: WorkDraft
    canonical_url: str | None
    sha256: str
    normalised_sha256: str
    fingerprint: Fingerprint | None


def register_work(session: Session, actor: Actor, draft: WorkDraft, at: datetime) -> Registered:
    """Registers one work, or amends the one that its outlet registered under the same external id.

    Raises BadInput (title, text, url, form), and IllegalTransition when the earlier work can no longer be amended.
    """
    return register_works(session, actor, [draft], at)[0]


def register_works(session: Session, actor: Actor, drafts: Sequence[WorkDraft], at: datetime) -> list[Registered]:
    """The same for many at once, in their order; a handful of queries for all of them together.

    No two drafts may share outlet and external id. Nothing is written when one of them is unfit.
    """
    measured = [_measure(draft) for draft in drafts]
    known = _known_works(session, drafts)
    for draft in drafts:
        if (work := known.get((draft.outlet.id, draft.external_id))) is not None:
            _check_amendable(work, draft)
    originals = _originals(session, [one.normalised_sha256 for one in measured])
    grounds = {outlet.id: _grounds(session, outlet) for outlet in {draft.outlet for draft in drafts}}
    results: list[Registered] = []
    created: list[Work] = []
    for one in measured:
        work = known.get((one.draft.outlet.id, one.draft.external_id))
        original = originals.get(one.normalised_sha256)
        if work is not None:
            amended = _amend(session, actor, work, one, original, at)
            results.append(Registered(work, work.same_text_as, False, amended))
        else:
            work = _create(one, original, *grounds[one.draft.outlet.id], at)
            created.append(work)
            results.append(Registered(work, original, True))
        originals.setdefault(one.normalised_sha256, work)
    session.add_all(created)
    session.flush()
    _record_registrations(session, actor, created, at)
    return results


def amend_work(
    session: Session, actor: Actor, work: Work, draft: WorkDraft, at: datetime, reason: str = ""
) -> tuple[str, ...]:
    """变更登记: brings the work to what the draft states and names the fields that changed; () when none did.

    A changed text becomes a new version; the work stays registered and matched. What the draft does not state stays.
    Raises BadInput, and IllegalTransition when the work can no longer be amended.
    """
    one = _measure(draft)
    _check_amendable(work, draft)
    original = _originals(session, [one.normalised_sha256]).get(one.normalised_sha256)
    return _amend(session, actor, work, one, original, at, reason)


def change_work_state(session: Session, actor: Actor, work: Work, action: str, reason: str = "") -> Work:
    """Takes one step of the table of states, with its event.

    Raises IllegalTransition, and BadInput (reason) when a step against the work gives no reason.
    """
    if action in NEEDS_REASON and not reason.strip():
        raise BadInput("请写明理由。", "reason")
    old, work.state = work.state, next_state(WORK, work.state, action)
    record(session, actor, f"work.{action}", work, old=old, new=work.state, reason=reason.strip())
    return work


def _measure(draft: WorkDraft) -> _Measured:
    """Hashes and fingerprint of a draft. Raises BadInput where a value cannot be kept."""
    for field, limit in (("title", 500), ("byline", 300), ("url", 2048), ("text", MAX_TEXT_CHARACTERS)):
        value = getattr(draft, field)
        check_characters(value, field)
        if len(value) > limit:
            raise BadInput(f"{field}: at most {limit} characters", field)
    if not draft.title.strip():
        raise BadInput("标题不能为空。", "title")
    if draft.form and draft.form not in FORMS:
        raise BadInput("没有这种作品形式。", "form")
    normalised = normalise(draft.text)
    if not len(normalised):
        raise BadInput("正文不能为空，且应含有文字。", "text")
    return _Measured(
        draft=draft,
        canonical_url=canonicalise_url(draft.url) if draft.url else None,
        sha256=hashlib.sha256(draft.text.encode()).hexdigest(),
        normalised_sha256=hashlib.sha256(normalised.text.encode()).hexdigest(),
        fingerprint=fingerprint_text(normalised),
    )


def _known_works(session: Session, drafts: Sequence[WorkDraft]) -> dict[tuple[int, str | None], Work]:
    """The works that these outlets registered under these external ids, with versions and publications."""
    ids = {draft.external_id for draft in drafts} - {None}
    outlets = {draft.outlet.id for draft in drafts}
    found = session.scalars(
        select(Work)
        .where(Work.outlet_id.in_(outlets), Work.external_id.in_(ids))
        .options(
            selectinload(Work.versions).defer(WorkVersion.text),
            selectinload(Work.publications),
            joinedload(Work.same_text_as),
        )
    )
    return {(work.outlet_id, work.external_id): work for work in found}


def _originals(session: Session, hashes: Sequence[str]) -> dict[str, Work]:
    """Normalised text hash → the first registered work with that text."""
    rows = session.execute(
        select(WorkVersion.normalised_sha256, Work)
        .join(Work, Work.id == WorkVersion.work_id)
        .where(WorkVersion.normalised_sha256.in_(hashes))
        .order_by(Work.id.desc())
    )
    return {row[0]: row[1] for row in rows}  # the smallest id comes last and stays


def _grounds(session: Session, outlet: Outlet) -> tuple[list[Mandate], list[Reservation]]:
    """The outlet's mandates, and the statements that concern it."""
    concerned = or_(Reservation.outlet_id == outlet.id, Reservation.outlet_id.is_(None))
    return (
        list(session.scalars(select(Mandate).where(Mandate.outlet_id == outlet.id))),
        list(session.scalars(select(Reservation).where(concerned))),
    )


def _create(
    one: _Measured, original: Work | None, mandates: list[Mandate], reservations: list[Reservation], at: datetime
) -> Work:
    """A registered work with its version, fingerprint and publication. Mandate and statement are those of the day of
    publication; where that day is unknown, so are they.
    """
    draft = one.draft
    form = FORMS[draft.form or "text"]
    day = shanghai_date(draft.published_at) if draft.published_at else None
    work = Work(
        outlet_id=draft.outlet.id,
        external_id=draft.external_id,
        state="registered",
        title=draft.title,
        subtitle=draft.subtitle,
        form=form.code,
        category=form.category,
        byline=draft.byline,
        owner=draft.owner,
        authorship=draft.authorship or "unknown",
        mandate=pick_mandate(mandates, form.code, day) if day else None,
        reservation=pick_reservation(reservations, day) if day else None,
        same_text_as=original,
        first_published_at=draft.published_at,
        created_at=at,
        versions=[_version(one, 1, at)],
    )
    if one.canonical_url or draft.published_at or draft.edition_page:
        work.publications.append(_publication(one))
    return work


def _version(one: _Measured, number: int, at: datetime) -> WorkVersion:
    return WorkVersion(
        number=number,
        text=one.draft.text,
        length_chars=count_characters(one.draft.text),
        sha256=one.sha256,
        normalised_sha256=one.normalised_sha256,
        created_at=at,
        fingerprints=[_fingerprint_row(one.fingerprint)] if one.fingerprint else [],
    )


def _fingerprint_row(fingerprint: Fingerprint) -> WorkFingerprint:
    return WorkFingerprint(
        algorithm=fingerprint.algorithm,
        length_chars=fingerprint.length,
        simhash=to_signed64(fingerprint.simhash),
        winnow=fingerprint.to_bytes(),
    )


def _publication(one: _Measured) -> Publication:
    return Publication(
        outlet_id=one.draft.outlet.id,
        url=one.draft.url or None,
        canonical_url=one.canonical_url,
        edition_page=one.draft.edition_page,
        published_at=one.draft.published_at,
    )


def _record_registrations(session: Session, actor: Actor, works: Sequence[Work], at: datetime) -> None:
    """One event for each step from draft to registered, inserted in bulk."""
    rows: list[dict[str, Any]] = []
    for work in works:
        state = "draft"
        for action in REGISTRATION:
            old, state = state, next_state(WORK, state, action)
            rows.append(
                {
                    "at": at,
                    "actor_kind": actor.kind,
                    "actor_id": actor.id,
                    "verb": f"work.{action}",
                    "subject_kind": Work.__tablename__,
                    "subject_id": work.id,
                    "old_state": old,
                    "new_state": state,
                    "reason": "",
                    "data": {},
                }
            )
    if rows:
        session.execute(insert(Event), rows)


def _check_amendable(work: Work, draft: WorkDraft) -> None:
    if work.state not in AMENDABLE and _changes(work, draft):
        raise IllegalTransition(f"作品 {work.number}（{NAMES[work.state]}）不能再变更。")


def _changes(work: Work, draft: WorkDraft) -> list[str]:
    """The plain columns in which a draft states something else than the work has, and `text`."""
    stated = {name: getattr(draft, name) for name in ("title", "subtitle", "byline", "form", "owner", "authorship")}
    changed = [name for name, value in stated.items() if value and value != getattr(work, name)]
    if hashlib.sha256(draft.text.encode()).hexdigest() != work.current.sha256:
        changed.append("text")
    return changed


def _amend(
    session: Session, actor: Actor, work: Work, one: _Measured, original: Work | None, at: datetime, reason: str = ""
) -> tuple[str, ...]:
    draft, changed = one.draft, _changes(work, one.draft)
    for name in changed:
        if name != "text":
            setattr(work, name, getattr(draft, name))
    if "form" in changed:
        work.category = FORMS[work.form].category
    if "text" in changed:
        work.current.is_current = False
        session.flush()  # the old version must step back before the new one may be current
        work.versions.append(_version(one, work.current.number + 1, at))
        work.same_text_as = original if original is not work else None
    if _publish(work, one):
        changed.append("published")
    if changed:
        record(session, actor, "work.amended", work, old=work.state, new=work.state, reason=reason, changed=changed)
    return tuple(changed)


def _publish(work: Work, one: _Measured) -> bool:
    """Adds the appearance that the draft states, or the time of one that is known; True when that is news."""
    draft = one.draft
    if not (one.canonical_url or draft.published_at):
        return False
    at_address = [known for known in work.publications if known.canonical_url == one.canonical_url]
    if one.canonical_url is None:
        at_address = at_address or work.publications
    if not at_address:
        work.publications.append(_publication(one))
    elif draft.published_at and draft.published_at not in (known.published_at for known in at_address):
        at_address[0].published_at = draft.published_at
    else:
        return False
    work.first_published_at = min((one.published_at for one in work.publications if one.published_at), default=None)
    return True
