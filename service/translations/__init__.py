"""Translations: msgids are Chinese (the source language), `en/LC_MESSAGES/messages.po` is the English catalogue.

Only .po files are kept and shipped. Each start compiles the ones it has not seen yet into the cache below the data
folder: that works the same from a checkout and from a wheel in a read-only place, and a compiled file can never be
older than its source, because its folder is named after the source's content.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent


def ensure_compiled(cache: Path, catalogues: Path = CATALOGUES) -> Path:
    """The folder to give to BABEL_TRANSLATION_DIRECTORIES: `<locale>/LC_MESSAGES/messages.mo` for each catalogue.

    `cache` is a writable folder, made when missing. Costs a hash of the .po files when they were compiled before.
    Several processes may call it at once. Fuzzy entries are left out. Raises ValueError on a broken catalogue.
    """
    sources = sorted(catalogues.glob("*/LC_MESSAGES/*.po"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(str(source.relative_to(catalogues)).encode() + b"\0" + source.read_bytes() + b"\0")
    folder = cache / f"translations-{digest.hexdigest()[:16]}"
    for source in sources:
        target = folder / source.relative_to(catalogues).with_suffix(".mo")
        if not target.exists():
            _compile(source, target)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parts[-3], abort_invalid=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        write_mo(file, catalogue)
    Path(name).chmod(0o644)  # mkstemp's 0600 would shut out a second account that serves the same data folder
    Path(name).replace(target)
