"""Fingerprints: ours against the peers, each on the same texts in the same rounds. Microseconds an article, one core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from service.fingerprint import fingerprint_text, fingerprint_texts, kernels, normalise, simhash_codes, winnow_codes
from tests.bench.texts import load_texts
from tests.bench.timing import medians, peak_mb, peer, row, say

ROUNDS = 9
MOST_TEXTS = 1_000
SLOW_TEXTS = 60  # of the peers that need a millisecond an article
OUR_SIMHASH, OUR_BOTH = "simhash with normalisation", "simhash, winnow and rewrite codes with normalisation"


def run(data: Path | None, seed: int, *, quick: bool = False, full: bool = False) -> dict[str, Any]:
    """The rows of the report; `seed` and `full` change nothing here."""
    del seed, full
    texts, source = load_texts(data)
    texts = texts[:MOST_TEXTS]
    few = texts[:SLOW_TEXTS]
    say(f"fingerprint: {len(texts)} texts of {source}")
    ours: dict[str, tuple[list[str], Callable[[list[str]], object]]] = {
        OUR_SIMHASH: (texts, lambda t: [simhash_codes(normalise(one).codes) for one in t]),
        "simhash and winnow with normalisation": (texts, lambda t: [_both(one) for one in t]),
        OUR_BOTH: (texts, lambda t: [fingerprint_text(one) for one in t]),
        "the same, batch": (texts, fingerprint_texts),
        "the same, plain numpy": (few, _plain),
    }
    peers = _peers(texts, few)
    contestants = {name: _runner(function, given) for name, (given, function) in (ours | peers).items()}
    sizes = {name: len(given) for name, (given, _) in (ours | peers).items()}
    found = medians(3 if quick else ROUNDS, contestants)
    each = {name: seconds / sizes[name] * 1e6 for name, seconds in found.items()}
    pypi = each["PyPI simhash, Simhash(text)"]
    goals = {OUR_SIMHASH: 100.0, "simhash and winnow with normalisation": 40.0}
    rows = [
        row(
            name,
            each[name],
            "µs",
            peer="PyPI simhash, Simhash(text)",
            peer_value=pypi,
            goal=goals.get(name),
            is_ratio_goal=True,
        )
        for name in ours
    ]
    rows += [
        row(OUR_SIMHASH, each[OUR_SIMHASH], "µs", peer=name, peer_value=each[name], goal=1.0, is_ratio_goal=True)
        for name in peers
        if name != "PyPI simhash, Simhash(text)"
    ]
    rows += [row(f"{name}: not installed", 0, "µs", peer=name) for name in _missing()]
    return {
        "name": "fingerprint",
        "data": f"{len(texts)} texts, {sum(map(len, texts)) // len(texts)} characters each, {source}",
        "kernels": kernels.implementation(),
        "peak_mb": peak_mb(),
        "rows": rows,
    }


def _both(text: str) -> object:
    codes = normalise(text).codes
    return simhash_codes(codes), winnow_codes(codes)


def _plain(texts: list[str]) -> None:
    with kernels.use("plain"):
        fingerprint_texts(texts)


def _runner(function: Callable[[list[str]], object], texts: list[str]) -> Callable[[], object]:
    return lambda: function(texts)


def _peers(texts: list[str], few: list[str]) -> dict[str, tuple[list[str], Callable[[list[str]], object]]]:
    """Each peer as its documentation uses it: on text where it takes text, on character 4-grams where it takes tokens."""
    simhash = peer("simhash")
    found: dict[str, tuple[list[str], Callable[[list[str]], object]]] = {
        "PyPI simhash, Simhash(text)": (few, lambda t: [simhash.Simhash(one).value for one in t])
    }
    if gaoya := peer("gaoya"):
        found["gaoya, SimHash of character 4-grams"] = (texts, lambda t: _gaoya(gaoya, t))
    if datasketch := peer("datasketch"):
        found["datasketch, MinHash of 128"] = (few, lambda t: [_minhash(datasketch, one) for one in t])
    if rensa := peer("rensa"):
        found["rensa, RMinHash of 128"] = (few, lambda t: [_rminhash(rensa, one) for one in t])
    if iscc := peer("iscc_core"):
        found["iscc-core, text code"] = (few, lambda t: [iscc.gen_text_code_v0(one) for one in t])
    return found


def _missing() -> list[str]:
    return [name for name in ("gaoya", "datasketch", "rensa", "iscc_core") if peer(name) is None]


def _gaoya(gaoya: Any, texts: list[str]) -> None:
    """gaoya shows no hash by itself: its index takes the texts one by one, which is mostly hashing."""
    index = gaoya.simhash.SimHashStringIndex(analyzer="char", ngram_range=(4, 4))
    for number, text in enumerate(texts):
        index.insert_document(number, text)


def _grams(text: str) -> list[str]:
    return [text[place : place + 4] for place in range(len(text) - 3)]


def _minhash(datasketch: Any, text: str) -> np.ndarray:
    minhash = datasketch.MinHash(num_perm=128)
    minhash.update_batch([gram.encode() for gram in _grams(text)])
    return minhash.digest()


def _rminhash(rensa: Any, text: str) -> Any:
    minhash = rensa.RMinHash(num_perm=128, seed=1)
    minhash.update(_grams(text))
    return minhash.digest()
