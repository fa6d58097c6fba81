"""Identical spans of two texts of 2,000 characters: ours against difflib and cydifflib; and rewritten passages, ms a pair."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from service.fingerprint import Normalised, align_rewritten, align_texts, normalise
from tests.bench.corpus import load_pan
from tests.bench.texts import cut_to, load_texts
from tests.bench.timing import medians, peak_mb, peer, row, say

CHARACTERS = 2_000
PAIRS = 20
ROUNDS = 5
GOALS = {"difflib": 100.0, "cydifflib": 20.0}
LONG_CHARACTERS = (5_000, 50_000, 500_000)
MIN_RUN = 5

Pair = tuple[str, str]
Kind = Callable[[str, Random], str]


def run(data: Path | None, seed: int, *, quick: bool = False, full: bool = False) -> dict[str, Any]:
    """The rows of the report; `full` changes nothing here."""
    del full
    texts, source = load_texts(data)
    random = Random(seed)
    originals = [cut_to(random.choice(texts), CHARACTERS, texts, random) for _ in range(PAIRS)]
    rows = []
    for name, change in KINDS.items():
        say(f"align: {name}")
        rows += _rows(name, [(text, change(text, random)) for text in originals], 2 if quick else ROUNDS)
    rows += _long_rows(texts, random, LONG_CHARACTERS[:1] if quick else LONG_CHARACTERS)
    rows += _pan_rows(data)
    about = f"{PAIRS} pairs of {CHARACTERS} characters from {source}"
    return {"name": "align", "data": about, "peak_mb": peak_mb(), "rows": rows}


def _edited(text: str, random: Random) -> str:
    """Every twentieth character another one."""
    return "".join(random.choice(text) if random.random() < 0.05 else one for one in text)


def _reordered(text: str, random: Random) -> str:
    """The sentences in another order."""
    sentences = text.replace("。", "。\x00").split("\x00")
    random.shuffle(sentences)
    return "".join(sentences)


KINDS: dict[str, Kind] = {
    "the same text": lambda text, _: text,
    "5 % of the characters changed": _edited,
    "sentences reordered": _reordered,
}


def _rows(name: str, pairs: list[Pair], rounds: int) -> list[dict[str, Any]]:
    """The peers get what our aligner gets: normalised characters. Ours is timed without normalising, like theirs."""
    normalised = [(normalise(a), normalise(b)) for a, b in pairs]
    strings = [(a.text, b.text) for a, b in normalised]
    few = strings[:4]  # difflib needs 10 ms and more a pair
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: [align_texts(a, b) for a, b in normalised],
        "difflib": lambda: [_blocks(difflib, a, b) for a, b in few],
    }
    if cydifflib := peer("cydifflib"):
        contestants["cydifflib"] = lambda: [_blocks(cydifflib, a, b) for a, b in strings]
    seconds = medians(rounds, contestants)
    each = {key: value / (len(few) if key == "difflib" else len(pairs)) * 1e6 for key, value in seconds.items()}
    share = _share_of_theirs(normalised)
    return [
        row(
            f"identical spans: {name} ({share:.1%} of the characters that difflib links are found)",
            each["ours"],
            "µs a pair",
            peer=key,
            peer_value=each[key],
            goal=GOALS[key],
            is_ratio_goal=True,
        )
        for key in GOALS
        if key in each
    ]


def _blocks(library: Any, a: str, b: str) -> list[tuple[int, int, int]]:
    blocks = library.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(one.a, one.b, one.size) for one in blocks if one.size >= MIN_RUN]


def _share_of_theirs(pairs: list[tuple[Normalised, Normalised]]) -> float:
    """Share of the characters of a in difflib's runs of 5 and more that lie in our spans too (1.0: all found)."""
    theirs = ours = 0
    for a, b in pairs:
        covered = {at for start, _, length, _ in align_texts(a, b).runs.tolist() for at in range(start, start + length)}
        for start, _, size in _blocks(difflib, a.text, b.text):
            theirs += size
            ours += len(covered.intersection(range(start, start + size)))
    return round(ours / theirs, 4) if theirs else 1.0


def _long_rows(texts: list[str], random: Random, lengths: tuple[int, ...]) -> list[dict[str, Any]]:
    """Cost a character as texts grow: the same is linear."""
    rows = []
    for length in lengths:
        whole = cut_to("", length, texts, random)
        moved = _reordered(whole, random)
        seconds = medians(
            3, {"identical": partial(align_texts, whole, moved), "rewritten": partial(align_rewritten, whole, moved)}
        )
        rows += [
            row(f"{name}, sentences reordered, {length:,} characters", each * 1e3, "ms a pair")
            for name, each in seconds.items()
        ]
    return rows


def _pan_rows(data: Path | None) -> list[dict[str, Any]]:
    """Milliseconds a pair on the PAN corpus, where the folder has one."""
    pairs = [(one.source, one.suspicious) for one in load_pan(data)[::10]]
    if not pairs:
        return []
    mean = sum(len(a) + len(b) for a, b in pairs) // (2 * len(pairs))
    seconds = medians(3, {"it": lambda: [align_rewritten(a, b) for a, b in pairs]})["it"]
    return [
        row(f"rewritten passages, PAN pairs of {mean:,} characters", seconds / len(pairs) * 1e3, "ms a pair", goal=6.0)
    ]
