"""The registry's pages for staff: list, export, one work, a new work, a file of works."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Response, current_app, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug import Response as AnyResponse
from werkzeug.utils import secure_filename

from service.accounts.models import User
from service.audit import Actor, Event
from service.clock import parse_moment, utc_now
from service.errors import BadInput, NotFound, YinjiError
from service.exports import MOST_ROWS, csv_lines
from service.extensions import db, reading
from service.outlets.models import Outlet
from service.paging import count_capped
from service.portal.edge import commit
from service.portal.formats import shanghai
from service.portal.looks import state_look
from service.sightings.flags import Flag
from service.words import word
from service.works import queries
from service.works.blueprint import bp, chosen_works, list_outlets
from service.works.forms import ImportForm, WorkForm
from service.works.importing import ImportReport, import_works
from service.works.models import Work
from service.works.operations import Registered, WorkDraft, register_work
from service.works.queries import WorkFilter

PAGE_ROWS = 50
MOST_REFUSALS = 200
"""Refused rows printed; the figure above them counts all."""


@bp.get("/desk/works")
def desk_list() -> str:
    """The registry: filters, one page, count."""
    session, chosen = db.session(), chosen_works()
    after, before = request.args.get("after", ""), request.args.get("before", "")
    return render_template(
        "works/list.html",
        chosen=chosen,
        part=queries.fetch_works(session, chosen, is_public=False, after=after, before=before, limit=PAGE_ROWS),
        total=count_capped(session, queries.select_works(chosen, is_public=False)),
        outlets=list_outlets(session),
        years=queries.years_of(session),
    )


@bp.get("/desk/works.csv")
def export_works() -> Response:
    """The filtered registry as CSV, at most MOST_ROWS rows."""
    heads = [_("编号"), _("状态"), _("标题"), _("媒体"), _("形式"), _("作者署名"), _("首次刊发时间"), _("媒体内部编号")]
    lines = csv_lines(heads, _export_rows(chosen_works()))
    response = Response(stream_with_context(line.encode() for line in lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="yinji-works.csv"'
    return response


def _export_rows(chosen: WorkFilter) -> Iterator[list[object]]:
    after = ""
    for _page in range(MOST_ROWS // 500):
        with reading(db.session()):  # a slow download must not hold the write lock
            part = queries.fetch_works(db.session(), chosen, is_public=False, after=after, limit=500)
            rows = [_export_row(work) for work in part.rows]
        yield from rows
        db.session.expunge_all()
        if part.after is None:
            return
        after = part.after


def _export_row(work: Work) -> list[object]:
    return [
        work.number,
        state_look("work", work.state).word,
        work.title,
        work.outlet.name,
        word("form", work.form),
        work.byline,
        shanghai(work.first_published_at) if work.first_published_at else "",
        work.external_id,
    ]


@bp.get("/desk/works/<int:work_id>")
def desk_show(work_id: int) -> str:
    """One work with all its records and what happened to it."""
    session = db.session()
    work = queries.load_work(session, work_id)
    if work is None:
        raise NotFound(_("没有这件作品。"))
    events = session.scalars(
        select(Event)
        .where(Event.subject_kind == Work.__tablename__, Event.subject_id == work.id)
        .order_by(Event.id.desc())
    ).all()
    actors = {event.actor_id for event in events if event.actor_kind == "user"}
    people = session.execute(select(User.id, User.name, User.email).where(User.id.in_(actors)))
    flags = session.scalars(
        select(Flag)
        .where(Flag.work_id == work.id)
        .options(joinedload(Flag.page), joinedload(Flag.match))
        .order_by(Flag.id.desc())
        .limit(50)
    ).all()
    same = session.scalars(select(Work).where(Work.same_text_as_id == work.id).order_by(Work.id).limit(20)).all()
    return render_template(
        "works/show.html",
        work=work,
        events=events,
        names={row.id: row.name or row.email for row in people},
        flags=flags,
        same=same,
    )


@bp.route("/desk/works/new", methods=["GET", "POST"])
def desk_new() -> str | AnyResponse | tuple[str, int]:
    """A new work. Where the same text is registered already the page says so and asks once more."""
    form, session = WorkForm(), db.session()
    form.outlet_id.choices = list_outlets(session)
    if not form.is_submitted():
        return render_template("works/new.html", form=form, same=None)
    same: Work | None = None
    if form.validate():
        try:
            done = register_work(session, Actor.user(current_user.id), _draft(form), utc_now())
        except YinjiError as error:
            _say(form, error)
        else:
            if done.duplicate_of is None or not done.created or form.accept_same.data:
                commit()
                flash(_said(done), "success")
                return redirect(url_for("works.desk_show", work_id=done.work.id))
            same_id = done.duplicate_of.id
            session.rollback()
            same = session.get(Work, same_id, options=[joinedload(Work.outlet)])
    session.rollback()
    return render_template("works/new.html", form=form, same=same and queries.load_work(session, same.id)), 422


def _draft(form: WorkForm) -> WorkDraft:
    names = ("title", "subtitle", "form", "byline", "owner", "authorship", "url", "edition_page")
    stated = {name: (form[name].data or "").strip() for name in names}
    published = (form.published_at.data or "").strip()
    return WorkDraft(
        outlet=db.session.get_one(Outlet, form.outlet_id.data),
        text=form.text.data.replace("\r\n", "\n").strip(),
        external_id=(form.external_id.data or "").strip() or None,
        published_at=parse_moment(published) if published else None,
        **stated,
    )


def _say(form: WorkForm, error: YinjiError) -> None:
    """Puts an operation's complaint beside its field."""
    name = getattr(error, "field", None) or "text"
    (form[name] if name in form else form.text).errors = [error.message]  # noqa: SIM401  a form has no get()


def _said(done: Registered) -> str:
    if done.created:
        return str(_("已登记，编号 %(number)s。", number=done.work.number))
    if done.amended:
        return str(_("已变更登记 %(number)s。", number=done.work.number))
    return str(_("这件作品登记过（%(number)s），内容没有变化。", number=done.work.number))


@bp.route("/desk/works/import", methods=["GET", "POST"])
def desk_import() -> str | AnyResponse | tuple[str, int]:
    """A file of works in two steps: looked through first, then written. The file is kept between them by its hash."""
    form, session = ImportForm(), db.session()
    outlets = session.execute(select(Outlet.code, Outlet.name).order_by(Outlet.name)).all()
    form.outlet.choices = [("", _("文件中写明")), *((row.code, row.name) for row in outlets)]
    if "kept" in request.form:
        return _write_kept(request.form["kept"], partial=request.form.get("partial") == "1")
    if not form.is_submitted():
        return render_template("works/import.html", form=form, report=None)
    if form.validate():
        body = form.file.data.read()
        suffix = ".csv" if form.file.data.filename.lower().endswith(".csv") else ".jsonl"
        outlet_code = form.outlet.data or ""
        try:
            report = _run(body, suffix, outlet_code, dry_run=True)
        except (BadInput, NotFound) as error:
            form.file.errors = [error.message]
        else:
            session.rollback()
            digest = current_app.extensions["yinji_blobs"].put(body)
            name = secure_filename(form.file.data.filename) or f"works{suffix}"
            kept = _signer().dumps([digest, suffix, outlet_code, name])
            return render_template("works/import.html", form=form, report=report, kept=kept, limit=MOST_REFUSALS)
    session.rollback()
    return render_template("works/import.html", form=form, report=None), 422


def _write_kept(kept: str, *, partial: bool) -> AnyResponse | tuple[str, int]:
    """The second step: writes the file that was looked through."""
    try:
        digest, suffix, outlet_code, name = _signer().loads(kept)
    except BadSignature:
        raise BadInput(_("预检结果已失效，请重新选择文件。"), "file") from None
    body = current_app.extensions["yinji_blobs"].get(digest)
    report = _run(body, suffix, outlet_code, partial=partial)
    commit()
    if not report.is_written:
        return render_template("works/import.html", form=None, report=report, kept=kept, limit=MOST_REFUSALS), 422
    flash(
        _(
            "%(name)s 已导入：新登记 %(created)s 件，变更 %(amended)s 件，未变 %(unchanged)s 件，拒收 %(refused)s 行。",
            name=name,
            created=report.created,
            amended=report.amended,
            unchanged=report.unchanged,
            refused=len(report.refused),
        ),
        "success",
    )
    return redirect(url_for("works.desk_list"))


def _run(body: bytes, suffix: str, outlet_code: str, *, dry_run: bool = False, partial: bool = False) -> ImportReport:
    """The import of these bytes, which it reads from a file."""
    with tempfile.TemporaryDirectory(prefix="yinji-import-") as folder:
        path = Path(folder, f"works{suffix}")
        path.write_bytes(body)
        return import_works(
            db.session(),
            Actor.user(current_user.id),
            path,
            outlet_code or None,
            dry_run=dry_run,
            partial=partial,
        )


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="works-import")
