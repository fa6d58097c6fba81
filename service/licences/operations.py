"""What can be done with licences, and the licences that a ruling looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only, selectinload

from service.audit import SCHEDULER, Actor, record
from service.clock import shanghai_date
from service.errors import BadInput, Conflict
from service.kinds import FORMS
from service.licences.models import ACTS, Licence, Switch
from service.licences.rules import Terms
from service.licences.transitions import LICENCE
from service.outlets.models import Outlet
from service.parties.models import Channel, Party
from service.states import next_state
from service.works.models import Work

ENDED = ("suspended", "revoked", "superseded")
NEEDS_REASON = ("suspend", "revoke")


@dataclass(frozen=True)
class LicenceDraft:
    """The terms of a licence before it is granted; fields as in `Licence`. A date left None is *not recorded*."""

    party: Party
    scope: str = "works"
    reference: str | None = None
    works: Sequence[Work] = ()
    outlets: Sequence[Outlet] = ()
    forms: Sequence[str] = ()
    scope_from: date | None = None
    scope_to: date | None = None
    acts: Sequence[str] = ()
    channels: Sequence[Channel] = ()
    all_channels: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    is_perpetual: bool = False
    credit_required: bool = True
    credit_text: str = ""
    is_historic: bool = False
    note: str = ""


def grant_licence(session: Session, actor: Actor, draft: LicenceDraft, at: datetime) -> Licence:
    """A licence with these terms, in the state that its dates give at `at` (pending, active or expired), each step an
    event. Raises BadInput naming the field, and Conflict when the reference is taken.
    """
    _check(draft)
    if draft.reference and find_licence(session, draft.reference) is not None:
        raise Conflict(f"there is a licence {draft.reference} already")
    licence = Licence(
        reference=draft.reference,
        party=draft.party,
        scope=draft.scope,
        works=list(draft.works),
        outlets=list(draft.outlets),
        scope_forms=list(draft.forms),
        scope_from=draft.scope_from,
        scope_to=draft.scope_to,
        acts=list(draft.acts),
        channels=list(draft.channels),
        all_channels=draft.all_channels,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
        is_perpetual=draft.is_perpetual,
        credit_required=draft.credit_required,
        credit_text=draft.credit_text,
        is_historic=draft.is_historic,
        note=draft.note,
        state="pending",
        created_at=at,
    )
    session.add(licence)
    record(session, actor, "licence.granted", licence, new="pending", party=draft.party.id)
    _follow_dates(session, actor, licence, shanghai_date(at))
    return licence


def _check(draft: LicenceDraft) -> None:
    if draft.scope not in ("works", "blanket"):
        raise BadInput("scope: works or blanket", "scope")
    if (draft.scope == "works") != bool(draft.works):
        raise BadInput("works: a licence of scope “works” names works, a blanket one names none", "works")
    for field, values, known in (("acts", draft.acts, ACTS), ("forms", draft.forms, FORMS)):
        if unknown := [value for value in values if value not in known]:
            raise BadInput(f"{field}: “{unknown[0][:40]}” is none of {', '.join(known)}", field)
    if draft.is_perpetual and draft.valid_to is not None:
        raise BadInput("perpetual: a licence without end has no valid_to", "perpetual")
    for first, last, field in (
        (draft.valid_from, draft.valid_to, "valid_to"),
        (draft.scope_from, draft.scope_to, "scope_to"),
    ):
        if first is not None and last is not None and last < first:
            raise BadInput(f"{field}: lies before its start", field)
    if any(channel.party_id != draft.party.id for channel in draft.channels):
        raise BadInput("channels: a channel belongs to another party", "channels")
    if draft.all_channels and draft.channels:
        raise BadInput("channels: either all or a list", "channels")
    for field, value, limit in (("reference", draft.reference or "", 80), ("credit_text", draft.credit_text, 300)):
        if len(value) > limit or not value.isprintable():
            raise BadInput(f"{field}: at most {limit} printable characters", field)


def find_licence(session: Session, reference: str) -> Licence | None:
    """The licence with this number on its paper, None when there is none."""
    return session.scalars(select(Licence).where(Licence.reference == reference)).first()


def licence_state_on(licence: Licence, day: date) -> str:
    """The state that a licence has on `day` by its dates. A person's suspension, revocation or replacement stands.

    An unknown start counts as begun and an unknown end as not reached: that is a state for lists, and the ruling still
    says *unclear* (`rules.check_use`).
    """
    if licence.state in ENDED:
        return licence.state
    if licence.valid_to is not None and licence.valid_to < day:
        return "expired"
    if licence.valid_from is not None and day < licence.valid_from:
        return "pending"
    return "active"


def expire_licences(session: Session, now: datetime, actor: Actor = SCHEDULER) -> int:
    """Moves the licences whose dates have come: pending ones start, those past their last day expire. How many moved.

    Meant to run daily; rulings do not wait for it, they read the dates.
    """
    day, moved = shanghai_date(now), 0
    due = session.scalars(
        select(Licence)
        .where(
            (Licence.state.in_(("active", "suspended")) & (Licence.valid_to < day))
            | ((Licence.state == "pending") & (Licence.valid_from.is_(None) | (Licence.valid_from <= day)))
        )
        .order_by(Licence.id)
    ).all()
    for licence in due:
        moved += _follow_dates(session, actor, licence, day)
    session.flush()
    return moved


def _follow_dates(session: Session, actor: Actor, licence: Licence, day: date) -> bool:
    """Takes the steps of the table that the dates ask for, each with its event; True when there was one."""
    before = licence.state
    is_begun = licence.valid_from is None or licence.valid_from <= day
    if licence.state == "pending" and is_begun:
        _step(session, actor, licence, "start")
    if licence.state in ("active", "suspended") and licence.valid_to is not None and licence.valid_to < day:
        _step(session, actor, licence, "expire")
    return licence.state != before


def change_licence_state(
    session: Session, actor: Actor, licence: Licence, action: str, *, on: date, reason: str = ""
) -> Licence:
    """suspend, resume, revoke or supersede on a day; rulings on uses after `on` take it into account.

    Raises IllegalTransition, and BadInput when suspending or revoking without a reason.
    """
    if action in NEEDS_REASON and not reason.strip():
        raise BadInput("请写明理由。", "reason")
    _step(session, actor, licence, action, reason.strip())
    licence.ended_on = on if licence.state in ENDED else None
    session.flush()
    return licence


def _step(session: Session, actor: Actor, licence: Licence, action: str, reason: str = "") -> None:
    old = licence.state
    licence.state = next_state(LICENCE, old, action)
    record(session, actor, f"licence.{action}", licence, old=old, new=licence.state, reason=reason)


def licences_for(session: Session, party_id: int | None) -> list[Licence]:
    """All licences of a party, whatever their state, scope and channels loaded (four queries however many there are).

    For an unknown party (None), those open to every channel or with none recorded: the user may be one of their holders.
    """
    is_open = Licence.all_channels | ~Licence.channels.any()
    whose = Licence.party_id == party_id if party_id is not None else is_open
    found = session.scalars(
        select(Licence)
        .where(whose)
        .order_by(Licence.id)
        .options(
            selectinload(Licence.works).options(load_only(Work.id)),
            selectinload(Licence.outlets).options(load_only(Outlet.id)),
            selectinload(Licence.channels).options(load_only(Channel.id)),
        )
    )
    return list(found)


def terms_of(licence: Licence) -> Terms:
    """The licence as plain values for the rules."""
    return Terms(
        licence_id=licence.id,
        number=licence.number,
        party_id=licence.party_id,
        scope=licence.scope,
        work_ids=frozenset(work.id for work in licence.works),
        outlet_ids=frozenset(outlet.id for outlet in licence.outlets),
        forms=frozenset(licence.scope_forms),
        scope_from=licence.scope_from,
        scope_to=licence.scope_to,
        acts=frozenset(licence.acts),
        all_channels=licence.all_channels,
        channel_ids=frozenset(channel.id for channel in licence.channels),
        valid_from=licence.valid_from,
        valid_to=licence.valid_to,
        is_perpetual=licence.is_perpetual,
        ended_on=licence.ended_on,
        ended_as=licence.state if licence.state in ENDED else None,
        # A paper that records no credit line is silent, which is not the same as asking for one.
        credit_required=None if licence.is_historic and not licence.credit_text else licence.credit_required,
    )


def set_switch(session: Session, actor: Actor, name: str, is_on: bool, at: datetime) -> Switch:
    """Sets a switch, with an event when that changes it. See `licences.facts.HISTORIC_SWITCH`."""
    switch = session.get(Switch, name) or Switch(name=name, is_on=False, changed_at=at)
    if switch.is_on != is_on:
        old, switch.is_on, switch.changed_at = switch.is_on, is_on, at
        session.add(switch)
        states = {False: "off", True: "on"}
        record(session, actor, "switch.set", switch, old=states[old], new=states[is_on], name=name)
    session.flush()
    return switch
