"""Pages of the licences: which are in force, what each covers, and the statement that the historic ones are loaded."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug import Response as AnyResponse

from service.accounts.models import User
from service.accounts.permissions import may_open
from service.audit import Actor, Event
from service.clock import shanghai_date, utc_now
from service.errors import BadInput, NotFound
from service.extensions import db
from service.licences.facts import HISTORIC_SWITCH
from service.licences.models import Licence, Switch
from service.licences.operations import licence_state_on, set_switch
from service.licences.transitions import NAMES
from service.paging import SortKey, contains, count_capped, fetch_slice
from service.parties.models import Party
from service.portal.edge import commit
from service.works.models import Work

bp = Blueprint("licences", __name__)
PAGE_ROWS = 50
EXPIRING = timedelta(days=30)
"""*expiring soon* is derived from the last day, never stored."""


def shown_state(licence: Licence) -> str:
    """The state of today, or `expiring` in the last EXPIRING days of a licence in force."""
    today = shanghai_date(utc_now())
    state = licence_state_on(licence, today)
    is_ending = state == "active" and licence.valid_to is not None and licence.valid_to <= today + EXPIRING
    return "expiring" if is_ending else state


bp.add_app_template_global(shown_state, "licence_state")


@bp.get("/desk/licences")
def desk_list() -> str:
    """All licences, newest first, with the switch that every ruling depends on."""
    session, today = db.session(), shanghai_date(utc_now())
    q, state = request.args.get("q", "").strip()[:200].replace("\x00", ""), request.args.get("state", "")
    statement = select(Licence).join(Licence.party).options(joinedload(Licence.party), selectinload(Licence.channels))
    if q:
        statement = statement.where(or_(contains(Party.name, q), contains(Licence.reference, q)))
    if state == "expiring":
        ending = Licence.valid_to.between(today, today + EXPIRING)
        statement = statement.where(Licence.state.in_(("pending", "active")), Licence.valid_from <= today, ending)
    elif state in NAMES:
        statement = statement.where(Licence.state == state)
    after, before = request.args.get("after", ""), request.args.get("before", "")
    return render_template(
        "licences/list.html",
        part=fetch_slice(
            session, statement, SortKey(Licence.id, Licence.id), after=after, before=before, limit=PAGE_ROWS
        ),
        total=count_capped(session, statement),
        q=q,
        state=state,
        switch=session.get(Switch, HISTORIC_SWITCH),
        may_switch=may_open(current_user, "licences.set_switch"),
    )


@bp.get("/desk/licences/<int:licence_id>")
def desk_show(licence_id: int) -> str:
    """One licence: to whom, for what, where, from when to when."""
    options = [
        joinedload(Licence.party),
        selectinload(Licence.channels),
        selectinload(Licence.outlets),
        selectinload(Licence.works).joinedload(Work.outlet),
    ]
    licence = db.session.get(Licence, licence_id, options=options) if licence_id < 2**63 else None
    if licence is None:
        raise NotFound(_("没有这份许可。"))
    events = db.session.scalars(
        select(Event)
        .where(Event.subject_kind == Licence.__tablename__, Event.subject_id == licence.id)
        .order_by(Event.id.desc())
    ).all()
    actors = {event.actor_id for event in events if event.actor_kind == "user"}
    people = db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(actors)))
    return render_template(
        "licences/show.html", licence=licence, events=events, names={row.id: row.name or row.email for row in people}
    )


@bp.post("/desk/licences/historic", endpoint="set_switch")
def set_historic() -> AnyResponse:
    """Says that the historic licences are loaded, or takes it back."""
    wished = request.form.get("is_on", "")
    if wished not in ("0", "1"):
        raise BadInput(_("请从许可页面的按钮操作。"), "is_on")
    set_switch(db.session(), Actor.user(current_user.id), HISTORIC_SWITCH, wished == "1", utc_now())
    commit()
    if wished == "1":
        flash(_("已标记历史许可全部录入。今后的扫描会给出明确的判定；可以随时撤销。"), "success")
    else:
        flash(_("已撤销标记。今后的判定最多为“尚不能判定”。"), "warning")
    return redirect(url_for("licences.desk_list"))
