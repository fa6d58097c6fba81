"""Outlets, their mandates and reservations: adding them, and what was in force on a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import Actor, record
from service.errors import BadInput, Conflict, NotFound
from service.kinds import FORMS
from service.outlets.models import GRANT_KINDS, OUTLET_KINDS, Mandate, Outlet, Reservation

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,31}", re.ASCII)


def add_outlet(session: Session, actor: Actor, code: str, name: str, kind: str = "newspaper") -> Outlet:
    """A new member outlet. Raises BadInput on an unfit code, name or kind, Conflict when code or name is taken."""
    if not _CODE.fullmatch(code):
        raise BadInput(f"CODE: “{code[:40]}” is not 2–32 letters, digits or dashes, beginning with a letter", "code")
    name = name.strip()
    if not name or len(name) > 120:
        raise BadInput("NAME: 1–120 characters", "name")
    if kind not in OUTLET_KINDS:
        raise BadInput(f"kind: “{kind[:20]}” is none of {', '.join(OUTLET_KINDS)}", "kind")
    taken = session.scalars(select(Outlet).where(or_(Outlet.code == code, Outlet.name == name))).first()
    if taken is not None:
        raise Conflict(f"outlet {taken.code} ({taken.name}) has this code or name already")
    outlet = Outlet(code=code, name=name, kind=kind)
    session.add(outlet)
    record(session, actor, "outlet.added", outlet)
    return outlet


def find_outlet(session: Session, code: str) -> Outlet:
    """The outlet of this code. Raises NotFound."""
    outlet = session.scalars(select(Outlet).where(Outlet.code == code)).first()
    if outlet is None:
        raise NotFound(f"unknown outlet “{code[:40]}”; add it with: outlets add CODE NAME")
    return outlet


def add_mandate(
    session: Session,
    actor: Actor,
    outlet: Outlet,
    grant_kind: str,
    valid_from: date,
    valid_to: date | None = None,
    *,
    forms: Sequence[str] = (),
    rights: Sequence[str] = (),
    may_sublicense: bool = False,
    may_enforce: bool = False,
) -> Mandate:
    """What an outlet granted. Raises BadInput on an unknown kind or form or an end before the start, Conflict twice."""
    if grant_kind not in GRANT_KINDS:
        raise BadInput(f"grant_kind: “{grant_kind[:20]}” is none of {', '.join(GRANT_KINDS)}", "grant_kind")
    if unknown := [form for form in forms if form not in FORMS]:
        raise BadInput(f"forms: “{unknown[0][:20]}” is no media form", "forms")
    if valid_to is not None and valid_to < valid_from:
        raise BadInput("valid_to: ends before it starts", "valid_to")
    mandate = Mandate(
        outlet_id=outlet.id,
        grant_kind=grant_kind,
        forms=list(forms),
        rights=list(rights),
        valid_from=valid_from,
        valid_to=valid_to,
        may_sublicense=may_sublicense,
        may_enforce=may_enforce,
    )
    try:
        with session.begin_nested():
            session.add(mandate)
    except IntegrityError:
        raise Conflict(f"outlet {outlet.code} has a mandate of this kind from {valid_from} already") from None
    record(session, actor, "mandate.added", mandate, grant_kind=grant_kind)
    return mandate


def find_mandate(session: Session, outlet_id: int, grant_kind: str, valid_from: date) -> Mandate | None:
    """The one mandate of this outlet, kind and first day, None when there is none."""
    return session.scalars(
        select(Mandate).where(
            Mandate.outlet_id == outlet_id, Mandate.grant_kind == grant_kind, Mandate.valid_from == valid_from
        )
    ).first()


def add_reservation(
    session: Session, actor: Actor, text: str, published_on: date, address: str, outlet: Outlet | None = None
) -> Reservation:
    """A dated public statement, of one outlet or (None) of the Centre. Raises BadInput when it says nothing or cannot
    be read anywhere, Conflict when it is recorded already.
    """
    if not text.strip():
        raise BadInput("text: the statement is empty", "text")
    if not 0 < len(address) <= 2048:
        raise BadInput("address: where the statement can be read, at most 2048 characters", "address")
    same = select(Reservation.id).where(
        Reservation.outlet_id == (outlet.id if outlet else None),  # None compiles to IS NULL, where UNIQUE sees no twin
        Reservation.published_on == published_on,
        Reservation.address == address,
    )
    if session.scalars(same).first() is not None:
        raise Conflict(f"the statement of {published_on} at this address is recorded already")
    reservation = Reservation(
        outlet_id=outlet.id if outlet else None, text=text.strip(), address=address, published_on=published_on
    )
    session.add(reservation)
    record(session, actor, "reservation.added", reservation)
    return reservation


def mandate_on(session: Session, outlet_id: int, form: str, day: date) -> Mandate | None:
    """The mandate over this outlet's works of this form on a day; the strongest grant where several held."""
    return pick_mandate(session.scalars(select(Mandate).where(Mandate.outlet_id == outlet_id)), form, day)


def pick_mandate(mandates: Iterable[Mandate], form: str, day: date) -> Mandate | None:
    """Of these mandates, the one that covered `form` on `day`; the strongest grant, then the newest, of several."""
    strength = list(GRANT_KINDS)
    held = [
        mandate
        for mandate in mandates
        if mandate.valid_from <= day
        and (mandate.valid_to is None or day <= mandate.valid_to)
        and (not mandate.forms or form in mandate.forms)
    ]
    return max(held, key=lambda one: (-strength.index(one.grant_kind), one.valid_from, one.id), default=None)


def reservation_on(session: Session, outlet_id: int, day: date) -> Reservation | None:
    """The first statement, of the outlet or of the Centre, that was public on that day."""
    concerned = or_(Reservation.outlet_id == outlet_id, Reservation.outlet_id.is_(None))
    return pick_reservation(session.scalars(select(Reservation).where(concerned)), day)


def pick_reservation(reservations: Iterable[Reservation], day: date) -> Reservation | None:
    """Of these statements, the first that was public on `day`."""
    public = [one for one in reservations if one.published_on <= day]
    return min(public, key=lambda one: (one.published_on, one.id), default=None)
