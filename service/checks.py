"""The checks behind `python3 -m service check`: one line each, details only of what failed.

They need a source checkout and the test set of packages. Each runs in its own processes, two at a time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "service" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2), "_l": None}
ALL_CHINESE = ("templates/documents/",)  # letters and certificates: Chinese by law and custom


def run_checks() -> int:
    """Runs every check and prints its outcome; 0 when all passed, 1 when one failed."""
    if not (ROOT / "templates").is_dir() or not (ROOT / "requirements").is_dir():
        print("check needs a source checkout: templates/ and requirements/ are not here", file=sys.stderr)
        return 1
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for name, (problems, seconds) in zip(CHECKS, pool.map(_timed, CHECKS.values()), strict=True):
            print(f"{name:<18} {'FAILED' if problems else 'ok':<6} {seconds:5.1f} s", flush=True)
            if problems:
                failed += 1
                print("\n".join(f"    {line}" for line in problems.strip().splitlines()), flush=True)
    print(f"{failed} of {len(CHECKS)} checks failed" if failed else f"all {len(CHECKS)} checks passed")
    return 1 if failed else 0


def _timed(check: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    problems = check()
    return problems, time.monotonic() - began


def _run(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Output of `python -m …` when it failed, else nothing."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(  # noqa: S603  fixed commands of our own
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout.strip() or f"exit status {done.returncode}"


def check_templates() -> str:
    """djlint's findings in templates/; nothing while there is no template."""
    return _run("djlint", "templates", "--lint", "--quiet") if any(ROOT.glob("templates/**/*.html")) else ""


def check_translations() -> str:
    """Messages without a sound English translation, and Chinese text in templates that cannot be translated at all."""
    if not CATALOGUE.exists():
        return f"{CATALOGUE.relative_to(ROOT)} is missing" if any(extract_messages()) else ""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    problems = [f"{place}: {text!r}: {why}" for place, text, why in untranslated(catalogue)]
    return "\n".join([*problems, *bare_chinese()])


def extract_messages() -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """(file:line, msgid or (singular, plural), context) of every message in code and templates."""
    with (ROOT / "service" / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel leaves it untyped
    found = extract_from_dir(ROOT, methods, options, KEYWORDS, directory_filter=_is_ours)
    for path, line, msgid, _comments, context in found:
        yield f"{path}:{line}", msgid, context


def _is_ours(folder: str | os.PathLike[str]) -> bool:
    parts = Path(folder).relative_to(ROOT).parts
    return not parts or parts[0] in ("service", "workers", "templates")


def untranslated(catalogue: Catalog) -> Iterator[tuple[str, str, str]]:
    """(place, msgid, reason) of each extracted message that the catalogue does not translate soundly."""
    for place, msgid, context in extract_messages():
        message = catalogue.get(msgid if isinstance(msgid, str) else msgid[0], context)
        reason = "not in the catalogue" if message is None else _fault(message, catalogue)
        if reason:
            yield place, msgid if isinstance(msgid, str) else msgid[0], reason


def _fault(message: Message, catalogue: Catalog) -> str | None:
    texts = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if not all(texts):
        return "not translated"
    if message.fuzzy:
        return "fuzzy"
    return next((str(error) for error in message.check(catalogue)), None)


def bare_chinese() -> Iterator[str]:
    """Template lines whose Chinese stands outside of `_()`: no language switch reaches it.

    A line that says lang="zh… means its Chinese; documents are Chinese throughout.
    """
    comment = re.compile(r"{#.*?#}|<!--.*?-->|{{.*?}}|{%.*?%}", re.DOTALL)
    wrapped = re.compile(r"{% *trans.*?{% *endtrans *%}", re.DOTALL)
    for path in sorted(ROOT.glob("templates/**/*.*")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(ALL_CHINESE):
            continue
        text = path.read_text(encoding="utf-8")
        for pattern in (wrapped, comment):
            text = pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"[\u4e00-\u9fff]", line) and 'lang="zh' not in line:
                yield f"{place}:{number}: Chinese outside of _(): {line.strip()[:60]}"


def check_migrations() -> str:
    """What autogenerate would still change after all migrations ran on a fresh SQLite database."""
    with tempfile.TemporaryDirectory(prefix="yinji-check-") as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("YINJI_")}
        env |= {"YINJI_DATA": folder}
        flask = ("flask", "--app", "service.app", "db")
        return _run(*flask, "upgrade", env=env) or _run(*flask, "check", env=env)


CHECKS: dict[str, Callable[[], str]] = {
    "mypy": lambda: _run("mypy", "--no-error-summary"),
    "ruff": lambda: _run("ruff", "check", "--quiet"),
    "ruff format": lambda: _run("ruff", "format", "--check", "--quiet"),
    "templates": check_templates,
    "translations": check_translations,
    "migration drift": check_migrations,
}
