"""Passages: the PAN corpus, and Chinese passages rewritten by people, put into other articles; plagdet and its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from service.fingerprint import Background, IndexSegment, align_rewritten, align_texts, fingerprint_text, normalise
from tests.bench.corpus import Article, PanPair, load_pan, load_rewrites
from tests.bench.plagdet import Quad, Score, score_pairs
from tests.bench.report import Row, share_row, value_row
from tests.bench.screening import Lab

PAN_GOALS = {"no-obfuscation": 0.99, "random-obfuscation": 0.90, "translation-obfuscation": 0.90}
PAN_GOAL, REWRITE_GOAL, CANDIDATE_GOAL, CLEAN_GOAL = 0.92, 0.95, 0.95, 0.003
MISMATCHED = 600
GROUP = 5
WORK_SENTENCES = (10, 15)
HOST_CHARACTERS = (600, 1_200)
LITERAL_CHARACTERS = 60

Detect = Callable[[str, str], list[Quad]]


def pan_rows(data: Path | None, _corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """Macro and micro plagdet in all and for each kind; false flags on clean pairs; the literal aligner beside it."""
    pairs = load_pan(data)[:: 10 if quick else 1]
    if not pairs:
        return []
    dirty = [one for one in pairs if one.cases]
    found = [(one, _rewritten(one.source, one.suspicious)) for one in dirty]
    literal = [(one, _literal(one.source, one.suspicious)) for one in dirty]
    rows = [
        _plagdet_row("PAN: macro plagdet", found, PAN_GOAL),
        _plagdet_row("PAN: micro plagdet", found, None, is_macro=False),
        _plagdet_row("PAN: macro plagdet, identical spans alone", literal, None),
    ]
    for kind in sorted({one.kind for one in dirty}):
        chosen = [item for item in found if item[0].kind == kind]
        rows.append(_plagdet_row(f"PAN: macro plagdet, {kind}", chosen, PAN_GOALS.get(kind)))
    clean = [(one.source, one.suspicious) for one in pairs if not one.cases]
    clean += _mismatched(pairs, lab.random(f"{seed}:pan"), 50 if quick else MISMATCHED)
    flagged = sum(bool(_rewritten(source, suspicious)) for source, suspicious in clean)
    rows.append(share_row("PAN: clean pairs with a passage", flagged, len(clean), CLEAN_GOAL, is_most=True))
    return rows


def rewrite_rows(data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """Five sentences rewritten by each writer inside another article; and whole works, whether the index gives them."""
    writers = load_rewrites(data)
    low, high = HOST_CHARACTERS
    hosts = [one.text for one in corpus if low <= len(one.text) <= high]
    if not writers or len(hosts) < 2:
        return []
    random = lab.random(f"{seed}:rewrites")
    planted = [
        _planted(writers[0][at : at + GROUP], writer[at : at + GROUP], random.sample(hosts, 2))
        for writer in writers[1:]
        for at in range(0, len(writer) - GROUP, GROUP * (5 if quick else 1))
    ]
    rows = []
    for name, goal, detect in (
        ("background of the registry", REWRITE_GOAL, lambda a, b: _rewritten(a, b, lab.background)),
        ("no background", None, _rewritten),
        ("identical spans alone", None, _literal),
    ):
        score = score_pairs([([case], detect(work, page)) for work, page, case in planted])
        rows.append(_score_row(f"rewritten Chinese passages: macro plagdet, {name}", score, goal))
    return [*rows, *_candidate_rows(writers, planted, random, lab)]


def _candidate_rows(
    writers: list[list[str]], planted: Sequence[tuple[str, str, Quad]], random: Random, lab: Lab
) -> list[Row]:
    """Through an index that holds the one work: does the page ask for it? And is it a match, by identical text or wording?"""
    works = []
    for writer in writers[1:]:
        at = 0
        while at + WORK_SENTENCES[0] <= len(writer):
            end = at + random.randint(*WORK_SENTENCES)
            works.append(("".join(writers[0][at:end]), "".join(writer[at:end])))
            at = end
    whole = sum(_is_candidate(work, page) for work, page in works)
    parts = sum(_is_candidate(work, page) for work, page, _ in planted)
    whole_matches = sum(lab.compare(work, page) is not None for work, page in works)
    part_matches = sum(lab.compare(work, page) is not None for work, page, _ in planted)
    return [
        share_row("rewritten works found as candidates", whole, len(works), CANDIDATE_GOAL),
        share_row("five rewritten sentences in another article: candidates", parts, len(planted)),
        share_row("rewritten works that are a match", whole_matches, len(works)),
        share_row("five rewritten sentences in another article: matches", part_matches, len(planted)),
    ]


def _planted(original: list[str], rewritten: list[str], hosts: list[str]) -> tuple[str, str, Quad]:
    work, a_start, a_end = _inserted("".join(original), hosts[0])
    page, b_start, b_end = _inserted("".join(rewritten), hosts[1])
    return work, page, (a_start, a_end, b_start, b_end)


def _inserted(passage: str, host: str) -> tuple[str, int, int]:
    """The passage as a paragraph of its own in the middle of a host article, and where it stands."""
    lines = host.split("\n")
    before = "\n".join(lines[: len(lines) // 2]) + "\n"
    return before + passage + "\n" + "\n".join(lines[len(lines) // 2 :]), len(before), len(before) + len(passage)


def _rewritten(a: str, b: str, background: Background | None = None) -> list[Quad]:
    return [one.quad for one in align_rewritten(a, b, background)]


def _literal(a: str, b: str) -> list[Quad]:
    spans = [one for one in align_texts(a, b).spans if one.identical >= LITERAL_CHARACTERS]
    return [(one.a_start, one.a_end, one.b_start, one.b_end) for one in spans]


def _is_candidate(work: str, page: str) -> bool:
    ours, theirs = normalise(work), fingerprint_text(page)
    fingerprint = fingerprint_text(ours)
    if fingerprint is None or theirs is None:
        return False
    return bool(IndexSegment.build([(0, fingerprint, ours.codes)]).find(theirs))


def _mismatched(pairs: list[PanPair], random: Random, count: int) -> list[tuple[str, str]]:
    """Sources beside suspicious texts that were not made from them."""
    together = {(one.source, one.suspicious) for one in pairs}
    found: list[tuple[str, str]] = []
    while len(found) < count:
        source, suspicious = random.choice(pairs).source, random.choice(pairs).suspicious
        if (source, suspicious) not in together:
            found.append((source, suspicious))
    return found


def _plagdet_row(
    what: str, found: Sequence[tuple[PanPair, list[Quad]]], goal: float | None, *, is_macro: bool = True
) -> Row:
    return _score_row(what, score_pairs([(one.cases, quads) for one, quads in found], is_macro=is_macro), goal)


def _score_row(what: str, score: Score, goal: float | None) -> Row:
    parts = {"recall": score.recall, "precision": score.precision, "granularity": score.granularity}
    rounded = {name: round(value, 4) for name, value in parts.items()}
    return value_row(what, score.plagdet, "plagdet", goal, **rounded, cases=score.cases, detections=score.detections)
