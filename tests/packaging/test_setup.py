"""The first start: `python3 -m service …` in a small project with one package of its own, without a network."""

from __future__ import annotations

import ast
import base64
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
CLI = """
import os, sys
import stand_in
print("ran", *sys.argv[1:], stand_in.VERSION, sys.prefix)
sys.exit(int(os.environ.get("EXIT", "0")))
"""


def make_wheel(folder: Path, version: str) -> str:
    """Writes the package `stand_in` as a wheel; its line for a requirement file."""
    name, info = f"stand_in-{version}-py3-none-any.whl", f"stand_in-{version}.dist-info"
    files = {
        "stand_in.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: stand-in\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text)}")
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return f"stand-in=={version} --hash=sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n"


class Project:
    """A checkout with the real service/__main__.py, a small command line and a folder of wheels as its registry."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheels = root / "wheels"

    def write(self) -> None:
        """Writes the files of a fresh checkout."""
        root = self.root
        (root / "service").mkdir(parents=True)
        (root / "requirements").mkdir()
        self.wheels.mkdir()
        for name in ("__init__.py", "__main__.py"):
            shutil.copy(ROOT / "service" / name, root / "service" / name)
        (root / "service" / "cli.py").write_text(CLI)
        (root / "requirements" / "build.txt").write_text("")
        self.require("1.0")

    def require(self, version: str) -> None:
        """Pins this version of the package in both sets."""
        line = make_wheel(self.wheels, version)
        for name in ("runtime.txt", "test.txt"):
            (self.root / "requirements" / name).write_text(line)

    def environment(self, **changes: str) -> dict[str, str]:
        """A plain environment in which pip knows only the folder of wheels; the changes win."""
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.root), "PYTHONPATH": "", "PIP_NO_CACHE_DIR": "1"}
        return {**plain, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_RETRIES": "0", **changes}

    def command(self, *arguments: str) -> list[str]:
        """The command line of a start."""
        return [BASE_PYTHON, "-m", "service", *(arguments or ("hello",))]

    def start(self, *arguments: str, cwd: Path | None = None, **changes: str) -> subprocess.CompletedProcess[str]:
        """Runs a start to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.root,
            env=self.environment(**changes),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh checkout: nothing is set up yet."""
    fresh = Project(tmp_path / "project")
    fresh.write()
    return fresh


@pytest.fixture(scope="module")
def set_up_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """One project after its first start, and what that start said."""
    project = Project(tmp_path_factory.mktemp("once") / "project")
    project.write()
    return project, project.start("works", "import", "--dry-run")


@pytest.fixture
def ready(tmp_path: Path, set_up_once: tuple[Project, subprocess.CompletedProcess[str]]) -> Project:
    """A copy of a project whose environment is set up."""
    shutil.copytree(set_up_once[0].root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def test_first_start_installs_the_pinned_set_and_hands_over(
    set_up_once: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    project, done = set_up_once
    assert done.stdout.split() == ["ran", "works", "import", "--dry-run", "1.0", str(project.root / ".venv")]
    assert "Yinji is set up" in done.stderr
    assert done.returncode == 0


def test_pip_keeps_to_its_log(set_up_once: tuple[Project, subprocess.CompletedProcess[str]]) -> None:
    project, done = set_up_once
    assert "stand-in" not in done.stderr
    assert "Successfully installed stand-in-1.0" in (project.root / ".venv" / "setup.log").read_text()


def test_exit_status_of_the_command_passes_through(ready: Project) -> None:
    assert ready.start(EXIT="7").returncode == 7


def test_second_start_takes_under_two_seconds_and_needs_no_registry(ready: Project) -> None:
    shutil.rmtree(ready.wheels)
    began = time.monotonic()
    done = ready.start()
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 2


def test_start_works_from_another_folder(ready: Project, tmp_path: Path) -> None:
    assert ready.start(cwd=tmp_path, PYTHONPATH=str(ready.root)).stdout.startswith("ran hello 1.0")


def test_changed_requirements_are_installed_at_the_next_start(ready: Project) -> None:
    ready.require("2.0")
    assert "2.0" in ready.start().stdout


def test_test_set_serves_the_runtime_commands_too(project: Project) -> None:
    project.start("test")
    assert project.start("run").stderr == ""


def test_killed_start_is_mended_by_the_next(project: Project, silent_registry: str) -> None:
    environment = project.environment(PIP_INDEX_URL=silent_registry, PIP_TIMEOUT="60")
    del environment["PIP_NO_INDEX"], environment["PIP_FIND_LINKS"]
    start = subprocess.Popen(project.command(), cwd=project.root, env=environment, start_new_session=True)
    unfinished = project.root / ".venv" / "yinji-unfinished"
    for _ in range(200):
        if unfinished.exists():
            break
        time.sleep(0.05)
    (project.root / ".venv" / "half a package").mkdir()
    os.killpg(start.pid, signal.SIGKILL)
    start.wait()
    assert project.start().returncode == 0
    assert not unfinished.exists()
    assert not (project.root / ".venv" / "half a package").exists()


def test_environment_without_its_python_is_made_anew(ready: Project) -> None:
    (ready.root / ".venv" / "bin" / "python").unlink()
    assert ready.start().stdout.startswith("ran hello 1.0")


def test_environment_of_another_python_is_made_anew(ready: Project) -> None:
    stamp = ready.root / ".venv" / "yinji-ready.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "python": "3.99"}))
    assert "Yinji is set up" in ready.start().stderr


def test_sound_environment_of_someone_else_is_kept_and_added_to(project: Project) -> None:
    subprocess.run([BASE_PYTHON, "-m", "venv", "--without-pip", project.root / ".venv"], check=True)
    (project.root / ".venv" / "mine").touch()
    assert project.start().stdout.startswith("ran hello 1.0")
    assert (project.root / ".venv" / "mine").exists()


def test_two_first_starts_at_once_both_succeed(project: Project) -> None:
    starts = [
        subprocess.Popen(
            project.command(), cwd=project.root, env=project.environment(), stderr=subprocess.PIPE, text=True
        )
        for _ in "ab"
    ]
    ends = [start.communicate(timeout=60) for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert sum("Yinji is set up" in err for _, err in ends) == 1


def test_start_waits_while_another_holds_the_folder(project: Project) -> None:
    (project.root / ".venv").mkdir()
    lock = os.open(project.root / ".venv", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    start = subprocess.Popen(
        project.command(), cwd=project.root, env=project.environment(), stderr=subprocess.PIPE, text=True
    )
    assert start.stderr is not None
    assert "waiting for it" in start.stderr.readline()
    os.close(lock)
    start.communicate(timeout=60)
    assert start.returncode == 0


def test_unreachable_registry_is_one_clear_line_without_its_address(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed again: nobody listens there now
    address = f"http://127.0.0.1:{port}/simple"
    done = project.start(PIP_INDEX_URL=address, PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_RETRIES="1")
    assert done.returncode == 1
    assert "registry cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(port) not in done.stderr + (project.root / ".venv" / "setup.log").read_text()
    assert project.start().returncode == 0  # and the next start, with a registry, goes on


def test_package_that_differs_from_its_hash_is_refused(project: Project) -> None:
    with zipfile.ZipFile(next(project.wheels.iterdir()), "a") as wheel:
        wheel.writestr("more.py", "")
    done = project.start()
    assert done.returncode == 1
    assert "differs from its pinned hash" in done.stderr


def test_full_disk_is_one_clear_line(project: Project) -> None:
    venv = project.root / ".venv"
    venv.mkdir()
    script = 'mount -t tmpfs -o size=8k tmpfs .venv && exec "$@"'
    probe = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no right to mount a small disk here")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *project.command()],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Yinji could not be set up. The disk is full")
    assert "Traceback" not in done.stderr


def test_old_python_can_read_the_file_to_be_told_so() -> None:
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "service" / name).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_test_set_includes_the_runtime_set() -> None:
    runtime, test = ((ROOT / "requirements" / name).read_text() for name in ("runtime.txt", "test.txt"))
    pins = {line.split(" ")[0] for line in runtime.splitlines() if "==" in line}
    assert len(pins) > 50
    assert pins <= {line.split(" ")[0] for line in test.splitlines()}


def test_requirement_files_name_no_address_and_pin_everything() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
