"""Bulk registration, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from service.audit import CLI, Event
from service.errors import NotFound
from service.outlets.models import Outlet
from service.works import importing
from service.works.importing import import_works
from service.works.models import Work, WorkVersion
from service.works.operations import change_work_state
from tests import factories as make


def row(number: int, **over: Any) -> dict[str, Any]:
    text = f"{make.TEXT}\n第{number}篇另有一段自己的话，好与别篇分开。"
    return {"id": f"n-{number}", "title": f"第{number}篇", "text": text, "published_at": "2026-3-2 08:16:00", **over}


def write(path: Path, *rows: Any) -> Path:
    lines = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=True) for one in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def count(session: Any, model: Any = Work) -> int:
    return int(session.scalar(select(func.count(model.id))))


@pytest.fixture
def outlet(any_session: Any) -> Outlet:
    outlet = make.make_outlet(any_session, code="XLRB")
    any_session.commit()
    return outlet


def test_a_file_is_registered_once_however_often_it_is_imported(
    any_session: Any, outlet: Outlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 3)
    path, seen = write(tmp_path / "a.jsonl", *(row(n) for n in range(7))), []
    first = import_works(any_session, CLI, path, "XLRB", on_progress=seen.append)
    any_session.commit()
    again = import_works(any_session, CLI, path, "XLRB")
    any_session.commit()
    assert (first.read, first.created, first.is_written, seen) == (7, 7, True, [3, 6, 7])
    assert (again.created, again.unchanged, again.amended) == (0, 7, 0) and count(any_session) == 7
    verbs = dict(any_session.execute(select(Event.verb, func.count()).group_by(Event.verb)).all())
    assert (verbs["works.imported"], verbs["work.submit"], verbs["work.register"]) == (1, 7, 7)


def test_one_bad_row_keeps_all_out_unless_partial(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(1), '{"id": ', row(3, text=""), row(4), row(1))
    report = import_works(any_session, CLI, path, "XLRB")
    any_session.commit()
    assert [(one.line, one.field) for one in report.refused] == [(2, ""), (3, "text"), (5, "id")]
    assert not report.is_written and count(any_session) == count(any_session, WorkVersion) == 0
    assert import_works(any_session, CLI, path, "XLRB", partial=True).is_written
    any_session.commit()
    assert count(any_session) == 2


def test_a_dry_run_reports_and_writes_nothing(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    events = count(any_session, Event)
    report = import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1)), "XLRB", dry_run=True)
    any_session.commit()
    assert report.created == 1 and not report.is_written
    assert (count(any_session), count(any_session, Event)) == (0, events)


def test_changed_text_amends_and_the_same_text_elsewhere_is_named(
    any_session: Any, outlet: Outlet, tmp_path: Path
) -> None:
    import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1), row(2)), "XLRB")
    rows = (row(1, text=make.TEXT + "更正"), row(2), row(3, text=row(2)["text"]))
    report = import_works(any_session, CLI, write(tmp_path / "b.jsonl", *rows), "XLRB")
    any_session.commit()
    second = any_session.scalars(select(Work).where(Work.external_id == "n-2")).one()
    assert (report.amended, report.unchanged, report.created) == (1, 1, 1)
    assert report.same_text == [(3, second.number)]


def test_the_row_names_its_outlet_and_the_option_wins(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    other = make.make_outlet(any_session, code="XLWB")
    path = write(tmp_path / "a.jsonl", row(1, outlet="XLWB"))
    import_works(any_session, CLI, path)
    assert any_session.scalars(select(Work.outlet_id)).all() == [other.id]
    import_works(any_session, CLI, path, "XLRB")
    assert any_session.scalars(select(Work.outlet_id).order_by(Work.id)).all() == [other.id, outlet.id]


def test_an_unknown_outlet_is_refused(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    report = import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1, outlet="ZZ"), row(2)))
    assert [(one.line, one.field) for one in report.refused] == [(1, "outlet"), (2, "outlet")]
    with pytest.raises(NotFound, match="ZZ"):
        import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1)), "ZZ")


def test_a_row_that_only_the_registry_can_judge_is_refused_alone(
    any_session: Any, outlet: Outlet, tmp_path: Path
) -> None:
    import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1)), "XLRB")
    work = any_session.scalars(select(Work)).one()
    change_work_state(any_session, CLI, work, "withdraw", "有误")
    rows = (row(2), row(1, text=make.TEXT + "改"), row(3, url="http://[bad/"), row(4))
    report = import_works(any_session, CLI, write(tmp_path / "b.jsonl", *rows), "XLRB", partial=True)
    assert [(one.line, one.field) for one in report.refused] == [(2, "id"), (3, "url")] and report.created == 2


def test_csv_and_jsonl_register_the_same_work(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    text = row(1)["text"]
    csv.write_bytes(f'编号,标题,正文,刊发时间\nn-1,第1篇,"{text}",2026-3-2 08:16:00\n'.encode("gb18030"))
    assert import_works(any_session, CLI, csv, "XLRB").created == 1
    again = import_works(any_session, CLI, write(tmp_path / "a.jsonl", row(1)), "XLRB")
    assert (again.unchanged, again.created) == (1, 0)


def test_more_rows_cost_no_more_statements(any_session: Any, outlet: Outlet, tmp_path: Path) -> None:
    statements: list[str] = []
    event.listen(any_session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    costs = []
    for name, numbers in (("a", range(10)), ("b", range(10, 40))):
        statements.clear()
        import_works(any_session, CLI, write(tmp_path / name, *(row(n) for n in numbers)), "XLRB")
        costs.append(len(statements))
    assert costs[1] <= costs[0] + 2
