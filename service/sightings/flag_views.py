"""Pages of review: the queue, one flag with both texts, and the decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug import Response as AnyResponse

from service.accounts.permissions import may_open
from service.audit import Actor
from service.errors import BadInput, Conflict
from service.exports import MOST_ROWS, csv_lines
from service.extensions import db, reading
from service.paging import count_capped
from service.portal.edge import commit
from service.portal.formats import shanghai
from service.portal.looks import state_look
from service.sightings import queue
from service.sightings.blueprint import bp
from service.sightings.flag_page import flag_context
from service.sightings.flags import Flag
from service.sightings.models import MATCH_KINDS, RULINGS
from service.sightings.queue import QueueFilter
from service.sightings.review import bulk_decide, decide_flag, find_flag
from service.words import word

PAGE_ROWS = 50
FILTERS = ("tab", "q", "kind", "ruling", "outlet", "coverage", "sort", "after", "before")
SEVERE, MIDDLING = 70, 40
"""Severity (0–100) from which a flag is 高, or 中."""


@bp.app_template_global()
def severity_word(severity: int) -> str:
    """高, 中 or 低."""
    return str(_("高") if severity >= SEVERE else _("中") if severity >= MIDDLING else _("低"))


@bp.get("/desk/flags")
def list_flags() -> str:
    """The queue of a tab, filtered and sorted as the address says."""
    session, chosen, just = db.session(), _chosen(), _just()
    after, before = request.args.get("after", ""), request.args.get("before", "")
    part = queue.fetch_flags(session, chosen, current_user.id, just=just, after=after, before=before, limit=PAGE_ROWS)
    return render_template(
        "sightings/flags.html",
        chosen=chosen,
        part=part,
        just=just,
        counts=queue.count_tabs(session, current_user.id),
        total=count_capped(session, queue.select_flags(chosen, current_user.id)),
        first=queue.first_flag(session, chosen, current_user.id),
        parties=queue.parties_of(session, [flag.page.host for flag in part.rows]),
        outlets=queue.list_outlets(session),
        coverages=queue.COVERAGES,
        may_decide=may_open(current_user, "sightings.decide_flag"),
    )


@bp.get("/desk/flags/<number>")
def show_flag(number: str) -> str:
    """One flag: what the machine found, the tests, both texts, and the decision."""
    return _page(find_flag(db.session(), number))


@bp.post("/desk/flags/<number>/decision", endpoint="decide_flag")
def take_decision(number: str) -> str | AnyResponse | tuple[str, int]:
    """One decision. A form that was shown before somebody else decided gets 409 and the present state."""
    flag = find_flag(db.session(), number)
    action, note = request.form.get("action", ""), request.form.get("note", "").strip()
    is_row = request.headers.get("X-Yinji-Part") == "row"
    try:
        decide_flag(
            db.session(),
            Actor.user(current_user.id),
            flag,
            action,
            revision=_revision(),
            dismiss_reason=request.form.get("dismiss_reason") or None,
            note=note,
        )
    except Conflict as error:
        db.session.rollback()
        flag = find_flag(db.session(), number)
        return render_template("sightings/conflict.html", flag=flag, message=error.message), 409
    except BadInput as error:
        db.session.rollback()
        if is_row:
            raise
        return _page(find_flag(db.session(), number), problem=error, note=note), 422
    commit()
    if is_row:
        return _row(number)
    if request.values.get("back") == "queue":
        return redirect(_queue_url([number]))
    return redirect(url_for("sightings.show_flag", number=number))


@bp.post("/desk/flags/bulk")
def bulk_flags() -> AnyResponse:
    """One action on the chosen flags (never *confirm*); what could not be done is said number by number."""
    numbers = request.form.getlist("number")[: queue.MOST_JUST_DECIDED]
    if not numbers:
        flash(_("请先选择线索。"), "warning")
        return redirect(_queue_url([]))
    done, problems = bulk_decide(
        db.session(),
        Actor.user(current_user.id),
        numbers,
        request.form.get("action", ""),
        dismiss_reason=request.form.get("dismiss_reason") or None,
    )
    commit()
    if done:
        flash(ngettext("已处理 %(num)d 条线索。", "已处理 %(num)d 条线索。", len(done)), "success")
    for number, problem in problems[:10]:
        flash(f"{number}: {problem}", "warning")
    return redirect(_queue_url(numbers))


@bp.get("/desk/flags.csv")
def export_flags() -> Response:
    """The filtered queue as CSV, at most MOST_ROWS rows, read in pages so that memory stays small."""
    heads = [_("编号"), _("状态"), _("首见"), _("末见"), _("作品编号"), _("标题"), _("媒体"), _("网址"), _("类型")]
    heads += [_("覆盖我方"), _("占对方"), _("改写覆盖我方"), _("改写占对方"), _("双方注明的引语"), _("疑似缩写")]
    heads += [_("许可判定"), _("标题改动"), _("署名来源"), _("严重程度"), _("排除理由")]
    lines = csv_lines(heads, _export_rows(_chosen(), current_user.id))
    response = Response(stream_with_context(line.encode() for line in lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="yinji-flags.csv"'
    return response


def _export_rows(chosen: QueueFilter, user_id: int) -> Iterator[list[object]]:
    after = ""
    for _page_number in range(MOST_ROWS // 500):
        with reading(db.session()):  # a slow download must not hold the write lock
            part = queue.fetch_flags(db.session(), chosen, user_id, after=after, limit=500)
            rows = [_export_row(flag) for flag in part.rows]
        yield from rows
        db.session.expunge_all()
        if part.after is None:
            return
        after = part.after


def _export_row(flag: Flag) -> list[object]:
    match, yes_no = flag.match, {True: _("是"), False: _("否"), None: _("不详")}
    return [
        flag.number,
        state_look("flag", flag.state).word,
        shanghai(flag.first_seen_at),
        shanghai(flag.last_seen_at),
        flag.work.number,
        flag.work.title,
        flag.work.outlet.name,
        flag.page.canonical_url,
        word("kind", match.kind),
        round(match.coverage_of_work, 4),
        round(match.coverage_of_page, 4),
        round(match.rewritten_coverage_of_work, 4),
        round(match.rewritten_coverage_of_page, 4),
        round(match.quoted_coverage_of_work, 4),
        yes_no[match.is_condensed],
        word("ruling", match.ruling.outcome) if match.ruling else "",
        yes_no[match.is_title_changed],
        yes_no[match.is_credited],
        flag.severity,
        word("dismissal", flag.dismiss_reason) if flag.dismiss_reason else "",
    ]


def _page(flag: Flag, *, problem: BadInput | None = None, note: str = "") -> str:
    may_decide = may_open(current_user, "sightings.decide_flag")
    context = flag_context(db.session(), flag, current_user.id)
    return render_template(
        "sightings/flag.html", flag=flag, may_decide=may_decide, problem=problem, typed_note=note, **context
    )


def _row(number: str) -> str:
    """The queue's row of one flag, as it is now."""
    flag = find_flag(db.session(), number)
    parties = queue.parties_of(db.session(), [flag.page.host])
    return render_template("sightings/_row.html", flag=flag, parties=parties, may_decide=True)


def _chosen() -> QueueFilter:
    """The filter in the address; words that mean nothing are left out."""
    args = request.args
    tab, kind, ruling, sort = (args.get(name, "") for name in ("tab", "kind", "ruling", "sort"))
    outlet_id = args.get("outlet", type=int)
    percent = args.get("coverage", 0, type=int)
    return QueueFilter(
        tab=tab if tab in queue.TABS else queue.TABS[0],
        q=args.get("q", "").strip()[:200].replace("\x00", ""),
        kind=kind if kind in MATCH_KINDS else "",
        ruling=ruling if ruling in RULINGS else "",
        outlet_id=outlet_id if outlet_id is not None and 0 < outlet_id < 2**63 else None,
        least_percent=percent if 0 <= percent <= 100 else 0,
        sort=sort if sort in queue.SORTS else "severity",
    )


def _just() -> list[int]:
    """Ids of the flags decided a moment ago, which stay in place."""
    return queue.flag_ids(request.args.get("just", "")[:2000].split(","))


@bp.app_template_global()
def kept_args() -> dict[str, Any]:
    """The queue's filter and place as they stand in the address, to be carried along."""
    return {name: value for name, value in request.args.items() if name in FILTERS and value}


def _queue_url(numbers: list[str]) -> str:
    """The queue as the form's own address named it, with the rows just decided kept in place."""
    return url_for("sightings.list_flags", **kept_args(), just=",".join(numbers) or None)


def _revision() -> int:
    """The revision that the form showed; anything else is a stale form."""
    shown = request.values.get("revision", "")  # a row of the queue carries it in the address of its button
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else -1
