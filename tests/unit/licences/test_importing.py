"""Historic licences and channels from CSV files, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.audit import CLI
from service.licences.importing import import_channels, import_licences
from service.licences.models import Licence
from service.parties.models import Channel, Party
from tests import factories as make

LICENCES = "reference,party,scope,works,outlets,acts,channels,valid_from,valid_to,perpetual,credit_text\n"
CHANNELS = "party,relation,kind,identifier,outlet\n"


def write(path: Path, head: str, *lines: str) -> Path:
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_paper_licences_are_recorded_once_with_party_and_channels(any_session: Any, tmp_path: Path) -> None:
    outlet = make.make_outlet(any_session, code="XLRB")
    work = make.make_work(any_session, outlet=outlet, external_id="rb-1")
    path = write(
        tmp_path / "l.csv",
        LICENCES,
        "L1,河口融媒,blanket,,XLRB,转载；摘编,domain:Hekou.example;公众号:hekou,2025-7-15,2027-07-14,,来源：雪岭日报",
        f"L2,河口融媒,works,rb-1;{work.number},,repost,*,,,,",
        "L3,晨谷资讯,blanket,,,,,2020-01-01,,是,",
    )
    first, again = (import_licences(any_session, CLI, path, at=make.NOW) for _ in range(2))
    any_session.commit()
    assert (first.created, first.refused, again.created, again.unchanged) == (3, [], 0, 3)
    one, two, three = any_session.scalars(select(Licence).order_by(Licence.reference))
    assert [channel.identifier for channel in one.channels] == ["hekou.example", "hekou"]
    assert (one.acts, one.state, one.is_historic) == (["repost", "excerpt"], "active", True)
    assert (two.works, two.all_channels, two.valid_from, two.valid_to) == ([work], True, None, None)
    assert three.is_perpetual and three.acts == [] and three.channels == []


def test_a_licence_recorded_with_other_terms_is_refused(any_session: Any, tmp_path: Path) -> None:
    import_licences(any_session, CLI, write(tmp_path / "a.csv", LICENCES, "L1,甲,blanket,,,repost,*,,,,"))
    report = import_licences(any_session, CLI, write(tmp_path / "b.csv", LICENCES, "L1,甲,blanket,,,excerpt,*,,,,"))
    assert "other terms" in report.refused[0].reason


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (",甲,blanket,,,,,,,,", "reference"),
        ("L1,,blanket,,,,,,,,", "party"),
        ("L1,甲,all,,,,,,,,", "scope"),
        ("L1,甲,works,,,,,,,,", "works"),
        ("L1,甲,works,nope,,,,,,,", "works"),
        ("L1,甲,works,YJ-W-2026-99999999999999999999,,,,,,,", "works"),
        ("L1,甲,blanket,,,steal,,,,,", "acts"),
        ("L1,甲,blanket,,,,hekou.example,,,,", "channels"),
        ("L1,甲,blanket,,,,domain:com.cn,,,,", "identifier"),
        ("L1,甲,blanket,,,,,2026-02-30,,,", "valid_from"),
        ("L1,甲,blanket,,,,,2026-02-03,2025-01-01,,", "valid_to"),
        ("L1,甲,blanket,,,,,,2027-01-01,是,", "perpetual"),
        ("L1,甲,blanket,,,,,,,perhaps,", "perpetual"),
    ],
)
def test_a_bad_licence_row_is_refused_by_field_and_leaves_nothing(
    session: Any, tmp_path: Path, line: str, field: str
) -> None:
    path = write(tmp_path / "l.csv", LICENCES, "L0,乙,blanket,,,,,,,,", line)
    report = import_licences(session, CLI, path)
    session.commit()
    assert [(one.line, one.field) for one in report.refused] == [(3, field)]
    assert not field or not report.refused[0].reason.startswith(field)
    for model in (Licence, Party, Channel):
        assert session.scalar(select(func.count(model.id))) == 0


def test_an_external_id_that_two_outlets_use_needs_its_outlet(any_session: Any, tmp_path: Path) -> None:
    for code in ("AA", "BB"):
        make.make_work(any_session, outlet=make.make_outlet(any_session, code=code), external_id="7")
    path = write(tmp_path / "l.csv", LICENCES, "L1,甲,works,7,,,,,,,", "L2,甲,works,7,BB,,,,,,")
    assert [one.line for one in import_licences(any_session, CLI, path).refused] == [2]


def test_channels_are_recorded_once_and_a_dry_run_writes_nothing(any_session: Any, tmp_path: Path) -> None:
    make.make_outlet(any_session, code="XLRB")
    lines = (
        "雪岭日报网,own,domain,daily.example,XLRB",
        "友报,合作方,微博,@友报,",
        "某站,,domain,https://Some.example/,",
    )
    path = write(tmp_path / "c.csv", CHANNELS, *lines)
    assert import_channels(any_session, CLI, path, dry_run=True).created == 3
    assert any_session.scalar(select(func.count(Party.id))) == 0
    first, again = import_channels(any_session, CLI, path), import_channels(any_session, CLI, path)
    any_session.commit()
    assert (first.created, again.created, again.unchanged, again.refused) == (3, 0, 3, [])
    relations = dict(any_session.execute(select(Party.name, Party.relation)).all())
    assert relations == {"雪岭日报网": "own", "友报": "partner", "某站": "third"}


def test_contradictions_about_channels_are_refused(any_session: Any, tmp_path: Path) -> None:
    make.make_channel(any_session, "taken.example")
    lines = (
        "甲,third,domain,taken.example,",
        "乙,partner,domain,b.example,",
        "乙,third,domain,c.example,",
        "丙,own,domain,d.example,",
        "丁,third,radio,e.example,",
    )
    report = import_channels(any_session, CLI, write(tmp_path / "c.csv", CHANNELS, *lines))
    assert [one.line for one in report.refused] == [2, 4, 5, 6]
