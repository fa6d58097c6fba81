"""A segment in files that all processes of a machine map: written once, then only read ("yj-snapshot-1").

A snapshot is a folder of ``segment.bin`` (all arrays, each at a multiple of 64 bytes), ``manifest.json`` (where each
array stands, the sizes, the SHA-256 of ``segment.bin`` and of the manifest itself) and ``verified.json``. It is written
into a hidden folder beside, flushed to the disk, and renamed: a snapshot is whole or not there.

Never a wrong answer from a damaged file, yet no gigabytes read at each start: ``open_segment`` reads and checks every
byte once per state of the file (size, times, inode) and boot of the machine, and notes that in ``verified.json``; the
next process that finds the same state trusts the note. Whatever changes the file, or a power cut, makes the note void.
A note is not trusted either when the file is hardly older than it, since a change within the same tick of the clock
would not show. While mapped, the file's size and time are looked at before each search (a microsecond), so a file
altered under a running process raises SnapshotDamaged too. What remains is a file cut short within the microseconds of
one search (the system then ends the process), and bits that rot on the disk without a write, which the next boot finds.

Memory: mapped pages are shared by all processes and given back under pressure. The indexes take some 600 bytes a work;
the texts lie in the same file, 2 bytes a character, and only candidates' texts are ever touched.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from service.fingerprint.assembly import ARRAYS, Row, assemble
from service.fingerprint.segment import IndexSegment
from service.fingerprint.text import ALGORITHM

FORMAT = "yj-snapshot-1"
DATA, MANIFEST, VERIFIED = "segment.bin", "manifest.json", "verified.json"
ALIGNMENT_BYTES = 64
DAMAGE = (errno.ENOENT, errno.ENOTDIR, errno.EIO)  # all else (too many open files, no memory, no right) may pass
TICK_NS = 50_000_000  # file times advance in steps of up to 10 ms (Linux, HZ = 100); five times that


class SnapshotDamaged(Exception):
    """The snapshot must not be used; build it anew. The message says what is wrong with it."""


def write_segment(
    folder: Path,
    rows: Iterable[Row],
    algorithm: str = ALGORITHM,
    attach: Callable[[], Mapping[str, bytes]] = dict,
) -> int:
    """Writes a snapshot of (version id, fingerprint, normalised codes) rows to ``folder``; returns the number of rows.

    Rows are taken one by one and may be as many as a segment holds; see assembly.py for what is held in memory. Until
    the end, twice the size of the postings is needed on the disk. An interrupted build leaves a hidden folder
    ``.building-…`` beside, which may be deleted. What ``attach`` returns when all rows have been taken (for instance a
    background counted on the way) is kept with the segment, as small data under names.

    Raises FileExistsError when the folder is there, ValueError as IndexSegment.build, OSError as the disk does.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        with (building / DATA).open("xb") as file:
            writer = _Writer(file)
            works = assemble(rows, algorithm, writer.put, building)
            attached = {name: writer.append(data) for name, data in attach().items()}
            file.flush()
            os.fsync(file.fileno())
        manifest = {
            "format": FORMAT,
            "algorithm": algorithm,
            "byteorder": "little",
            "works": works,
            "arrays": writer.arrays,
            "attached": attached,
            "bytes": writer.place,
            "sha256": writer.digest.hexdigest(),
        }
        _write_json(building / MANIFEST, {**manifest, "manifest_sha256": _digest(manifest)})
        _note_verified(building, manifest)
        _sync_folder(building)
        building.rename(folder)
        _sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return works


class _Writer:
    """Appends arrays to a file, and remembers where each one stands and the digest of all."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.place = 0
        self.arrays: dict[str, list[int]] = {}
        self.digest = hashlib.sha256()

    def put(self, name: str, pieces: Iterable[NDArray[Any]]) -> None:
        self._write(bytes(-self.place % ALIGNMENT_BYTES))
        start, size = self.place, 0
        little = np.dtype(ARRAYS[name]).newbyteorder("<")
        for piece in pieces:
            self._write(np.ascontiguousarray(piece, dtype=little).data.cast("B") if len(piece) else b"")
            size += len(piece)
        self.arrays[name] = [start, size]

    def append(self, data: bytes) -> list[int]:
        """[place, size] of data that is no array."""
        place = self.place
        self._write(data)
        return [place, len(data)]

    def _write(self, piece: bytes | memoryview) -> None:
        self.file.write(piece)
        self.digest.update(piece)
        self.place += len(piece)


def open_segment(folder: Path) -> IndexSegment:
    """The snapshot as a segment over mapped, read-only memory. The first opening reads every byte, later ones do not.

    Raises SnapshotDamaged when a file is missing, short or altered, or of another format, algorithm set or byte order;
    OSError when it cannot be opened now, which says nothing about the snapshot.
    """
    if sys.byteorder != "little":
        raise SnapshotDamaged("this machine is not little-endian, the snapshot is")
    try:
        manifest = _read_manifest(folder)
        with (folder / DATA).open("rb") as file:
            state = os.fstat(file.fileno())
            if state.st_size != manifest["bytes"]:
                raise SnapshotDamaged(f"{DATA} has {state.st_size} bytes instead of {manifest['bytes']}")
            if not _is_noted(folder, manifest, state):
                with _turn(file):
                    _verify(folder, manifest, file, state)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            watch = _Watch(file.fileno(), state)
    except OSError as error:
        if error.errno not in DAMAGE:
            raise
        raise SnapshotDamaged(f"{error.filename or folder}: {error.strerror}") from error
    arrays = {
        name: np.frombuffer(mapped, np.dtype(kind), manifest["arrays"][name][1], manifest["arrays"][name][0])
        for name, kind in ARRAYS.items()
    }
    attached = {name: mapped[place : place + size] for name, (place, size) in manifest["attached"].items()}
    return IndexSegment(arrays, manifest["algorithm"], watch, attached)


def _verify(folder: Path, manifest: dict[str, Any], file: BufferedReader, state: os.stat_result) -> None:
    if _is_noted(folder, manifest, state):  # by the process that had its turn before
        return
    if hashlib.file_digest(file, "sha256").hexdigest() != manifest["sha256"]:
        raise SnapshotDamaged(f"{DATA} is altered: its SHA-256 is not the manifest's")
    if _state(os.fstat(file.fileno())) != _state(state):
        raise SnapshotDamaged(f"{DATA} changed while it was read")
    _note_verified(folder, manifest)


@contextmanager
def _turn(file: BufferedReader) -> Iterator[None]:
    """One process at a time reads a file whole, where the file system has locks; the next ones find its note."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:  # not left to closing: the mapping keeps the file open
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


class _Watch:
    """Raises SnapshotDamaged once the mapped file is other than it was checked. Deleting it does no harm: it stays mapped."""

    def __init__(self, handle: int, checked: os.stat_result) -> None:
        self._handle = os.dup(handle)
        self._checked = checked.st_size, checked.st_mtime_ns

    def _look(self) -> tuple[int, int]:
        now = os.fstat(self._handle)
        return now.st_size, now.st_mtime_ns

    def __call__(self) -> None:
        if self._look() != self._checked:
            raise SnapshotDamaged(f"{DATA} was altered while it was in use")

    def __del__(self) -> None:
        os.close(self._handle)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        claimed = manifest.pop("manifest_sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise SnapshotDamaged(f"{MANIFEST} is not readable: {error}") from error
    if _digest(manifest) != claimed:
        raise SnapshotDamaged(f"{MANIFEST} is altered: its SHA-256 is not its own")
    if (manifest.get("format"), manifest.get("byteorder")) != (FORMAT, "little"):
        raise SnapshotDamaged(f"written as {manifest.get('format')!r}, to be read as {FORMAT!r}")
    return dict(manifest)


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _state(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _boot() -> str:
    """The machine's boot as Linux names it; "" elsewhere, and then nothing is trusted without being read."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _note_verified(folder: Path, manifest: dict[str, Any]) -> None:
    """Notes that the data file as it is has the manifest's digest; does nothing in a read-only folder."""
    note = {"boot": _boot(), "sha256": manifest["sha256"], "state": _state((folder / DATA).stat())}
    try:
        _write_json(folder / VERIFIED, note)
    except OSError:
        return


def _is_noted(folder: Path, manifest: dict[str, Any], state: os.stat_result) -> bool:
    try:
        note = json.loads((folder / VERIFIED).read_bytes())
        noted_ns = (folder / VERIFIED).stat().st_mtime_ns
    except (OSError, ValueError):
        return False
    expected = {"boot": _boot(), "sha256": manifest["sha256"], "state": _state(state)}
    return bool(_boot() and note == expected and max(state.st_mtime_ns, state.st_ctime_ns) < noted_ns - TICK_NS)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
