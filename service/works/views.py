"""Pages of works: the public library, the desk's registry. Importing desk_views hangs its pages on the blueprint."""

from __future__ import annotations

from flask import render_template, request
from flask_babel import gettext as _

import service.works.desk_views  # noqa: F401  imported for its pages
from service.errors import NotFound
from service.extensions import db
from service.paging import count_capped
from service.works import queries
from service.works.blueprint import bp, chosen_works, list_outlets

__all__ = ["bp"]
PAGE_ROWS = 20


@bp.get("/works")
def list_works() -> str:
    """The library that everybody may search: registered works with whom to ask."""
    session, chosen = db.session(), chosen_works()
    part = queries.fetch_works(
        session,
        chosen,
        is_public=True,
        after=request.args.get("after", ""),
        before=request.args.get("before", ""),
        limit=PAGE_ROWS,
    )
    return render_template(
        "works/library.html",
        chosen=chosen,
        part=part,
        total=count_capped(session, queries.select_works(chosen, is_public=True)),
        leads=queries.leads_of(session, [work.id for work in part.rows]),
        outlets=list_outlets(session),
        years=queries.years_of(session),
    )


@bp.get("/works/<int:work_id>")
def show_work(work_id: int) -> str:
    """One registered work as strangers may see it: facts, rights and a short lead, never the text."""
    work = queries.load_public(db.session(), work_id)
    if work is None:
        raise NotFound(_("没有这件作品，或尚未登记。"))
    lead, length = queries.leads_of(db.session(), [work.id]).get(work.id, ("", 0))
    return render_template("works/public.html", work=work, lead=lead, length=length)
