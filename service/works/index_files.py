"""This machine's snapshots on disk: one folder a generation, a pointer to the one in force, a lock for who builds.

    <YINJI_INDEX>/<host>/CURRENT   {"generation": "20261125T020000.123456-1f3a", …} and its SHA-256
                         20261125T020000.123456-1f3a/p0/   a segment for each partition that this machine searches
                         LOCK

The pointer is replaced by one atomic rename; whoever reads looks at its time and size before each query. A process that
still searches an older generation goes on undisturbed: mapped files outlive their names.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import structlog

from service.fingerprint.snapshot import DAMAGE

log = structlog.get_logger()

POINTER, LOCK = "CURRENT", "LOCK"
GRACE_S = 600.0
"""A reader that took the old pointer opens its files within seconds, or minutes where the first one to open them reads
and checks gigabytes. Older generations are deleted after this."""


@dataclass(frozen=True)
class Generation:
    """A whole snapshot: the algorithm, the highest fingerprint row in it, how many versions and bytes, when it was built.

    `partition_works` and `served` are the settings that it was built for, `anchor` names the database's row at `until`;
    `partitions`: those that are in it.
    """

    generation: str
    algorithm: str
    partition_works: int
    served: str
    partitions: tuple[int, ...]
    until: int
    anchor: str
    works: int
    size_bytes: int
    built_at: str

    @property
    def built(self) -> datetime:
        """When it was built."""
        return datetime.fromisoformat(self.built_at)


def new_name(now: datetime) -> str:
    """A name that sorts by time and never comes twice."""
    return f"{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(2)}"


def segment_folder(folder: Path, generation: str, partition: int) -> Path:
    """Where the segment of a partition lies."""
    return folder / generation / f"p{partition}"


def stamp(folder: Path) -> tuple[int, int, int] | None:
    """What changes when the pointer does; None when there is none. A system call of a microsecond."""
    try:
        found = (folder / POINTER).stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_pointer(folder: Path) -> Generation | None:
    """The generation in force; None when there is none or the pointer cannot be read, which is logged."""
    try:
        return load_pointer(folder)
    except OSError as error:
        log.error("index pointer not readable", folder=str(folder), error=str(error))
        return None


def load_pointer(folder: Path) -> Generation | None:
    """The generation in force; None when there is none or the pointer is damaged, which is logged.

    Raises OSError when it cannot be read now: that says nothing about what is in force.
    """
    try:
        line, _, digest = (folder / POINTER).read_text("utf-8").partition("\n")
        if hashlib.sha256(line.encode()).hexdigest() != digest.strip():
            raise ValueError("its SHA-256 is not its own")
        values = json.loads(line)
        return Generation(**{**values, "partitions": tuple(values["partitions"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno not in DAMAGE:
            raise
        log.error("index pointer damaged, the index must be built anew", folder=str(folder), error=str(error))
        return None


def write_pointer(folder: Path, generation: Generation) -> None:
    """Puts a generation in force, durably and at once."""
    new = folder / f".{POINTER}.new"
    line = json.dumps(asdict(generation))
    with new.open("w", encoding="utf-8") as file:
        file.write(f"{line}\n{hashlib.sha256(line.encode()).hexdigest()}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / POINTER)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def drop_pointer(folder: Path, generation: str) -> None:
    """Takes a damaged generation out of force, unless another one came in its place meanwhile.

    Raises OSError when the pointer cannot be read now.
    """
    found = load_pointer(folder)
    if found is None or found.generation == generation:
        (folder / POINTER).unlink(missing_ok=True)


@contextmanager
def build_lock(folder: Path) -> Iterator[bool]:
    """True within when nobody else on this machine builds, and then nobody does until the end; False otherwise.

    The lock is the system's: a killed builder gives it back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def sweep(folder: Path, now_s: float | None = None) -> None:
    """Deletes generations that are not in force and older than GRACE_S, and what killed builders left. Hold the lock.

    Raises OSError, and deletes nothing, when the pointer cannot be read now.
    """
    now_s = time.time() if now_s is None else now_s
    pointer = load_pointer(folder)
    # Since the pointer was written, which is later than its own `built_at` by the hours that a build may take.
    since = (folder / POINTER).stat().st_mtime if pointer is not None else 0.0
    in_force = pointer.generation if pointer is not None else ""
    for path in folder.iterdir():
        if not path.is_dir() or path.name == in_force:
            continue
        # A generation left force when the present one came; what is newer than that never was in force.
        is_orphan = path.name > in_force
        if is_orphan or now_s - since > GRACE_S:
            shutil.rmtree(path, ignore_errors=True)


def sweep_if_idle(folder: Path) -> None:
    """Does so unless somebody builds, who does it himself."""
    if folder.is_dir():
        with build_lock(folder) as is_ours:
            if is_ours:
                try:
                    sweep(folder)
                except OSError as error:  # the next round tries again
                    log.error("index folder not swept", folder=str(folder), error=str(error))


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
