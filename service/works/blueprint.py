"""The blueprint of works, and the filter that the library and the registry read from their addresses."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.licences.sentences import reason_text
from service.outlets.models import Outlet
from service.words import choices, short_address, state_choices, word
from service.works.queries import WorkFilter

bp = Blueprint("works", __name__)
bp.add_app_template_global(word)
bp.add_app_template_global(choices)
bp.add_app_template_global(state_choices)
bp.add_app_template_global(reason_text)
bp.add_app_template_filter(short_address, "address")


def chosen_works() -> WorkFilter:
    """The filter in the address; what means nothing is left out."""
    args = request.args
    outlet_id, year = args.get("outlet", type=int), args.get("year", type=int)
    return WorkFilter(
        q=args.get("q", "").strip()[:200].replace("\x00", ""),
        outlet_id=outlet_id if outlet_id is not None and 0 < outlet_id < 2**63 else None,
        form=args.get("form", ""),
        year=year if year is not None and 1900 <= year <= 2099 else None,
        state=args.get("state", ""),
    )


def list_outlets(session: Session) -> Sequence[tuple[int, str]]:
    """Outlets for a filter or a form: (id, name)."""
    return [(row.id, row.name) for row in session.execute(select(Outlet.id, Outlet.name).order_by(Outlet.name))]
