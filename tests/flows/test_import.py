"""`works import` and its neighbours as an operator runs them: one clear line and a non-zero exit, or the work done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from service.app import create_app
from service.cli import main
from service.config import load
from service.extensions import db
from service.outlets.models import Outlet
from service.works.models import Work
from tests.factories import TEXT

Run = Callable[..., tuple[int, str, str]]
ARTICLES = Path("service/demo/content/xueling-daily.jsonl")


@pytest.fixture
def run(any_app: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command in this process on the test's database; (exit code, standard output, standard error)."""

    def run_command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["yinji", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    code, _, _ = run_command("outlets", "add", "XLRB", "雪岭日报")
    assert code == 0
    return run_command


def rows_in_database() -> dict[str, int]:
    """How many rows each table holds."""
    app = create_app(load())
    with app.app_context():
        names = sorted(db.metadata.tables)
        counts = {name: int(db.session.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0) for name in names}  # noqa: S608  our own names
        db.session.remove()
        db.engine.dispose()
    return counts


def line(**over: Any) -> str:
    return json.dumps({"id": "1", "title": "修渠记", "text": TEXT, "published_at": "2026-03-02", **over}) + "\n"


def test_the_demo_newspaper_imports_and_imports_again(run: Run) -> None:
    code, out, _ = run("works", "import", ARTICLES)
    count = len(ARTICLES.read_text("utf-8").splitlines())
    assert code == 0 and f"{count} read, {count} new" in out
    code, out, _ = run("works", "import", ARTICLES)
    assert code == 0 and f"0 new, 0 amended, {count} unchanged, 0 refused" in out
    code, out, _ = run("works", "list", "--limit", "3")
    assert code == 0 and len(out.splitlines()) == 3 and "XLRB  registered" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "1", "title"\n', ":1: broken JSON"),
        (line() + line(id="2", text=""), ":2: text: empty"),
        (line(published_at="-5"), ":1: published_at: “-5” is not a date"),
        (line(published_at="2023-02-29"), ":1: published_at: "),
        (line(outlet="ZZ"), ":1: outlet: there is no outlet “ZZ”"),
        (line(outlet=None), ":1: outlet: missing"),
        (line(outlet="XLRB", text="啊" * 1_200_000), ":1: text: 1,200,000 characters"),
        (line(outlet="XLRB", text="a" * (10 * 2**20)), ":1: longer than"),
        (line(outlet="XLRB", text="\ud800" + TEXT), ":1: text: half a character"),
    ],
)
def test_a_bad_row_is_one_clear_line_and_nothing_is_written(run: Run, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "works.jsonl"
    path.write_text(line(id="0", outlet="XLRB", title="好的一行") + content, "utf-8")
    before = rows_in_database()
    code, out, err = run("works", "import", path, *(() if "outlet" in content else ("--outlet", "XLRB")))
    said = said.replace(":1:", ":2:") if said.startswith(":1:") else said.replace(":2:", ":3:")
    about = [one for one in out.splitlines() if one.startswith(f"{path}{said}")]
    assert code == 1 and len(about) == 1 and len(about[0]) < 250 and "nothing written" in out and not err
    assert rows_in_database() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("works", "import", "none.jsonl"), "none.jsonl: no such file"),
        (("works", "import", ARTICLES, "--outlet", "ZZ"), "unknown outlet “ZZ”"),
        (("licences", "import", "none.csv"), "no such file"),
        (("channels", "import", "none.csv"), "no such file"),
        (("mandates", "import", "none.csv"), "no such file"),
        (("outlets", "add", "XLRB", "另一报"), "XLRB"),
    ],
)
def test_what_cannot_be_done_is_one_line_on_standard_error(run: Run, words: tuple[object, ...], said: str) -> None:
    before = rows_in_database()
    code, out, err = run(*words)
    about = [one for one in err.splitlines() if one.startswith("Error: ")]
    assert code == 1 and len(about) == 1 and said in about[0] and not out
    assert rows_in_database() == before


def test_partial_registers_the_sound_rows_and_still_exits_1(run: Run, tmp_path: Path, any_app: Any) -> None:
    path = tmp_path / "works.jsonl"
    path.write_text(line() + "{\n" + line(id="2", text=TEXT + "二"), "utf-8")
    code, out, _ = run("works", "import", path, "--outlet", "XLRB", "--partial")
    assert code == 1 and "2 new" in out and "1 refused" in out
    with any_app.app_context():
        assert db.session.scalar(select(func.count(Work.id))) == 2


def test_tables_of_mandates_channels_and_licences(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    tables = {
        "mandates": "outlet,grant_kind,valid_from\nXLRB,exclusive,2025-07-01\n",
        "channels": "party,relation,kind,identifier\n河口融媒,third,domain,hekou.example\n",
        "licences": "reference,party,scope,acts,channels,valid_from,valid_to\nL1,河口融媒,blanket,repost,*,,\n",
    }
    for command, content in tables.items():
        path.write_text(content, "utf-8")
        assert run(command, "import", path, "--dry-run")[1].endswith("1 new, 0 unchanged, 0 refused; nothing written\n")
        assert "1 read, 1 new" in run(command, "import", path)[1]
        assert "0 new, 1 unchanged" in run(command, "import", path)[1]
    assert "exclusive 2025-07-01–open" in run("outlets", "list")[1]
    assert run("licences", "mark-loaded")[:2] == (0, "historic licences: marked as loaded\n")
    assert run("licences", "mark-loaded", "--undo")[:2] == (0, "historic licences: not marked as loaded\n")


def test_an_outlet_that_was_refused_is_not_there(run: Run, any_app: Any) -> None:
    assert run("outlets", "add", "bad code", "名")[0] == 1
    with any_app.app_context():
        assert db.session.scalars(select(Outlet.code)).all() == ["XLRB"]
