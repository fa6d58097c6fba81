"""kill -9 of the worker, of one of its children, of the supervisor: nothing lost, nothing twice, nobody left over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from service.config import Settings, load
from service.errors import YinjiError
from service.supervisor import Supervisor, environment_of
from tests.workers.running import (
    is_all_done,
    progress_of,
    rows_of,
    scan_site,
    wait_for,
    wait_for_scan,
)
from tests.workers.site import Site, served

START_S = 60.0
RECOVERY_S = 60.0
"""From the kill to the end of the scan (trust.md, section 2)."""
PAGES, COPIES = 40, frozenset({5, 20, 35})


@dataclass(frozen=True)
class Scanning:
    """A supervised worker in the middle of a scan."""

    app: Flask
    supervisor: Supervisor
    scan_id: int


@pytest.fixture
def scanning(make_app: Callable[..., Flask], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scanning]:
    """A scan of 40 pages, five of which are done."""
    with served(Site(PAGES, COPIES, delay_s=0.1)) as site:
        monkeypatch.setenv("YINJI_FETCH_ALLOW", site.allow)
        monkeypatch.setenv("YINJI_HOST_DELAY_S", "0")
        app, settings = make_app("sqlite"), load()
        with Supervisor(settings, ("worker", "scheduler")) as supervisor:
            scan_id = scan_site(app, settings, site)
            wait_for("the middle of the scan", lambda: progress_of(app, scan_id)["done"] >= 5, START_S)
            yield Scanning(app, supervisor, scan_id)


def check_whole(scanning: Scanning, killed_at: float) -> None:
    """The scan ends in time with every page once and every copy flagged once."""
    wait_for_scan(scanning.app, scanning.scan_id, RECOVERY_S)
    took_s = time.monotonic() - killed_at
    print(f"\nscan whole {took_s:.1f} s after the kill")
    assert took_s <= RECOVERY_S
    progress, rows = progress_of(scanning.app, scanning.scan_id), rows_of(scanning.app)
    assert (progress["total"], progress["flagged"]) == (PAGES, len(COPIES))
    assert progress["no_match"] == PAGES - len(COPIES)
    assert len(rows["sightings"]) == len(rows["pages"]) == PAGES
    assert len(rows["flags"]) == len(rows["raised"]) == len(COPIES)
    assert len(rows["captures"]) == len(rows["matches"]) == len(rows["rulings"]) == len(COPIES)
    assert max(Counter(key for _, _, key, _ in rows["jobs"]).values()) == 1
    wait_for("the ledger is empty", lambda: is_all_done(scanning.app, scanning.scan_id), RECOVERY_S)


def test_kill_9_of_a_worker_child_loses_nothing_and_doubles_nothing(scanning: Scanning) -> None:
    leader = scanning.supervisor.pid("worker")
    children = children_of(leader or 0)
    assert children
    killed_at = time.monotonic()
    os.kill(children[0], signal.SIGKILL)
    check_whole(scanning, killed_at)


def children_of(pid: int) -> list[int]:
    """Direct children of a process."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processes_on(data: Path) -> list[int]:
    """Processes that were given this data folder."""
    mark, found = f"YINJI_DATA={data}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (folder / "environ").read_bytes().split(b"\0")
            is_zombie = ") Z " in (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended meanwhile, or another user's
        if is_ours and not is_zombie:
            found.append(int(folder.name))
    return found


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def house(make_app: Callable[..., Flask], settings: Settings, free_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`yinji run` with all parts, once the portal answers and the worker has its children."""
    make_app("sqlite")
    command = [sys.executable, "-c", "from service.cli import main; main()", "run", "--port", str(free_port)]
    process = subprocess.Popen(command, env=environment_of(settings), start_new_session=True)

    def is_up() -> bool:
        assert process.poll() is None, "the supervisor ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/healthz", timeout=5) as answer:
                # supervisor, portal and its worker, scheduler, worker and its two children
                return bool(answer.status == 200) and len(processes_on(settings.data)) >= 7
        except OSError:
            return False

    try:
        wait_for("the house", is_up, START_S)
        yield process
    finally:
        for pid in processes_on(settings.data):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def test_a_stopped_supervisor_leaves_no_process(house: subprocess.Popen[bytes], settings: Settings) -> None:
    house.terminate()
    assert house.wait(20) == 0
    assert processes_on(settings.data) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only the Linux kernel ties a child to its parent's life")
def test_kill_9_of_the_supervisor_leaves_no_orphan(house: subprocess.Popen[bytes], settings: Settings) -> None:
    house.kill()
    house.wait()
    took_s = wait_for("everybody is gone", lambda: processes_on(settings.data) == [], 10)
    print(f"\nno process left {took_s:.1f} s after kill -9 of the supervisor")


def test_a_port_in_use_is_one_clear_line(settings: Settings, free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        command = [sys.executable, "-c", "from service.cli import main; main()", "run", "--port", str(free_port)]
        ended = subprocess.run(
            command, check=False, env=environment_of(settings), capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"Error: cannot listen on 127.0.0.1:{free_port}")
    assert "Traceback" not in ended.stderr


def test_a_part_that_dies_again_and_again_is_given_up_with_its_log(settings: Settings) -> None:
    with Supervisor(settings, ("scheduler",), celery_app="tests.no_such_module") as supervisor:
        wait_for("giving up", supervisor.ended.is_set, 50)
        assert supervisor.problem is not None
        assert "the scheduler died 5 times" in supervisor.problem
        assert "no_such_module" in supervisor.problem


def test_an_address_that_is_not_ours_cannot_be_listened_on(settings: Settings) -> None:
    with pytest.raises(YinjiError, match="cannot listen"):
        Supervisor(settings, ("portal",), host="203.0.113.1").start()
