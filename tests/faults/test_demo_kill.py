"""kill -9 of the worker in the middle of the demo's scan: the same flags, none twice, none lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.demo.run import run_demo
from service.supervisor import Supervisor


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo clears YINJI_* of its process; the next test gets them back."""
    monkeypatch.setenv("YINJI_ENV", "local")


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_once(done: int, _total: int, supervisor: Supervisor) -> None:
        if done >= 6 and not killed:
            killed.append(supervisor.kill("worker"))

    with run_demo(tmp_path, 3, 8000, with_portal=False, tell=lambda _: None, watch=kill_once) as (result, _):
        assert killed, "the scan was over before the worker could be killed"
        assert result.found == result.planted == 18
        assert result.is_clean
        assert len(result.lines) == len({(line.answer.site, line.answer.path) for line in result.lines})
        assert all(len(line.seen) <= 1 for line in result.lines)
