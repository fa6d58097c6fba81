"""Mandates from a CSV file."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from service.audit import Actor
from service.clock import parse_day
from service.errors import BadInput, Conflict
from service.kinds import form_code
from service.outlets.models import GRANT_KINDS
from service.outlets.operations import add_mandate, find_mandate, find_outlet
from service.sheets import Row, TableReport, cell, import_table, parts, yes_or_no

_BY_NAME = {name: code for code, name in GRANT_KINDS.items()}


def import_mandates(session: Session, actor: Actor, path: Path, *, dry_run: bool = False) -> TableReport:
    """Records the mandates of a file; those recorded already with the same terms are left as they are.

    Columns: outlet, grant_kind, valid_from, and optionally valid_to, forms, rights, may_sublicense, may_enforce.
    """

    def take(row: Row) -> bool:
        outlet = find_outlet(session, cell(row, "outlet"))
        grant_kind = cell(row, "grant_kind")
        grant_kind = _BY_NAME.get(grant_kind, grant_kind)
        valid_from = parse_day(cell(row, "valid_from"), "valid_from")
        valid_to = parse_day(cell(row, "valid_to"), "valid_to") if cell(row, "valid_to") else None
        terms = {
            "valid_to": valid_to,
            "forms": [_form(name) for name in parts(row, "forms")],
            "rights": parts(row, "rights"),
            "may_sublicense": yes_or_no(row, "may_sublicense"),
            "may_enforce": yes_or_no(row, "may_enforce"),
        }
        known = find_mandate(session, outlet.id, grant_kind, valid_from)
        if known is None:
            add_mandate(session, actor, outlet, grant_kind, valid_from, **terms)  # type: ignore[arg-type]  # checked above
            return True
        if any(getattr(known, name) != value for name, value in terms.items()):
            raise Conflict(
                f"the mandate “{grant_kind}” of {outlet.code} from {valid_from} is recorded with other terms"
            )
        return False

    return import_table(session, path, ("outlet", "grant_kind", "valid_from"), take, dry_run=dry_run)


def _form(name: str) -> str:
    code = form_code(name)
    if code is None:
        raise BadInput(f"forms: “{name[:20]}” is no media form", "forms")
    return code
