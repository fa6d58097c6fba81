"""Fair timings: rounds in which every contestant runs once, in turn, so that a slow moment of the machine meets them all."""

from __future__ import annotations

import logging
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

QUIET = logging.getLogger("yinji.bench.peers")
QUIET.setLevel(logging.ERROR)  # PyPI SimhashIndex warns at every look-up of a large table


def medians(rounds: int, contestants: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a contestant takes, the median over the rounds; each ran once before, uncounted."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(rounds):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in seconds.items()}


def peer(name: str) -> Any:
    """A peer's module, None where it is not installed (`bench` extra)."""
    try:
        return import_module(name)
    except ImportError:
        return None


def peak_mb() -> float:
    """The most memory this process ever had, MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def row(
    what: str,
    ours: float,
    unit: str,
    *,
    peer: str = "",
    peer_value: float | None = None,
    goal: float | None = None,
    is_ratio_goal: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """One line of a report. `ratio`: how many times the peer needs ours; `goal`: the least ratio, or the most of `ours`.

    `reached` is None where nothing was asked for, or where the peer is missing.
    """
    ratio = peer_value / ours if peer_value is not None and ours else None
    reached = None
    if goal is not None and is_ratio_goal:
        reached = None if ratio is None else ratio >= goal
    elif goal is not None:
        reached = ours <= goal
    values = {"ours": _short(ours), "peer_value": _short(peer_value), "ratio": _short(ratio)}
    return {"what": what, **values, "unit": unit, "peer": peer, "goal": goal, "reached": reached, **more}


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
