"""The deployment files, as far as they can be judged without a container engine; and the check and translation tools."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs in the test set
from babel.messages.pofile import read_po

from service import checks
from service.config import FIELDS
from service.supervisor import PARTS
from service.translations import ensure_compiled

ROOT = Path(__file__).resolve().parents[2]
PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "作品"
msgstr "Work"

#, fuzzy
msgid "许可"
msgstr "Licence"
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_compose_file_runs_every_part_with_database_and_broker(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"migrate", *PARTS, "database", "broker"}
    for part in PARTS:
        assert compose["services"][part]["command"][:3] == ["run", "--only", part]
        assert compose["services"][part]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_compose_file_sets_only_settings_that_exist(compose: dict[str, Any]) -> None:
    names = {name for name in compose["services"]["portal"]["environment"] if name.startswith("YINJI_")}
    assert names <= set(FIELDS)
    assert {"YINJI_DATABASE_URL", "YINJI_BROKER_URL", "YINJI_TRUSTED_HOSTS", "YINJI_SECRET_KEY"} <= names


def test_compose_file_holds_no_secret_of_its_own(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|SALT", name):
                assert value.startswith("${"), name
                assert ":?" in value, f"{name} must be asked for, not defaulted"


def test_compose_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert used == set(compose["volumes"])


def test_catalogue_is_compiled_into_the_cache_without_its_fuzzy_entries(tmp_path: Path) -> None:
    source = tmp_path / "source" / "en" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO, encoding="utf-8")
    folder = ensure_compiled(tmp_path / "cache", tmp_path / "source")
    words = gettext.translation("messages", folder, ["en"])
    assert (words.gettext("作品"), words.gettext("许可")) == ("Work", "许可")


def test_changed_catalogue_is_compiled_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    source = tmp_path / "source" / "en" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO, encoding="utf-8")
    first = ensure_compiled(tmp_path / "cache", tmp_path / "source")
    written = (first / "en" / "LC_MESSAGES" / "messages.mo").stat().st_mtime_ns
    assert ensure_compiled(tmp_path / "cache", tmp_path / "source") == first
    assert (first / "en" / "LC_MESSAGES" / "messages.mo").stat().st_mtime_ns == written
    source.write_text(PO.replace("Work", "Opus"), encoding="utf-8")
    second = ensure_compiled(tmp_path / "cache", tmp_path / "source")
    assert gettext.translation("messages", second, ["en"]).gettext("作品") == "Opus"


def test_missing_empty_and_fuzzy_translations_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("service", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "service" / "babel.cfg").write_text((ROOT / "service" / "babel.cfg").read_text())
    (tmp_path / "service" / "words.py").write_text('from x import _\n_("作品")\n_("许可")\n_("案件")\n')
    (tmp_path / "templates" / "page.html").write_text(
        "<p>{{ _('线索') }}</p>\n<p>裸露</p>\n<b lang=\"zh-Hans\">中文</b>"
    )
    (tmp_path / "messages.po").write_text(PO + '\nmsgid "案件"\nmsgstr ""\n', encoding="utf-8")
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    with (tmp_path / "messages.po").open("rb") as file:
        found = {text: reason for _place, text, reason in checks.untranslated(read_po(file, locale="en"))}
    assert found == {"许可": "fuzzy", "案件": "not translated", "线索": "not in the catalogue"}
    assert [line.partition(": ")[0] for line in checks.bare_chinese()] == ["templates/page.html:2"]


def test_check_fails_when_one_check_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checks, "CHECKS", {"one": lambda: "", "two": lambda: "line 3: wrong"})
    assert checks.run_checks() == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["one", "ok"], ["two", "FAILED"]]
    assert lines[2] == "    line 3: wrong"
