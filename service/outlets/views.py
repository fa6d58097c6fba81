"""Pages of the member outlets: what each granted to the Centre, and what it publicly reserved."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from service.clock import shanghai_date, utc_now
from service.errors import NotFound
from service.extensions import db
from service.outlets.models import Mandate, Outlet, Reservation
from service.parties.models import Party
from service.works.models import Work

bp = Blueprint("outlets", __name__)


@bp.app_template_global()
def in_force(mandates: list[Mandate], day: date) -> list[Mandate]:
    """Those of the mandates that hold on a day."""
    return [one for one in mandates if one.valid_from <= day and (one.valid_to is None or one.valid_to >= day)]


@bp.get("/desk/outlets")
def list_outlets() -> str:
    """All outlets with their mandates; grant_kind is always shown, for it decides who signs."""
    outlets = db.session.scalars(
        select(Outlet)
        .options(selectinload(Outlet.mandates), selectinload(Outlet.reservations))
        .order_by(Outlet.kind, Outlet.name)
    ).all()
    rows = db.session.execute(select(Work.outlet_id, func.count()).group_by(Work.outlet_id)).all()
    return render_template(
        "outlets/list.html",
        outlets=outlets,
        works=dict(rows),
        centre_reservation=_centre_reservation(),
        today=shanghai_date(utc_now()),
    )


@bp.get("/desk/outlets/<code>")
def show_outlet(code: str) -> str:
    """One outlet: mandates, statements, its own channels, its works."""
    outlet = db.session.scalars(
        select(Outlet)
        .where(Outlet.code == code[:64].replace("\x00", ""))
        .options(selectinload(Outlet.mandates), selectinload(Outlet.reservations))
    ).first()
    if outlet is None:
        raise NotFound(_("没有这家媒体。"))
    rows = db.session.execute(
        select(Work.state, func.count()).where(Work.outlet_id == outlet.id).group_by(Work.state)
    ).all()
    parties = db.session.scalars(
        select(Party).where(Party.outlet_id == outlet.id).options(selectinload(Party.channels))
    ).all()
    return render_template(
        "outlets/show.html",
        outlet=outlet,
        states_count=dict(rows),
        channels=[channel for party in parties for channel in party.channels],
        centre_reservation=_centre_reservation(),
        today=shanghai_date(utc_now()),
    )


def _centre_reservation() -> Reservation | None:
    """The Centre's own first statement, which covers every outlet from its date on."""
    return db.session.scalars(
        select(Reservation)
        .where(Reservation.outlet_id.is_(None))
        .options(joinedload(Reservation.outlet))
        .order_by(Reservation.published_on)
        .limit(1)
    ).first()
