"""Outlets, mandates, statements: which held on which day, on both databases."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.audit import CLI
from service.errors import BadInput, Conflict, NotFound
from service.outlets.importing import import_mandates
from service.outlets.models import Mandate
from service.outlets.operations import add_outlet, find_outlet, mandate_on, reservation_on
from tests import factories as make

HEAD = "outlet,grant_kind,forms,rights,valid_from,valid_to,may_sublicense,may_enforce\n"


def test_a_mandate_holds_from_its_first_to_its_last_day(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    mandate = make.make_mandate(any_session, outlet, valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 31))
    held = [mandate_on(any_session, outlet.id, "text", date(2026, m, d)) for m, d in ((1, 1), (1, 31), (2, 1))]
    assert held == [mandate, mandate, None]
    assert mandate_on(any_session, outlet.id, "text", date(2025, 12, 31)) is None


def test_a_mandate_over_some_forms_covers_no_others(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    make.make_mandate(any_session, outlet, forms=["photograph"])
    assert mandate_on(any_session, outlet.id, "text", date(2026, 1, 1)) is None
    assert mandate_on(any_session, outlet.id, "photograph", date(2026, 1, 1)) is not None


def test_of_several_mandates_the_strongest_grant_is_meant(any_session: Any) -> None:
    outlet = make.make_outlet(any_session)
    make.make_mandate(any_session, outlet, grant_kind="agency", valid_from=date(2025, 6, 1))
    strong = make.make_mandate(any_session, outlet, grant_kind="assignment")
    assert mandate_on(any_session, outlet.id, "text", date(2026, 1, 1)) is strong


def test_the_first_statement_that_concerns_the_outlet_counts(any_session: Any) -> None:
    outlet, other = make.make_outlet(any_session), make.make_outlet(any_session)
    make.make_reservation(any_session, outlet=other, published_on=date(2025, 1, 1))
    centre = make.make_reservation(any_session)
    own = make.make_reservation(any_session, outlet=outlet, published_on=date(2025, 12, 1))
    assert reservation_on(any_session, outlet.id, date(2025, 9, 14)) is None
    assert reservation_on(any_session, outlet.id, date(2025, 9, 15)) is centre
    assert reservation_on(any_session, outlet.id, date(2026, 1, 1)) is centre and own.id
    with pytest.raises(Conflict):
        make.make_reservation(any_session)


@pytest.mark.parametrize("over", [{"text": " "}, {"address": ""}])
def test_a_statement_that_says_nothing_or_stands_nowhere_is_refused(session: Any, over: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        make.make_reservation(session, **over)


def test_outlets_have_sound_codes_and_are_found_by_them(any_session: Any) -> None:
    outlet = add_outlet(any_session, CLI, "XLRB", "雪岭日报")
    assert find_outlet(any_session, "XLRB") is outlet
    with pytest.raises(NotFound, match="ZZ"):
        find_outlet(any_session, "ZZ")
    for code, name, kind in (("XLRB", "别名", "newspaper"), ("XX", "雪岭日报", "newspaper")):
        with pytest.raises(Conflict):
            add_outlet(any_session, CLI, code, name, kind)
    for code, name, kind in (("坏 码", "名", "newspaper"), ("OK", " ", "newspaper"), ("OK", "名", "radio")):
        with pytest.raises(BadInput):
            add_outlet(any_session, CLI, code, name, kind)


def test_mandates_are_imported_once_and_other_terms_are_refused(any_session: Any, tmp_path: Path) -> None:
    make.make_outlet(any_session, code="XLRB")
    path = tmp_path / "m.csv"
    path.write_text(HEAD + "XLRB,专有许可,文字;photograph,,2025-7-1,2030-06-30,是,yes\n", encoding="utf-8")
    first = import_mandates(any_session, CLI, path)
    again = import_mandates(any_session, CLI, path)
    assert (first.created, again.created, again.unchanged, again.refused) == (1, 0, 1, [])
    mandate = any_session.scalars(select(Mandate)).one()
    assert (mandate.grant_kind, mandate.forms, mandate.may_enforce) == ("exclusive", ["text", "photograph"], True)
    path.write_text(HEAD + "XLRB,exclusive,,,2025-7-1,,,\n", encoding="utf-8")
    assert "other terms" in import_mandates(any_session, CLI, path).refused[0].reason


def test_a_file_of_bad_mandates_is_refused_line_by_line(any_session: Any, tmp_path: Path) -> None:
    make.make_outlet(any_session, code="XLRB")
    path = tmp_path / "m.csv"
    lines = (
        "ZZ,exclusive,,,2025-07-01,,,",
        "XLRB,rental,,,2025-07-01,,,",
        "XLRB,plain,opera,,2025-07-01,,,",
        "XLRB,plain,,,2025-02-30,,,",
        "XLRB,plain,,,2025-07-01,2024-07-01,,",
        "XLRB,plain,,,2025-07-01,,maybe,",
        "XLRB,plain,,,2025-07-01,,,",
    )
    path.write_text(HEAD + "\n".join(lines), encoding="utf-8")
    report = import_mandates(any_session, CLI, path)
    assert [one.line for one in report.refused] == [2, 3, 4, 5, 6, 7]
    assert any_session.scalar(select(func.count(Mandate.id))) == 0
