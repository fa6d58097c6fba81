"""What happens by the clock. A round that finds no worker free expires: the next one does the same work."""

from __future__ import annotations

from typing import Any

_ROUNDS: dict[str, tuple[float, str]] = {
    "index.tick": (2, "sends jobs that became due, were lost by the queue, or by their worker"),
    "index.nightly": (60, "starts the nightly scans once their hour has come"),
    "index.renew": (600, "has each machine build its index anew, nightly"),
    "index.refingerprint": (
        60,
        "brings the works to the program's newest fingerprint algorithm, old one kept meanwhile",
    ),
    "index.seal": (30, "chains new audit events; ends what dead jobs left open"),
}
"""Task → seconds between rounds, and what it is for."""

SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": name, "schedule": every_s, "options": {"queue": "index", "expires": max(5.0, every_s)}}
    for name, (every_s, _) in _ROUNDS.items()
}
