"""Pages of monitoring: sources, and the ledger of each scan with its live progress."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload
from werkzeug import Response as AnyResponse

from service.audit import Actor
from service.clock import utc_now
from service.errors import Conflict, NotFound, Refused, YinjiError
from service.extensions import db
from service.intake.guard import check_address
from service.paging import SortKey, fetch_slice
from service.parties.models import Party
from service.portal.edge import commit
from service.sightings.blueprint import bp
from service.sightings.flags import Flag
from service.sightings.forms import SourceForm
from service.sightings.models import OUTCOMES, Scan, Sighting, Source
from service.sightings.scans import add_source, scan_progress, start_scan

PAGE_ROWS = 50


@bp.get("/desk/sources")
def list_sources() -> str:
    """What is watched, each with its latest scan and how it ended, in three queries."""
    sources = db.session.scalars(select(Source).options(joinedload(Source.party)).order_by(Source.id)).all()
    newest = select(func.max(Scan.id)).group_by(Scan.source_id)
    scans = {scan.source_id: scan for scan in db.session.scalars(select(Scan).where(Scan.id.in_(newest)))}
    return render_template(
        "sightings/sources.html", sources=sources, scans=scans, counts=_outcomes([scan.id for scan in scans.values()])
    )


@bp.route("/desk/sources/new", methods=["GET", "POST"])
def new_source() -> str | AnyResponse | tuple[str, int]:
    """A new source; its address is checked as a fetch would check it, the name's addresses included."""
    form = SourceForm()
    parties = db.session.execute(select(Party.id, Party.name).order_by(Party.name)).all()
    form.party_id.choices = [("", _("不清楚")), *((str(row.id), row.name) for row in parties)]
    if not form.is_submitted():
        return render_template("sightings/new_source.html", form=form)
    if form.validate() and (source := _add(form)) is not None:
        flash(_("已开始监测“%(name)s”。现在可以扫描一次。", name=source.name), "success")
        return redirect(url_for("sightings.list_sources"))
    return render_template("sightings/new_source.html", form=form), 422


def _add(form: SourceForm) -> Source | None:
    """The new source, or None with the reason beside its field."""
    allow = current_app.config["YINJI"].fetch_allow
    db.session.rollback()  # asking for a name's addresses may take long; no transaction waits for it
    try:
        check_address(form.address.data.strip(), allow)
        party = db.session.get(Party, form.party_id.data) if form.party_id.data else None
        source = add_source(
            db.session(),
            Actor.user(current_user.id),
            form.name.data,
            form.address.data,
            kind=form.kind.data,
            party=party,
            allow=allow,
        )
    except (Refused, Conflict) as error:
        form.address.errors = [_("%(reason)s。请核对后重填。", reason=error.message.rstrip("。"))]
    except YinjiError as error:
        getattr(form, getattr(error, "field", None) or "", form.address).errors = [error.message]
    else:
        commit()
        return source
    db.session.rollback()
    return None


@bp.post("/desk/sources/<int:source_id>/scan")
def scan_now(source_id: int) -> AnyResponse:
    """Starts a scan of a source; a second press joins the one that runs."""
    source = db.session.get(Source, source_id)
    if source is None:
        raise NotFound(_("没有这个监测源。"))
    key = f"manual:{source.id}:{utc_now():%Y%m%dT%H%M%S}"
    scan = start_scan(db.session(), Actor.user(current_user.id), source, "manual", key)
    commit()
    return redirect(url_for("sightings.show_scan", scan_id=scan.id))


@bp.get("/desk/scans")
def list_scans() -> str:
    """All scans, newest first, with their counts."""
    statement = select(Scan).options(joinedload(Scan.source))
    if (source_id := request.args.get("source", type=int)) is not None and 0 < source_id < 2**63:
        statement = statement.where(Scan.source_id == source_id)
    part = _slice(statement, SortKey(Scan.id, Scan.id))
    sources = [(row.id, row.name) for row in db.session.execute(select(Source.id, Source.name).order_by(Source.name))]
    return render_template(
        "sightings/scans.html", part=part, counts=_outcomes([scan.id for scan in part.rows]), sources=sources
    )


@bp.get("/desk/scans/<int:scan_id>")
def show_scan(scan_id: int) -> str:
    """One scan as a ledger: its counts, its problem, and each page with its outcome and reason."""
    scan = db.session.get(Scan, scan_id, options=[joinedload(Scan.source)]) if scan_id < 2**63 else None
    if scan is None:
        raise NotFound(_("没有这次扫描。"))
    statement = select(Sighting).where(Sighting.scan_id == scan.id).options(joinedload(Sighting.page))
    outcome = request.args.get("outcome", "")
    if outcome in OUTCOMES:
        statement = statement.where(Sighting.outcome == outcome)
    part = _slice(statement, SortKey(Sighting.id, Sighting.id))
    page_ids = [sighting.page_id for sighting in part.rows]
    flags: dict[int, list[Flag]] = {}
    for flag in db.session.scalars(select(Flag).where(Flag.page_id.in_(page_ids)).order_by(Flag.id)):
        flags.setdefault(flag.page_id, []).append(flag)
    counts = _outcomes([scan.id]).get(scan.id, {})
    return render_template(
        "sightings/scan.html",
        scan=scan,
        part=part,
        flags=flags,
        counts=counts,
        outcome=outcome,
        outcomes=[code for code in OUTCOMES if counts.get(code) or code == outcome],
        progress=scan_progress(db.session(), scan.id),
    )


@bp.get("/desk/scans/<int:scan_id>/status")
def scan_status(scan_id: int) -> Response:
    """Counts by outcome as JSON, for the live progress."""
    if scan_id >= 2**63:
        raise NotFound(_("没有这次扫描。"))
    return jsonify(scan_progress(db.session(), scan_id))


def _outcomes(scan_ids: list[int]) -> dict[int, dict[str, int]]:
    """Counts by outcome of each scan, in one query."""
    found: dict[int, dict[str, int]] = {scan_id: {} for scan_id in scan_ids}
    statement = (
        select(Sighting.scan_id, Sighting.outcome, func.count())
        .where(Sighting.scan_id.in_(scan_ids))
        .group_by(Sighting.scan_id, Sighting.outcome)
    )
    for scan_id, outcome, count in db.session.execute(statement):
        found[scan_id][outcome] = count
    return found


def _slice(statement: Any, key: SortKey) -> Any:
    """The page of a list that the address asks for."""
    after, before = request.args.get("after", ""), request.args.get("before", "")
    return fetch_slice(db.session(), statement, key, after=after, before=before, limit=PAGE_ROWS)
