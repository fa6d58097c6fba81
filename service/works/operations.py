"""What can be done with works. One path registers, for a single form as for a file of a million rows: `register_works`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from service.audit import Actor, Event, record
from service.clock import shanghai_date
from service.errors import BadInput, IllegalTransition
from service.kinds import FORMS
from service.outlets.models import Mandate, Outlet, Reservation
from service.outlets.operations import pick_mandate, pick_reservation
from service.states import next_state
from service.works.drafts import MeasuredDraft, WorkDraft, measure_draft, text_sha256
from service.works.fingerprints import algorithms_to_write, fingerprint_row, fingerprints_of
from service.works.models import Publication, Work, WorkFingerprint, WorkVersion
from service.works.rows import count_characters
from service.works.transitions import NAMES, WORK

__all__ = ["Registered", "WorkDraft", "amend_work", "change_work_state", "register_work", "register_works"]

AMENDABLE = ("draft", "submitted", "returned", "registered", "disputed")
REGISTRATION = ("submit", "register")
"""The steps that registering takes from a draft; each leaves its event."""
NEEDS_REASON = ("return", "refuse", "dispute", "withdraw", "cancel")

Row = dict[str, Any]
Grounds = tuple[list[Mandate], list[Reservation]]


@dataclass(frozen=True)
class Registered:
    """What became of a draft. `created` is False when the outlet had this external id; `amended` names the fields that
    then changed. `duplicate_of` is the work with the same text that was registered first.
    """

    work: Work
    duplicate_of: Work | None
    created: bool
    amended: tuple[str, ...] = ()


def register_work(session: Session, actor: Actor, draft: WorkDraft, at: datetime) -> Registered:
    """Registers one work, or amends the one that its outlet registered under the same external id.

    Raises BadInput (title, text, url, form), and IllegalTransition when the earlier work can no longer be amended.
    """
    return register_works(session, actor, [draft], at)[0]


def register_works(session: Session, actor: Actor, drafts: Sequence[WorkDraft], at: datetime) -> list[Registered]:
    """The same for many at once, in their order; a dozen statements for all of them together.

    No two drafts may share outlet and external id. Nothing is written when one of them is unfit.
    """
    measured = [measure_draft(draft) for draft in drafts]
    known = _known_works(session, drafts)
    for draft in drafts:
        if draft.key in known:
            _check_amendable(known[draft.key], draft)
    originals = _originals(session, [one.normalised_sha256 for one in measured])
    new = [one for one in measured if one.draft.key not in known]
    created = iter(_create_all(session, new, originals, at))
    results = []
    for one in measured:
        original = originals.get(one.normalised_sha256)
        if (work := known.get(one.draft.key)) is not None:
            amended = _amend(session, actor, work, one, original, at)
            results.append(Registered(work, work.same_text_as, False, amended))
        else:
            work = next(created)
            if original is not None and work.same_text_as_id is None:
                work.same_text_as = original  # its twin came earlier in the same batch
            results.append(Registered(work, original, True))
        originals.setdefault(one.normalised_sha256, work)
    session.flush()
    _record_registrations(session, actor, [done.work.id for done in results if done.created], at)
    return results


def amend_work(
    session: Session, actor: Actor, work: Work, draft: WorkDraft, at: datetime, reason: str = ""
) -> tuple[str, ...]:
    """变更登记: brings the work to what the draft states and names the fields that changed; () when none did.

    A changed text becomes a new version; the work stays registered and matched. What the draft does not state stays.
    Raises BadInput, and IllegalTransition when the work can no longer be amended.
    """
    one = measure_draft(draft)
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


def _known_works(session: Session, drafts: Sequence[WorkDraft]) -> dict[tuple[int, str | None], Work]:
    """The works that these outlets registered under these external ids, with versions and publications."""
    ids = {draft.external_id for draft in drafts} - {None}
    found = session.scalars(
        select(Work)
        .where(Work.outlet_id.in_({draft.outlet.id for draft in drafts}), Work.external_id.in_(ids))
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


def _create_all(
    session: Session, new: Sequence[MeasuredDraft], originals: dict[str, Work], at: datetime
) -> Sequence[Work]:
    """Inserts the works with versions, fingerprints and publications: one statement a table (a unit of work over
    single objects takes three times as long).
    """
    if not new:
        return []
    grounds = {outlet.id: _grounds(session, outlet) for outlet in {one.draft.outlet for one in new}}
    rows = [_work_row(one, originals, grounds[one.draft.outlet.id], at) for one in new]
    works = _insert_works(session, rows)
    version_rows = [{"work_id": work.id, **_version_row(one, 1, at)} for work, one in zip(works, new, strict=True)]
    returning = insert(WorkVersion).returning(WorkVersion.work_id, WorkVersion.id)
    version_of = {row[0]: row[1] for row in session.execute(returning, version_rows)}
    algorithms = algorithms_to_write(session)
    fingerprints = [
        {"version_id": version_of[work.id], **fingerprint_row(fingerprint)}
        for work, one in zip(works, new, strict=True)
        for fingerprint in fingerprints_of(one.draft.text, algorithms, one.fingerprint)
    ]
    publications = [
        {"work_id": work.id, **_publication_row(one)} for work, one in zip(works, new, strict=True) if _is_dated(one)
    ]
    if fingerprints:
        session.execute(insert(WorkFingerprint), fingerprints)
    if publications:
        session.execute(insert(Publication), publications)
    return works


def _insert_works(session: Session, rows: list[Row]) -> Sequence[Work]:
    """The works in the order of their rows. The database answers in any order, and asked to keep it inserts row by row:
    so they are told apart by outlet and external id, where all have one.
    """
    if any(row["external_id"] is None for row in rows):
        return session.scalars(insert(Work).returning(Work, sort_by_parameter_order=True), rows).all()
    found = {(work.outlet_id, work.external_id): work for work in session.scalars(insert(Work).returning(Work), rows)}
    return [found[row["outlet_id"], row["external_id"]] for row in rows]


def _grounds(session: Session, outlet: Outlet) -> Grounds:
    """The outlet's mandates, and the statements that concern it."""
    concerned = or_(Reservation.outlet_id == outlet.id, Reservation.outlet_id.is_(None))
    return (
        list(session.scalars(select(Mandate).where(Mandate.outlet_id == outlet.id))),
        list(session.scalars(select(Reservation).where(concerned))),
    )


def _work_row(one: MeasuredDraft, originals: dict[str, Work], grounds: Grounds, at: datetime) -> Row:
    """A registered work. Mandate and statement are those of the day of publication; on an unknown day, unknown."""
    draft = one.draft
    form = FORMS[draft.form or "text"]
    day = shanghai_date(draft.published_at) if draft.published_at else None
    mandate = pick_mandate(grounds[0], form.code, day) if day else None
    reservation = pick_reservation(grounds[1], day) if day else None
    original = originals.get(one.normalised_sha256)
    return {
        "outlet_id": draft.outlet.id,
        "external_id": draft.external_id,
        "state": "registered",
        "title": draft.title,
        "subtitle": draft.subtitle,
        "form": form.code,
        "category": form.category,
        "byline": draft.byline,
        "owner": draft.owner,
        "authorship": draft.authorship or "unknown",
        "mandate_id": mandate.id if mandate else None,
        "reservation_id": reservation.id if reservation else None,
        "same_text_as_id": original.id if original else None,
        "first_published_at": draft.published_at,
        "created_at": at,
    }


def _version_row(one: MeasuredDraft, number: int, at: datetime) -> Row:
    return {
        "number": number,
        "text": one.draft.text,
        "length_chars": count_characters(one.draft.text),
        "sha256": one.sha256,
        "normalised_sha256": one.normalised_sha256,
        "created_at": at,
    }


def _is_dated(one: MeasuredDraft) -> bool:
    """True when the draft says anything about where or when the work appeared."""
    return bool(one.canonical_url or one.draft.published_at or one.draft.edition_page)


def _publication_row(one: MeasuredDraft) -> Row:
    return {
        "outlet_id": one.draft.outlet.id,
        "url": one.draft.url or None,
        "canonical_url": one.canonical_url,
        "edition_page": one.draft.edition_page,
        "published_at": one.draft.published_at,
    }


def _record_registrations(session: Session, actor: Actor, work_ids: Sequence[int], at: datetime) -> None:
    """One event for each step from draft to registered, inserted in bulk."""
    rows: list[Row] = []
    shared = {"at": at, "actor_kind": actor.kind, "actor_id": actor.id, "subject_kind": Work.__tablename__}
    for work_id in work_ids:
        state = "draft"
        for action in REGISTRATION:
            old, state = state, next_state(WORK, state, action)
            states = {"verb": f"work.{action}", "old_state": old, "new_state": state}
            rows.append({**shared, **states, "subject_id": work_id})
    if rows:
        session.execute(insert(Event), rows)


def _check_amendable(work: Work, draft: WorkDraft) -> None:
    if work.state not in AMENDABLE and _changes(work, draft):
        raise IllegalTransition(f"作品 {work.number}（{NAMES[work.state]}）不能再变更。")


def _changes(work: Work, draft: WorkDraft) -> list[str]:
    """The plain columns in which a draft states something else than the work has, and `text`."""
    stated = {name: getattr(draft, name) for name in ("title", "subtitle", "byline", "form", "owner", "authorship")}
    changed = [name for name, value in stated.items() if value and value != getattr(work, name)]
    if text_sha256(draft.text) != work.current.sha256:
        changed.append("text")
    return changed


def _amend(
    session: Session,
    actor: Actor,
    work: Work,
    one: MeasuredDraft,
    original: Work | None,
    at: datetime,
    reason: str = "",
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
        version = WorkVersion(**_version_row(one, work.current.number + 1, at))
        for fingerprint in fingerprints_of(draft.text, algorithms_to_write(session), one.fingerprint):
            version.fingerprints.append(WorkFingerprint(**fingerprint_row(fingerprint)))
        work.versions.append(version)
        work.same_text_as = original if original is not work else None
    if _publish(work, one):
        changed.append("published")
    if changed:
        record(session, actor, "work.amended", work, old=work.state, new=work.state, reason=reason, changed=changed)
    return tuple(changed)


def _publish(work: Work, one: MeasuredDraft) -> bool:
    """Adds the appearance that the draft states, or the time of one that is known; True when that is news."""
    draft = one.draft
    if not (one.canonical_url or draft.published_at):
        return False
    at_address = [known for known in work.publications if known.canonical_url == one.canonical_url]
    if one.canonical_url is None:
        at_address = at_address or work.publications
    if not at_address:
        work.publications.append(Publication(**_publication_row(one)))
    elif draft.published_at and draft.published_at not in (known.published_at for known in at_address):
        at_address[0].published_at = draft.published_at
    else:
        return False
    work.first_published_at = min((one.published_at for one in work.publications if one.published_at), default=None)
    return True
