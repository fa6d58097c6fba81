"""The index's files: damaged, refused by the disk, swept; no answer changes by it."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy.orm import Session

from service.clock import utc_now
from service.config import Settings
from service.extensions import db, reading
from service.fingerprint import snapshot as snapshots
from service.works import index, index_build, index_live
from service.works.index_files import (
    POINTER,
    Generation,
    build_lock,
    read_pointer,
    segment_folder,
    sweep,
    sweep_if_idle,
    write_pointer,
)
from tests.unit.works.test_index import STORIES, build, found, fresh_process, live, register, settings_here

__all__ = ["fresh_process", "settings_here"]  # fixtures


def files_of(settings: Settings) -> dict[str, Path]:
    """Name → path: the pointer, and the files of the only segment of the snapshot in force."""
    pointer = read_pointer(settings.index_folder)
    assert pointer is not None
    segment = segment_folder(settings.index_folder, pointer.generation, 0)
    return {path.name: path for path in (settings.index_folder / POINTER, *segment.iterdir())}


@pytest.mark.parametrize("harm", ["flip", "truncate", "delete"])
def test_a_harmed_file_under_a_running_process_changes_no_answer(
    any_session: Session, settings_here: Settings, harm: str
) -> None:
    versions = register(any_session, *STORIES)
    build(any_session)
    names = set(files_of(settings_here))
    assert names >= {POINTER, snapshots.DATA, snapshots.MANIFEST}
    for name in sorted(names):
        build(any_session)
        assert found(any_session, STORIES[0]) == [versions[0]]
        harm_file(files_of(settings_here)[name], harm)
        for process in ("the one that had it open", "a new one"):
            answers = [found(any_session, text) for text in STORIES]
            assert answers == [[one] for one in versions], f"{harm} {name}: {process}"
            index.forget()


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.99])
def test_a_damaged_snapshot_is_taken_out_of_force_and_rebuilt(
    any_session: Session, settings_here: Settings, place: float
) -> None:
    versions = register(any_session, *STORIES)
    damaged = build(any_session)
    harm_file(files_of(settings_here)[snapshots.DATA], "flip", place)
    assert found(any_session, STORIES[1]) == [versions[1]]
    assert read_pointer(settings_here.index_folder) is None
    job = index.request_needed_rebuild(any_session)
    assert job is not None and "damaged" in job.payload["reason"]
    any_session.commit()
    assert build(any_session).generation != damaged.generation
    assert found(any_session, STORIES[1]) == [versions[1]]
    assert live(any_session).delta_rows == 0


def harm_file(path: Path, harm: str, place: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    if harm == "delete":
        path.unlink()
    elif harm == "truncate":
        with path.open("r+b") as file:
            file.truncate(len(data) // 2)
    else:
        data[int(place * len(data))] ^= 0x10
        with path.open("r+b") as file:
            file.write(data)


@pytest.mark.parametrize("name", [POINTER, snapshots.MANIFEST, snapshots.DATA])
def test_a_file_that_cannot_be_opened_for_a_moment_condemns_no_snapshot(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    versions = register(any_session, *STORIES[:2])
    built = build(any_session)
    real = Path.open

    def refuse(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == name:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(path, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with reading(any_session), pytest.raises(index.IndexNotReady, match="Too many open files"):
            index.check_ready(any_session)
        sweep_if_idle(settings_here.index_folder)
        assert index.request_needed_rebuild(any_session) is None
    assert read_pointer(settings_here.index_folder) == built
    assert found(any_session, STORIES[0]) == [versions[0]]
    assert live(any_session).generation == built


def test_a_file_altered_between_its_check_and_its_first_search_changes_no_answer(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = register(any_session, *STORIES)
    build(any_session)
    data, real = files_of(settings_here)[snapshots.DATA], snapshots._Watch

    def late(*args: Any) -> Any:
        harm_file(data, "flip", 0.01)
        return real(*args)

    monkeypatch.setattr(snapshots, "_Watch", late)
    assert [found(any_session, text) for text in STORIES] == [[one] for one in versions]
    assert read_pointer(settings_here.index_folder) is None


def test_a_snapshot_that_may_not_be_read_is_built_anew(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(any_session, STORIES[0])
    build(any_session)

    def refuse(_: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(index_live, "open_segment", refuse)
    with reading(any_session), pytest.raises(index.IndexNotReady):
        index.check_ready(any_session)
    assert index.request_needed_rebuild(any_session) is not None


def test_a_full_disk_leaves_the_old_snapshot_in_force(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = register(any_session, *STORIES[:4])
    old = build(any_session)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index_build, "write_segment", full)
    with pytest.raises(index_build.IndexNotBuilt, match=r"No space left on device; .* bytes are free.*old one stays"):
        build(any_session)

    def silent(_: Path) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(index_build.IndexNotBuilt, match=r"device\); the old one stays"):
        patch.setattr("shutil.disk_usage", silent)
        build(any_session)
    assert read_pointer(settings_here.index_folder) == old
    assert found(any_session, STORIES[3]) == [versions[3]]
    folders = [path.name for path in settings_here.index_folder.iterdir() if path.is_dir()]
    assert folders == [old.generation]


def test_two_builders_do_not_build_at_once(any_session: Session, settings_here: Settings) -> None:
    register(any_session, STORIES[0])
    with build_lock(settings_here.index_folder) as is_ours:
        assert is_ours
        with pytest.raises(index_build.IndexBusy):
            build(any_session)
    assert build(any_session).works == 1


def test_old_snapshots_go_after_the_grace_time_and_never_the_one_in_force(
    any_session: Session, settings_here: Settings
) -> None:
    folder = settings_here.index_folder
    register(any_session, STORIES[0])
    first, second = build(any_session), build(any_session)
    assert (folder / first.generation).is_dir(), "a reader may be opening it"
    (folder / f"{second.generation}z").mkdir()  # what a builder killed after the second build leaves
    written = (folder / POINTER).stat().st_mtime
    sweep(folder, written + 60)
    assert (folder / first.generation).is_dir() and not (folder / f"{second.generation}z").exists()
    sweep(folder, written + 601)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [second.generation]


def test_the_grace_time_begins_when_a_long_build_ends(
    any_session: Session, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(any_session, STORIES[0])
    first = build(any_session)
    began = utc_now() + timedelta(seconds=1) - timedelta(minutes=12)
    path = settings_here.index_folder / first.generation
    earlier = f"{began - timedelta(hours=1):%Y%m%dT%H%M%S.%f}-0000"
    path.rename(settings_here.index_folder / earlier)
    write_pointer(settings_here.index_folder, Generation(**{**vars(first), "generation": earlier}))
    monkeypatch.setattr(index_build, "utc_now", lambda: began)  # what a build of twelve minutes notes
    second = build(any_session)
    assert second.built == began
    assert (settings_here.index_folder / earlier).is_dir(), "a reader may be opening it"


def test_threads_find_everything_while_snapshots_are_built_and_harmed(app: Flask) -> None:
    with app.app_context():
        versions = register(db.session(), *STORIES)
        settings: Settings = current_app.config["YINJI"]
        build(db.session())
    ended = Event()

    def search() -> int:
        count = 0
        with app.app_context():
            while not ended.is_set() or not count:
                assert [found(db.session(), text) for text in STORIES] == [[one] for one in versions]
                count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(search) for _ in range(3)]
        try:
            with app.app_context():
                for harm in ("flip", "delete", "flip", "none", "flip"):
                    if harm != "none":
                        harm_file(files_of(settings)[snapshots.DATA], harm)
                    build(db.session())
        finally:
            ended.set()
        assert all(one.result() for one in searches)
