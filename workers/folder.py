"""The folder broker as workers read it: kombu's, without its race.

A sender makes a message's file, then writes into it; kombu's reader may take the file in between and dies of the empty
text (seen once in a few hundred messages on a busy machine). Here an empty file is left alone: a message is one write,
so a file that has any content has all of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem


class Channel(filesystem.Channel):
    """Takes a message by renaming its file within the data folder: atomic, and never across file systems."""

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest whole message of the queue. Raises Empty."""
        folder = Path(self.data_folder_in)
        taken = folder.parent / "taken"
        taken.mkdir(exist_ok=True)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            with suppress(FileNotFoundError):  # another worker was faster
                if (folder / name).stat().st_size == 0:
                    continue
                (folder / name).rename(taken / name)
                body = (taken / name).read_bytes()
                (taken / name).unlink()
                return json.loads(body)
        raise Empty


class Transport(filesystem.Transport):
    """kombu's folder transport with this channel."""

    Channel = Channel


def install() -> None:
    """Makes `filesystem://` mean this transport in the present process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
