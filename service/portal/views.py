"""Pages across features: home, statement, desk, jobs, audit; language and theme; health and figures for machines."""

from __future__ import annotations

from collections.abc import Container

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select, text
from sqlalchemy.orm import joinedload
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import BadRequest

from service import jobs
from service.accounts.models import User
from service.audit import Actor, Event, record
from service.clock import utc_now
from service.errors import NotFound
from service.extensions import db
from service.outlets.models import Outlet, Reservation
from service.paging import SortKey, count_capped, fetch_slice
from service.portal import dashboard
from service.portal.edge import commit, local_path
from service.portal.locale import COOKIE_AGE_S, LOCALES, THEMES
from service.portal.logs import metrics_text
from service.portal.navigation import is_staff

bp = Blueprint("portal", __name__)
PAGE_ROWS = 50


@bp.get("/")
def home() -> str:
    """Who we are and the three ways in."""
    return render_template("portal/home.html", outlets=_outlets())


@bp.get("/statement")
def statement() -> str:
    """The dated statements that reserve the rights, newest first."""
    reservations = db.session.scalars(
        select(Reservation).options(joinedload(Reservation.outlet)).order_by(Reservation.published_on.desc())
    ).all()
    return render_template("portal/statement.html", reservations=reservations, outlets=_outlets())


@bp.get("/desk")
def desk() -> str | AnyResponse:
    """What waits for this person now; applicants are led to the public pages."""
    if not is_staff():
        return redirect(url_for("portal.home"))
    now, session = utc_now(), db.session()
    days = dashboard.trend(session, now)
    return render_template(
        "portal/desk.html",
        now=now,
        roles=[role.name for role in current_user.roles],
        waiting=dashboard.count_waiting(session, current_user.id, now),
        round=dashboard.last_round(session),
        days=days,
        wide=dashboard.draw_chart(days, 920, 250),
        small=dashboard.draw_chart(days[-14:], 358, 210, every=4),
        decisions=dashboard.recent_decisions(session, current_user.id),
    )


@bp.get("/desk/jobs", endpoint="jobs")
def list_jobs() -> str:
    """Background work: the dead letters first of all, or another state."""
    state = request.args.get("state", "dead")
    if state not in ("dead", "queued", "running", "done"):
        raise BadRequest
    chosen = select(jobs.Job).where(jobs.Job.state == state)
    part = fetch_slice(
        db.session(),
        chosen,
        SortKey(jobs.Job.id, jobs.Job.id),
        after=request.args.get("after", ""),
        before=request.args.get("before", ""),
        limit=PAGE_ROWS,
    )
    long = dashboard.long_jobs(db.session())
    count = count_capped(db.session(), chosen)
    return render_template("portal/jobs.html", state=state, part=part, count=count, long_jobs=long)


@bp.post("/desk/jobs/<int:job_id>/retry")
def retry_job(job_id: int) -> AnyResponse:
    """Sends a dead job again."""
    job = db.session.get(jobs.Job, job_id)
    if job is None:
        raise NotFound(_("没有这项任务。"))
    jobs.retry(db.session(), job)
    record(db.session(), Actor.user(current_user.id), "job.retried", job, old="dead", new="queued")
    commit()
    flash(_("任务 %(number)s 已重新排队。", number=job_id), "success")
    return redirect(url_for("portal.jobs"))


@bp.get("/desk/audit")
def audit() -> str:
    """The events, newest first, with their place in the chain."""
    verb, kind = request.args.get("verb", "").strip(), request.args.get("kind", "").strip()
    subject, actor = request.args.get("subject", "").strip(), request.args.get("actor", "").strip()
    chosen = select(Event).options(joinedload(Event.link))
    if verb:
        chosen = chosen.where(Event.verb.startswith(verb, autoescape=True))
    if kind:
        chosen = chosen.where(Event.subject_kind == kind)
    if subject:
        chosen = chosen.where(Event.subject_id == _number(subject))
    if actor:
        chosen = chosen.where(Event.actor_id == _number(actor))
    part = fetch_slice(
        db.session(),
        chosen,
        SortKey(Event.id, Event.id),
        after=request.args.get("after", ""),
        before=request.args.get("before", ""),
        limit=PAGE_ROWS,
    )
    names = _names({event.actor_id for event in part.rows if event.actor_kind == "user"})
    kinds = db.session.scalars(select(Event.subject_kind).distinct().order_by(Event.subject_kind)).all()
    return render_template("portal/audit.html", part=part, names=names, kind_options=[(kind, kind) for kind in kinds])


@bp.get("/locale")
def locale() -> AnyResponse:
    """Keeps the wished language in a cookie and leads back."""
    return _keep("locale", request.args.get("to", ""), LOCALES)


@bp.get("/theme")
def theme() -> AnyResponse:
    """Keeps the wished theme in a cookie and leads back."""
    return _keep("theme", request.args.get("to", ""), THEMES)


@bp.get("/healthz")
def healthz() -> Response:
    """200 while the database answers (an error page with 5xx otherwise)."""
    db.session.execute(text("SELECT 1"))
    return jsonify(ok=True)


@bp.get("/metrics")
def metrics() -> Response:
    """Figures of this process for Prometheus."""
    return Response(metrics_text(), mimetype="text/plain")


def _outlets() -> list[Outlet]:
    return list(db.session.scalars(select(Outlet).order_by(Outlet.kind, Outlet.name)))


def _names(ids: set[int | None]) -> dict[int, str]:
    rows = db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(ids)))
    return {user_id: name or email for user_id, name, email in rows}


def _number(value: str) -> int:
    """A row id from the address; something else finds nothing."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else -1


def _keep(name: str, value: str, allowed: Container[str]) -> AnyResponse:
    if value not in allowed:
        raise BadRequest
    response = redirect(local_path(request.args.get("next")))
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(name, value, max_age=COOKIE_AGE_S, secure=secure, samesite="Lax")
    return response
