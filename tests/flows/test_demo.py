"""The demo as a newcomer runs it: real processes, real queue, loopback sites; found against planted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import cli
from service.demo.answers import answer_key

OMITTED = next(answer.key for answer in answer_key(7) if answer.kind == "traditional")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo clears YINJI_* of its process; the next test gets them back."""
    monkeypatch.setenv("YINJI_ENV", "local")


def test_the_command_finds_what_is_planted_and_one_less_when_one_page_is_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "demo", "--once", "--seed", "7", "--omit", OMITTED]
    done = subprocess.run(
        [*command, "--data", str(tmp_path / "d")], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    planted = sum(answer.deserves_flag for answer in answer_key(7))
    sums = re.search(r"planted (\d+) / found (\d+)   false flags (\d+)   permitted (\d+)", done.stdout)
    assert sums is not None, done.stdout
    assert tuple(map(int, sums.groups())) == (planted - 1, planted - 1, 0, 3)
    again = subprocess.run(
        [*command, "--data", str(tmp_path / "d")], capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 1 and "holds a database already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "-1"], "--seed"),
        (["--port", "0"], "--port"),
        (["--once", "--omit", "nothing"], "nothing"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_options_get_one_clear_answer(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["demo", *arguments])
    assert done.exit_code != 0 and said in done.output and "Traceback" not in done.output
