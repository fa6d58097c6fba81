"""Pages of the parties outside: who they are, where they publish, what they may use, what was found."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from service.clock import shanghai_date, utc_now
from service.errors import NotFound
from service.extensions import db
from service.licences.models import Licence
from service.paging import SortKey, contains, count_capped, fetch_slice
from service.parties.models import RELATIONS, Channel, Party
from service.sightings.flags import Flag
from service.sightings.models import Page, Source

bp = Blueprint("parties", __name__)
PAGE_ROWS = 50


@bp.get("/desk/parties")
def list_parties() -> str:
    """All parties, newest first, found by name or channel."""
    q, relation = request.args.get("q", "").strip()[:200].replace("\x00", ""), request.args.get("relation", "")
    statement = select(Party).options(selectinload(Party.channels))
    if q:
        by_channel = select(Channel.party_id).where(contains(Channel.identifier, q))
        statement = statement.where(or_(contains(Party.name, q), Party.id.in_(by_channel)))
    if relation in RELATIONS:
        statement = statement.where(Party.relation == relation)
    session = db.session()
    after, before = request.args.get("after", ""), request.args.get("before", "")
    part = fetch_slice(session, statement, SortKey(Party.id, Party.id), after=after, before=before, limit=PAGE_ROWS)
    ids = [party.id for party in part.rows]
    licences = session.execute(
        select(Licence.party_id, func.count()).where(Licence.party_id.in_(ids)).group_by(Licence.party_id)
    ).all()
    return render_template(
        "parties/list.html",
        part=part,
        q=q,
        relation=relation,
        total=count_capped(session, statement),
        licences=dict(licences),
    )


@bp.get("/desk/parties/<int:party_id>")
def show_party(party_id: int) -> str:
    """One party with its channels, licences, sources and the flags on its hosts."""
    options = [selectinload(Party.channels)]
    party = db.session.get(Party, party_id, options=options) if party_id < 2**63 else None
    if party is None:
        raise NotFound(_("没有这个使用方。"))
    licences = db.session.scalars(
        select(Licence).where(Licence.party_id == party.id).order_by(Licence.id.desc()).limit(100)
    ).all()
    sources = db.session.scalars(select(Source).where(Source.party_id == party.id).order_by(Source.id)).all()
    return render_template(
        "parties/show.html",
        party=party,
        licences=licences,
        sources=sources,
        flags=_flags_on([channel.identifier for channel in party.channels if channel.kind == "domain"]),
        today=shanghai_date(utc_now()),
    )


def _flags_on(domains: list[str]) -> list[Flag]:
    """The newest flags on these domains and their subdomains."""
    if not domains:
        return []
    hosts = [Page.host.in_(domains), *(Page.host.endswith(f".{domain}", autoescape=True) for domain in domains)]
    statement = (
        select(Flag)
        .join(Flag.page)
        .where(or_(*hosts))
        .options(joinedload(Flag.page), joinedload(Flag.work), joinedload(Flag.match))
        .order_by(Flag.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(statement))
