"""The folder broker: a message that is still being written is left alone, and none is taken twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from workers.folder import Transport


def open_channel(folder: Path) -> object:
    for name in ("messages", "control"):
        (folder / name).mkdir(exist_ok=True)
    messages = str(folder / "messages")
    options = {"data_folder_in": messages, "data_folder_out": messages, "control_folder": str(folder / "control")}
    return Connection("filesystem://", transport=Transport, transport_options=options).default_channel


def test_a_message_still_being_written_is_left_alone(tmp_path: Path) -> None:
    channel = open_channel(tmp_path)
    half = tmp_path / "messages" / "1_x.index.msg"
    half.touch()
    with pytest.raises(Empty):
        channel._get("index")  # type: ignore[attr-defined]  # the transport's own interface
    half.write_text('{"n": 1}')
    assert channel._get("index") == {"n": 1}  # type: ignore[attr-defined]  # the transport's own interface
    assert list(tmp_path.rglob("*.msg")) == []


def test_messages_sent_while_others_read_arrive_once_and_whole(tmp_path: Path) -> None:
    channel, count = open_channel(tmp_path), 300

    def read() -> list[int]:
        found: list[int] = []
        while not (tmp_path / "done").exists() or any((tmp_path / "messages").iterdir()):
            try:
                found.append(channel._get("index")["n"])  # type: ignore[attr-defined]  # the transport's own interface
            except Empty:
                continue
        return found

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(count):
            channel._put("index", {"n": number})  # type: ignore[attr-defined]  # the transport's own interface
        (tmp_path / "done").touch()
    assert sorted(number for reader in readers for number in reader.result()) == list(range(count))
