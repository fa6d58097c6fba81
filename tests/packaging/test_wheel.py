"""The wheel: what travels in it, and that it runs from an installed, read-only place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("wheel")  # built once, by one test process
PARTS = ("service", "workers", "templates", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built by the installed hatchling without a network."""
    source = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "dist")]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next((source / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel unpacked as an installer does it, read-only, and the data folder beside it."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    for path in [*target.rglob("*"), target]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return target


def run_installed(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python from `folder`, with the installed packages before everything else."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YINJI_")}
    environment |= {"PYTHONPATH": str(installed), "YINJI_DATA": str(folder / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_template_migration_translation_and_page_asset_travels_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"service/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*") if path.is_file()}
    for pattern in ("migrations/**/*", "translations/**/*.po", "portal/static/**/*", "demo/content/**/*", "**/*.json"):
        found = (ROOT / "service").glob(pattern)
        wanted |= {path.relative_to(ROOT).as_posix() for path in found if path.is_file() and path.suffix != ".pyc"}
    assert len(wanted) > 10
    assert wanted - held == set()


def test_wheel_holds_no_tests_data_or_secrets(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"service", "workers"}


def test_wheel_gives_the_yinji_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "yinji = service.cli:main" in archive.read(name).decode()


def test_installed_command_shows_its_help(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, tmp_path, "-c", "from service.cli import main; main()", "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: yinji" in done.stdout


def test_installed_package_starts_without_setting_up_an_environment(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, tmp_path, "-m", "service", "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: yinji" in done.stdout
    assert not (installed / ".venv").exists()


def test_installed_portal_migrates_and_renders_its_front_page(installed: Path, tmp_path: Path) -> None:
    script = """
from service.app import create_app
from service.database import upgrade_database
import service
print(service.__file__)
app = create_app()
upgrade_database(app)
page = app.test_client().get("/")
print(page.status_code)
assert "印迹" in page.text, page.text[:500]
"""
    done = run_installed(installed, tmp_path, "-c", script)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [str(installed / "service" / "__init__.py"), "200"]
