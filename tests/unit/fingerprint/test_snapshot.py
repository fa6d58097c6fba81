import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.fingerprint import Fingerprint, IndexSegment, assembly, fingerprint_text, normalise, snapshot
from service.fingerprint.snapshot import SnapshotDamaged, open_segment, write_segment
from service.fingerprint.text import ALGORITHM

Row = tuple[int, Fingerprint, NDArray[np.uint32]]


def random_rows(count: int) -> list[Row]:
    """Works that share hashes with their neighbours; one in ten is short; ids in no order."""
    draw = np.random.default_rng(count)
    ids = (draw.permutation(count) * 7 + 3).tolist()
    pool = draw.integers(0, 2**40, count + 40, dtype=np.uint64)
    rows = []
    for n, version_id in enumerate(ids):
        winnow = np.unique(pool[n : n + 15])
        codes = draw.integers(0x4E00, 0x9FA5, 20 + n % 50, dtype=np.uint32)
        length = 150 if n % 10 == 0 else 900
        simhash = int(draw.integers(0, 2**64, dtype=np.uint64))
        rows.append((version_id, Fingerprint(ALGORITHM, length, simhash, winnow, pool[n + 16 : n + 17]), codes))
    return rows


@pytest.fixture
def rows(article: str, other: str) -> list[Row]:
    found = []
    for version_id, text in ((11, article), (5, other), (9, article[::-1])):
        fingerprint = fingerprint_text(text)
        assert fingerprint is not None
        found.append((version_id, fingerprint, normalise(text).codes))
    return found


@pytest.fixture
def folder(tmp_path: Path, rows: list[Row]) -> Path:
    assert write_segment(tmp_path / "g1", iter(rows)) == 3
    return tmp_path / "g1"


def answers(segment: IndexSegment, rows: list[Row]) -> list[Any]:
    found = [segment.find(fingerprint) for _, fingerprint, _ in rows]
    return [[(one, one.codes.tolist()) for one in candidates] for candidates in found]


@pytest.mark.parametrize("count", [0, 1, 30, 1_500])
@pytest.mark.parametrize("spill", [100, 2**22])
def test_a_snapshot_answers_as_the_segment_in_memory_does(
    count: int, spill: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "SPILL_POSTINGS", spill)
    rows = random_rows(count)
    assert write_segment(tmp_path / "new", iter(rows)) == count
    mapped, held = open_segment(tmp_path / "new"), IndexSegment.build(rows)
    assert mapped.size == held.size == count
    assert answers(mapped, rows[:200]) == answers(held, rows[:200])
    assert all(mapped.find(fingerprint)[0].version_id == version_id for version_id, fingerprint, _ in rows[:200])
    for version_id, _, codes in rows:
        assert mapped.codes(version_id).tolist() == codes.tolist()
    asked = np.unique(np.concatenate([np.array([5], np.uint64), *(row[1].winnow for row in rows)]))
    assert mapped.document_frequency(asked).tolist() == held.document_frequency(asked).tolist()
    names = {"segment.bin", "manifest.json", "verified.json"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_data_counted_on_the_way_is_kept_with_the_segment(tmp_path: Path, rows: list[Row]) -> None:
    taken: list[int] = []

    def counted() -> Iterator[Row]:
        for row in rows:
            taken.append(row[0])
            yield row

    write_segment(tmp_path / "g1", counted(), attach=lambda: {"ids": bytes(taken), "nothing": b""})
    segment = open_segment(tmp_path / "g1")
    assert segment.attached == {"ids": bytes([11, 5, 9]), "nothing": b""}
    assert answers(segment, rows) == answers(IndexSegment.build(rows), rows)
    assert IndexSegment.build(rows).attached == {}


def test_what_is_mapped_cannot_be_written(folder: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        open_segment(folder).codes(5)[0] = 1


def test_another_process_reads_the_same(folder: Path, article: str) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from service.fingerprint import fingerprint_text\n"
        "from service.fingerprint.snapshot import open_segment\n"
        "found = open_segment(Path(sys.argv[1])).find(fingerprint_text(sys.stdin.read()))\n"
        "print([one.version_id for one in found])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(folder)], input=article, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[11]"


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999999])
def test_one_flipped_bit_anywhere_is_noticed(folder: Path, share: float) -> None:
    for name in ("segment.bin", "manifest.json"):
        copy = folder.with_name(f"copy-{name}")
        shutil.copytree(folder, copy)
        flip(copy / name, int(share * (copy / name).stat().st_size))
        with pytest.raises(SnapshotDamaged, match=name):
            open_segment(copy)


def test_a_change_that_hides_its_time_is_noticed(folder: Path) -> None:
    open_segment(folder)
    before = (folder / "segment.bin").stat()
    flip(folder / "segment.bin", 100)
    os.utime(folder / "segment.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (folder / "segment.bin").stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(SnapshotDamaged, match="altered"):
        open_segment(folder)


@pytest.mark.parametrize("kept", [0, 1, 64, 5_000])
@pytest.mark.parametrize("name", ["segment.bin", "manifest.json"])
def test_a_file_cut_short_is_noticed(folder: Path, name: str, kept: int) -> None:
    os.truncate(folder / name, min(kept, (folder / name).stat().st_size - 1))
    with pytest.raises(SnapshotDamaged, match=name):
        open_segment(folder)


@pytest.mark.parametrize("name", ["segment.bin", "manifest.json", ""])
def test_a_missing_file_is_noticed(folder: Path, name: str) -> None:
    shutil.rmtree(folder) if not name else (folder / name).unlink()
    with pytest.raises(SnapshotDamaged, match=name or "g1"):
        open_segment(folder)


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"manifest_sha256": 1}', "\udcff{"])
def test_a_manifest_of_something_else_is_noticed(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SnapshotDamaged, match="manifest"):
        open_segment(folder)


def test_another_format_is_not_read(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("manifest_sha256")
    manifest["format"] = "yj-snapshot-2"
    manifest["manifest_sha256"] = snapshot._digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SnapshotDamaged, match="yj-snapshot-2"):
        open_segment(folder)


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that a whole data file was read for its digest."""
    seen: list[str] = []
    honest = snapshot.hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        seen.append(file.name)
        return honest(file, name)

    monkeypatch.setattr(snapshot.hashlib, "file_digest", counted)
    return seen


def age(path: Path, seconds: float) -> None:
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + int(seconds * 1e9)))


def test_a_file_is_read_whole_once_and_then_trusted(folder: Path, digests: list[str]) -> None:
    (folder / "verified.json").unlink()
    open_segment(folder)
    assert len(digests) == 1
    age(folder / "verified.json", 10)  # as if the note were written ten seconds after the file
    open_segment(folder)
    open_segment(folder)
    assert len(digests) == 1
    (folder / "segment.bin").touch()
    open_segment(folder)
    assert len(digests) == 2


def test_of_processes_that_start_at_once_one_reads_the_file(folder: Path, digests: list[str]) -> None:
    (folder / "verified.json").unlink()
    time.sleep(2 * snapshot.TICK_NS / 1e9)  # so that the note is younger than the file
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_segment, [folder] * 8))
    assert [segment.size for segment in opened] == [3] * 8
    assert len(digests) == 1


def test_a_note_hardly_younger_than_the_file_is_not_trusted(folder: Path, digests: list[str]) -> None:
    age(folder / "verified.json", -10)
    open_segment(folder)
    assert len(digests) == 1


@pytest.mark.parametrize("note", ["", "{}", "[1]", '{"boot": "another", "state": []}'])
def test_a_note_that_says_nothing_makes_the_file_read_anew(folder: Path, digests: list[str], note: str) -> None:
    (folder / "verified.json").write_text(note)
    age(folder / "verified.json", 10)
    assert open_segment(folder).size == 3
    assert len(digests) == 1


def test_after_the_next_boot_the_file_is_read_anew(
    folder: Path, digests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    age(folder / "verified.json", 10)
    open_segment(folder)
    assert digests == []
    monkeypatch.setattr(snapshot, "_boot", lambda: "the next one")
    open_segment(folder)
    assert len(digests) == 1


def test_where_the_boot_is_unknown_nothing_is_trusted(
    folder: Path, digests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_boot", lambda: "")
    for _ in range(2):
        open_segment(folder)
        age(folder / "verified.json", 10)
    assert len(digests) == 2


def test_a_snapshot_altered_while_mapped_gives_no_more_answers(folder: Path, rows: list[Row]) -> None:
    segment = open_segment(folder)
    before = (folder / "segment.bin").stat().st_mtime_ns
    while (folder / "segment.bin").stat().st_mtime_ns == before:  # the clock of a file advances in steps
        flip(folder / "segment.bin", 70)
    ids = np.array([1], np.uint64)
    for ask in (lambda: segment.find(rows[0][1]), lambda: segment.codes(5), lambda: segment.document_frequency(ids)):
        with pytest.raises(SnapshotDamaged, match="in use"):
            ask()


def test_a_snapshot_cut_short_while_mapped_gives_no_more_answers(folder: Path, rows: list[Row]) -> None:
    segment = open_segment(folder)
    os.truncate(folder / "segment.bin", 10)
    with pytest.raises(SnapshotDamaged, match="in use"):
        segment.find(rows[0][1])


def test_a_snapshot_deleted_while_mapped_goes_on_answering(folder: Path, rows: list[Row]) -> None:
    segment = open_segment(folder)
    expected = answers(segment, rows)
    shutil.rmtree(folder)
    assert answers(segment, rows) == expected


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, rows: list[Row]) -> None:
    def broken() -> Iterator[Row]:
        yield rows[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_segment(tmp_path / "g1", broken())
    with pytest.raises(ValueError, match="twice"):
        write_segment(tmp_path / "g1", [rows[0], rows[0]])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_snapshot_is_not_written_over(folder: Path, rows: list[Row]) -> None:
    with pytest.raises(FileExistsError):
        write_segment(folder, rows[:1])
    assert open_segment(folder).size == 3


def test_a_read_only_folder_can_be_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    (folder / "verified.json").unlink()
    monkeypatch.setattr(snapshot.tempfile, "mkstemp", refuse)
    assert open_segment(folder).size == 3
