"""Search: all simhashes within 10 bits against the peers, and candidates from both indexes, as the registry grows.

The works are made (see texts.WorkMaker); the pages asked for are real texts, of which one in ten is registered.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.fingerprint import Fingerprint, HammingIndex, fingerprint_text, hamming_distance
from service.fingerprint.segment import MAX_DISTANCE_BITS, IndexSegment, Row
from service.fingerprint.snapshot import open_segment, write_segment
from tests.bench.texts import WorkMaker, load_texts
from tests.bench.timing import QUIET, medians, peak_mb, peer, row, say

QUERIES = 200
ROUNDS = 7
BLOCK = 10_000
FLAT_GOALS = {1_000_000: 3.0, 10_000_000: 6.0}
MEMORY_GOALS_MB = {1_000_000: 1_000, 10_000_000: 8_000}
CANDIDATES_GOAL_US = {1_000_000: 300.0}
GROWTH_GOAL = 10.0
SIMHASH_INDEX_WORKS = 100_000
NO_CODES = np.empty(0, np.uint32)


def run(data: Path | None, seed: int, *, quick: bool = False, full: bool = False) -> dict[str, Any]:
    """The rows of the report. `quick`: 10⁴ works only; `full`: up to 10⁷ (20 minutes, 16 GB of disk)."""
    sizes = [10_000] if quick else [100_000, 1_000_000, *([10_000_000] if full else [])]
    texts, source = load_texts(data)
    maker = WorkMaker(texts, seed)
    rows: list[dict[str, Any]] = []
    per_page: dict[int, float] = {}
    for size in sizes:
        say(f"search: {size:,} works")
        rows += _hamming_rows(size, seed)
        found, per_page[size] = _candidate_rows(size, maker)
        rows += found
    if len(sizes) > 1:
        growth = per_page[sizes[-1]] / per_page[sizes[0]]
        rows.append(
            row(
                f"candidates, growth {sizes[0]:,} → {sizes[-1]:,} works",
                growth,
                "times",
                goal=GROWTH_GOAL if full else None,
            )
        )
    about = f"made works like {len(maker.real)} texts of {source}; {maker.shared_share:.0%} of their hashes are shared"
    return {"name": "search", "data": about, "peak_mb": peak_mb(), "rows": rows}


def _queries(hashes: NDArray[np.uint64], seed: int) -> list[int]:
    """Half of them near a value that is there (0 to 10 bits away), half anywhere."""
    random = np.random.default_rng(seed + 1)
    found = random.integers(0, 2**64, size=QUERIES, dtype=np.uint64).tolist()
    for number in range(0, QUERIES, 2):
        value = int(hashes[random.integers(len(hashes))])
        for bit in random.choice(64, size=random.integers(MAX_DISTANCE_BITS + 1), replace=False).tolist():
            value ^= 1 << bit
        found[number] = value
    return found


def _hamming_rows(size: int, seed: int) -> list[dict[str, Any]]:
    hashes = np.random.default_rng(seed).integers(0, 2**64, size=size, dtype=np.uint64)
    index = HammingIndex(hashes, np.arange(size, dtype=np.int64))
    queries = _queries(hashes, seed)
    contestants = {"ours": lambda: [index.search(one, MAX_DISTANCE_BITS) for one in queries]}
    names = {}
    if faiss := peer("faiss"):
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexBinaryFlat(64)
        flat.add(hashes.view(np.uint8).reshape(-1, 8))
        asked = np.array(queries, dtype=np.uint64).view(np.uint8).reshape(-1, 8)
        names["FAISS flat range search, one thread"] = "flat"
        contestants["flat"] = lambda: flat.range_search(asked, MAX_DISTANCE_BITS + 1)
    if size <= SIMHASH_INDEX_WORKS and (simhash := peer("simhash")):
        few = queries[:20]
        table = simhash.SimhashIndex(
            [(str(at), simhash.Simhash(value)) for at, value in enumerate(hashes.tolist())], k=7, log=QUIET
        )
        names["PyPI SimhashIndex, 7 bits"] = "table"
        contestants["table"] = lambda: [table.get_near_dups(simhash.Simhash(one)) for one in few]
    seconds = medians(3 if size >= 10_000_000 else ROUNDS, contestants)
    each = {name: value / (20 if name == "table" else len(queries)) * 1e6 for name, value in seconds.items()}
    what = f"all within {MAX_DISTANCE_BITS} bits of {size:,} simhashes"
    rows = [
        row(
            what,
            each["ours"],
            "µs a query",
            peer=name,
            peer_value=each[key],
            goal=FLAT_GOALS.get(size) if key == "flat" else None,
            is_ratio_goal=True,
            exact=_is_exact(index, hashes, queries[:20]),
        )
        for name, key in names.items()
    ]
    return rows or [row(f"{what}; no peer is installed", each["ours"], "µs a query")]


def _is_exact(index: HammingIndex, hashes: NDArray[np.uint64], queries: list[int]) -> bool:
    """The index finds what comparing all finds."""
    for query in queries:
        distances = np.bitwise_count(hashes ^ np.uint64(query))
        near = np.flatnonzero(distances <= MAX_DISTANCE_BITS)
        ids, found = index.search(query, MAX_DISTANCE_BITS)
        if set(ids.tolist()) != set(near.tolist()):
            return False
        if any(
            hamming_distance(int(hashes[at]), query) != bits
            for at, bits in zip(ids.tolist(), found.tolist(), strict=True)
        ):
            return False
    return True


def _candidate_rows(size: int, maker: WorkMaker) -> tuple[list[dict[str, Any]], float]:
    """Rows, and microseconds a page. The segment is the mapped file that workers share."""
    folder = Path(tempfile.mkdtemp(prefix="yinji-bench-"))
    try:
        write_segment(folder / "segment", _rows(size, maker))
        segment = open_segment(folder / "segment")
        file_mb = sum(path.stat().st_size for path in (folder / "segment").iterdir()) / 2**20
        pages = [one for one in map(fingerprint_text, maker.real[:QUERIES]) if one is not None]
        seconds = medians(ROUNDS, {"ours": lambda: [segment.find(page) for page in pages]})["ours"]
        each = seconds / len(pages) * 1e6
        what = f"candidates from both indexes, {size:,} works"
        rows = [
            row(what, each, "µs a page", goal=CANDIDATES_GOAL_US.get(size), found=_share_found(segment, pages)),
            row(f"both indexes of {size:,} works, mapped file", file_mb, "MB", goal=MEMORY_GOALS_MB.get(size)),
            row(f"texts of {size:,} works, mapped beside them as far as read", size * _mean_text_mb(maker), "MB"),
        ]
        return rows, each
    finally:
        shutil.rmtree(folder)


def _rows(size: int, maker: WorkMaker) -> Iterator[Row]:
    """One in ten pages stands in the registry; all other works are made. Their texts are left out of the file."""
    registered = [one for one in map(fingerprint_text, maker.real[:QUERIES:10]) if one is not None]
    for number, fingerprint in enumerate(registered):
        yield number, fingerprint, NO_CODES
    for first in range(len(registered), size, BLOCK):
        for number, fingerprint, _ in maker.rows(first, min(first + BLOCK, size)):
            yield number, fingerprint, NO_CODES


def _mean_text_mb(maker: WorkMaker) -> float:
    """Megabytes of a text in the file: two bytes a normalised character."""
    return 2 * sum(map(len, maker.real)) / len(maker.real) / 2**20


def _share_found(segment: IndexSegment, pages: list[Fingerprint]) -> float:
    """Share of the registered pages that find themselves first; 1.0 is right."""
    registered = pages[::10]
    hits = sum(bool(found) and found[0].version_id == at for at, found in enumerate(map(segment.find, registered)))
    return hits / len(registered)
