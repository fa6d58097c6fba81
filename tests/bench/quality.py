"""The quality lab: what is found of what was copied, and what is flagged that was not. Deterministic by its seed.

Everything runs through the functions that screening runs: index → candidates → cheap test → comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from service.errors import BadInput
from service.fingerprint import DEFAULT_THRESHOLDS, Thresholds
from tests.bench import quality_negatives, quality_passages, quality_short
from tests.bench.corpus import Article, find_file, load_corpus, read_rows
from tests.bench.edits import EDITS
from tests.bench.report import Row, share_row
from tests.bench.screening import Lab
from tests.bench.timing import peak_mb, say

EDITED_ARTICLES = 600
REAL_GOALS = {"full": 1.0, "modified": 0.995, "excerpt_or_contained": 0.98, "partial_reuse": None, "weak_overlap": None}
Section = Callable[[Path | None, list[Article], int, Lab, bool], list[Row]]


def run(
    data: Path | None,
    seed: int,
    *,
    quick: bool = False,
    full: bool = False,
    changes: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """The rows of the report. `changes`: thresholds to try, each row then has `before`, the value with today's.

    Raises BadInput for a threshold that does not exist.
    """
    del full
    thresholds = changed_thresholds(changes or {})
    corpus = load_corpus(data)
    if len(corpus) < 20:
        raise BadInput(f"--data: {len(corpus)} articles of 200 characters in {data}; at least 20 are needed", "data")
    say(f"quality: {len(corpus):,} articles")
    rows = _measure(data, corpus, seed, thresholds, quick)
    if changes:
        before = {row["what"]: row["ours"] for row in _measure(data, corpus, seed, DEFAULT_THRESHOLDS, quick)}
        rows = [{**row, "before": before.get(row["what"])} for row in rows]
    source = data.name if data is not None else "the demo's articles"
    return {
        "name": "quality",
        "data": f"{len(corpus):,} different articles of {source}, seed {seed}",
        "thresholds": dict(changes or {}),
        "peak_mb": peak_mb(),
        "rows": rows,
    }


def changed_thresholds(changes: Mapping[str, float]) -> Thresholds:
    """Today's thresholds with some of them changed. Raises BadInput for a name that is none, or no plain number."""
    plain = {name for name, value in vars_of(DEFAULT_THRESHOLDS).items() if isinstance(value, int | float)}
    for name in changes:
        if name not in plain:
            raise BadInput(f"--set: no threshold {name!r}; there are {', '.join(sorted(plain))}", "set")
    typed = {name: type(getattr(DEFAULT_THRESHOLDS, name))(value) for name, value in changes.items()}
    return replace(DEFAULT_THRESHOLDS, **typed)


def vars_of(thresholds: Thresholds) -> dict[str, Any]:
    """Name → value of every threshold."""
    return {name: getattr(thresholds, name) for name in Thresholds.__dataclass_fields__}


def _measure(data: Path | None, corpus: list[Article], seed: int, thresholds: Thresholds, quick: bool) -> list[Row]:
    lab = Lab(corpus, thresholds)
    sections: dict[str, Section] = {
        "seeded edits": edit_rows,
        "short works": quality_short.short_rows,
        "a digest": quality_short.digest_rows,
        "real pairs": pair_rows,
        "neighbours": quality_negatives.neighbour_rows,
        "all pairs": quality_negatives.all_pair_rows,
        "PAN": quality_passages.pan_rows,
        "rewritten passages": quality_passages.rewrite_rows,
    }
    rows: list[Row] = []
    for name, section in sections.items():
        say(f"quality: {name}")
        rows += section(data, corpus, seed, lab, quick)
    return rows


def edit_rows(_data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """Recall of each seeded edit, with the share that were candidates and the kinds given."""
    chosen = lab.sample(seed, 40 if quick else EDITED_ARTICLES)
    others = [one.text for one in corpus]
    rows = []
    for name, (edit, goal) in EDITS.items():
        random = lab.random(f"{seed}:{name}")
        found = candidates = 0
        kinds: Counter[str] = Counter()
        missed = []
        for number in chosen:
            seen = lab.screen(edit(corpus[number].text, random, others), title="另一个标题")
            candidates += number in seen.candidates
            if number in seen.found:
                found += 1
                kinds[seen.found[number].kind] += 1
            else:
                missed.append(corpus[number].id)
        rows.append(
            share_row(
                f"recall: {name}",
                found,
                len(chosen),
                goal,
                candidates=round(candidates / len(chosen), 4),
                kinds=dict(kinds),
                missed=missed[:10],
            )
        )
    return rows


def pair_rows(data: Path | None, _corpus: list[Article], _seed: int, lab: Lab, quick: bool) -> list[Row]:
    """Recall of real pairs by their bucket, and every same-event pair that is flagged. [] where the folder has none.

    All documents are registered at once, so that stop hashes and the number of candidates count. A pair is found when
    one of the two is flagged as a copy of the other.
    """
    pairs, documents = find_file(data, "pairs.jsonl"), find_file(data, "docs.jsonl")
    if pairs is None or documents is None:
        return []
    texts = {str(values["id"]): values["text"] for values in read_rows(documents)}
    numbers = {name: number for number, name in enumerate(texts)}
    shared = Lab([Article(name, "", text) for name, text in texts.items()], lab.thresholds)
    seen = cache(lambda name: shared.screen(texts[name]).found.keys())
    buckets: dict[str, list[bool]] = {name: [] for name in REAL_GOALS}
    for number, values in enumerate(read_rows(pairs)):
        if not quick or number % 10 == 0:
            a, b = values["a"], values["b"]
            is_found = numbers[a] in seen(b) or numbers[b] in seen(a)
            buckets.setdefault(values["bucket"], []).append(is_found)
    rows = [
        share_row(f"real pairs: {name}", sum(found), len(found), REAL_GOALS.get(name))
        for name, found in buckets.items()
        if found
    ]
    events = find_file(data, "same_event_low_overlap.jsonl")
    if events is not None:
        flagged = []
        total = 0
        for values in read_rows(events):
            total += 1
            for work, page in ((values["a"], values["b"]), (values["b"], values["a"])):
                measured = lab.compare(texts[work], texts[page])
                if measured is not None:
                    flagged.append({"work": work, "page": page, **lab.figures(measured)})
        rows.append(
            share_row("false flags: same event, little shared", len(flagged), 2 * total, is_most=True, flagged=flagged)
        )
    return rows
