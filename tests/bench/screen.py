"""Screening of real HTML: our two speeds against "extract every page, then PyPI simhash", and how many pages are read.

Pages are real ones whose article gave way to another article of the same beat: 2 % carry a registered work, the others
an article that nobody registered. Works are the rest of the articles, filled up to 10⁴, 10⁵, 10⁶ with made ones
(texts.WorkMaker), which share with real pages what real texts have in common: datelines, formulas, official sentences.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import trafilatura

from service.comparison import WorkText, examine, find_works, likely_candidates
from service.demo.sites import build_sites
from service.fingerprint import Candidate, fingerprint_text, kernels, normalise
from service.fingerprint.segment import IndexSegment, Row
from service.fingerprint.snapshot import open_segment, write_segment
from service.intake.charset import decode_html
from service.intake.extract import extract_article, quick_text
from tests.bench.report import share_row
from tests.bench.texts import WorkMaker, load_texts
from tests.bench.timing import QUIET, medians, peak_mb, peer, row, say
from tests.factories import NOW

PAGES = 400
COPIES_EVERY = 50  # 2 %
PEER_PAGES = 40
PEER_WORKS = 20_000  # SimhashIndex needs minutes and gigabytes for more; its look-ups are quicker with fewer
RATIO_SIZE = 100_000
RATIO_GOAL = 10.0
LEAST_MAIN_CHARACTERS = 300
BLOCK = 20_000
STRANGER_SHARE = 0.08


@dataclass(frozen=True)
class Setting:
    """Pages (HTML, whether it carries a work), the registered texts, and the maker of further works."""

    pages: list[tuple[str, bool]]
    works: list[str]
    maker: WorkMaker


def run(data: Path | None, seed: int, *, quick: bool = False, full: bool = False) -> dict[str, Any]:
    """The rows of the report. `quick`: 10⁴ works only; `full` adds 10⁶."""
    texts, source = load_texts(data)
    random = Random(seed)
    random.shuffle(texts)
    templates, origin = _templates(data)
    setting = _setting(texts, templates, random, seed)
    rows: list[dict[str, Any]] = []
    for size in [10_000] if quick else [10_000, RATIO_SIZE, *([1_000_000] if full else [])]:
        say(f"screen: {size:,} works")
        rows += _rows(size, setting, quick)
    about = f"{len(setting.pages)} pages, 2 % copies; {len(templates)} layouts of {origin}; articles of {source}"
    return {"name": "screen", "data": about, "peak_mb": peak_mb(), "rows": rows}


def _templates(data: Path | None) -> tuple[list[tuple[str, str]], str]:
    """(HTML before the article, HTML after it): pages whose gold text can be found again in their paragraphs."""
    found: list[tuple[str, str]] = []
    gold = sorted(data.rglob("gold.jsonl")) if data is not None else []
    for path in gold:
        for line in path.open(encoding="utf-8"):
            record = json.loads(line)
            page = path.parent / "html" / f"{record['id']}.html"
            html = decode_html(page.read_bytes())[0] if page.exists() else ""
            if html and (cut := _cut(html, record["text"])):
                found.append(cut)
    if found:
        return found, gold[0].parent.name
    for site in build_sites(1, NOW):
        for body, content_type in site.pages.values():
            if cut := _cut(decode_html(body, content_type)[0], ""):
                found.append(cut)
    return found, "the demo's sites"


def _cut(html: str, gold: str) -> tuple[str, str] | None:
    """The page around the paragraphs of its article: the longest row of <p> that the gold text holds (any, without gold)."""
    known = normalise(gold).text
    spots = [
        match
        for match in re.finditer(r"<p\b[^>]*>(.*?)</p>", html, re.S)
        if len(text := normalise(re.sub(r"<[^>]+>", "", match[1])).text) >= 20 and (not known or text in known)
    ]
    if not spots:
        return None
    start, end = spots[0].start(), spots[-1].end()
    return (html[:start], html[end:]) if end - start >= LEAST_MAIN_CHARACTERS else None


def _setting(texts: list[str], templates: list[tuple[str, str]], random: Random, seed: int) -> Setting:
    works = texts[len(texts) // 2 :]
    innocent = _strangers(texts[: len(texts) // 2], works)[:PAGES]
    pages = []
    for number, text in enumerate(innocent):
        is_copy = number % COPIES_EVERY == 0
        before, after = templates[number % len(templates)]
        body = "".join(f"<p>{line}</p>" for line in (random.choice(works) if is_copy else text).split("\n"))
        pages.append((before + body + after, is_copy))
    return Setting(pages, works, WorkMaker(works, seed))


def _strangers(texts: list[str], works: list[str]) -> list[str]:
    """The texts that share less than 8 % of their 8-grams with each work, and each work with them: no copies."""
    grams = [set(np.unique(kernels.gram_hashes(normalise(text).codes, 8)).tolist()) for text in works]
    holders: dict[int, list[int]] = {}
    for number, found in enumerate(grams):
        for gram in found:
            holders.setdefault(gram, []).append(number)
    kept = []
    for text in texts:
        own = set(np.unique(kernels.gram_hashes(normalise(text).codes, 8)).tolist())
        shared = Counter(number for gram in own for number in holders.get(gram, ()))
        if all(count < STRANGER_SHARE * min(len(own), len(grams[number])) for number, count in shared.items()):
            kept.append(text)
    return kept


def _rows(size: int, setting: Setting, quick: bool) -> list[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="yinji-bench-"))
    try:
        write_segment(folder / "segment", _works(size, setting))
        segment = open_segment(folder / "segment")
        outcome = [(_screen(segment, setting, html), is_copy) for html, is_copy in setting.pages]
        found = sum(bool(found) for (_, found), is_copy in outcome if is_copy)
        copies = sum(is_copy for _, is_copy in outcome)
        flagged = sum(bool(found) for (_, found), is_copy in outcome if not is_copy)
        read = sum(is_read for (is_read, _), _ in outcome)
        rows = [
            row(
                f"pages whose article is extracted, {size:,} works",
                100 * read / len(outcome),
                "% of pages (2 % are copies)",
                copies_found=f"{found} of {copies}",
                others_flagged=flagged,
            )
        ]
        if size == (10_000 if quick else RATIO_SIZE):
            rows.append(_against_peer(size, segment, setting))
            rows.append(_against_slow_way(size, segment, setting))
        return rows
    finally:
        shutil.rmtree(folder)


def _works(size: int, setting: Setting) -> Iterator[Row]:
    """The registered texts first, then made works."""
    for number, text in enumerate(setting.works):
        normalised = normalise(text)
        fingerprint = fingerprint_text(normalised)
        assert fingerprint is not None
        yield number, fingerprint, normalised.codes
    for first in range(len(setting.works), size, BLOCK):
        yield from setting.maker.rows(first, min(first + BLOCK, size))


def _screen(segment: IndexSegment, setting: Setting, html: str) -> tuple[bool, int]:
    """One page our way: (was its article extracted, how many works were found)."""
    visible = quick_text(html)
    text = normalise(visible)
    fingerprint = fingerprint_text(text)
    likely = likely_candidates(text, segment.find(fingerprint)) if fingerprint is not None else []

    examined = examine(html, visible, None, likely, partial(_load, segment, setting))
    return examined.article is not None, len(examined.found)


def _load(segment: IndexSegment, setting: Setting, candidates: Sequence[Candidate]) -> list[WorkText]:
    """The texts of candidates; a made work's is what the index holds."""
    texts = [
        setting.works[one.version_id]
        if one.version_id < len(setting.works)
        else segment.codes(one.version_id).tobytes().decode("utf-16-le", "replace")
        for one in candidates
    ]
    return [
        WorkText(one.version_id, one.version_id, "", text, one.distance)
        for one, text in zip(candidates, texts, strict=True)
    ]


def _against_slow_way(size: int, segment: IndexSegment, setting: Setting) -> dict[str, Any]:
    """Every page extracted first, its article's own fingerprint asked, every candidate compared: are the flags the same?"""
    differing = []
    for number, (html, _) in enumerate(setting.pages):
        article = extract_article(html)
        fingerprint = fingerprint_text(article.text)
        works = _load(segment, setting, segment.find(fingerprint)) if fingerprint is not None else []
        slow = {one.work.version_id for one in find_works(article.text, "", works)}
        visible = quick_text(html)
        asked = fingerprint_text(visible)
        likely = likely_candidates(normalise(visible), segment.find(asked)) if asked is not None else []
        found = examine(html, visible, None, likely, partial(_load, segment, setting)).found
        if slow != {one.work.version_id for one in found}:
            differing.append(number)
    total = len(setting.pages)
    return share_row(
        f"real pages with the same flags as the slow way, {size:,} works",
        total - len(differing),
        total,
        1.0,
        differing=differing,
    )


def _against_peer(size: int, segment: IndexSegment, setting: Setting) -> dict[str, Any]:
    simhash = peer("simhash")
    near = [(str(number), simhash.Simhash(one.simhash)) for number, one, _ in setting.maker.rows(0, PEER_WORKS)]
    index = simhash.SimhashIndex(near, k=7, log=QUIET)
    pages = [html for html, _ in setting.pages]
    few = pages[:PEER_PAGES]

    def theirs() -> list[list[str]]:
        texts = [trafilatura.extract(html, favor_precision=True, include_comments=False) or "" for html in few]
        return [index.get_near_dups(simhash.Simhash(text)) for text in texts]

    seconds = medians(3, {"ours": lambda: [_screen(segment, setting, html) for html in pages], "theirs": theirs})
    ours, others = seconds["ours"] / len(pages), seconds["theirs"] / len(few)
    return row(
        f"screening a page, {size:,} works",
        ours * 1e3,
        "ms a page, one core",
        peer=f"trafilatura + PyPI simhash + SimhashIndex of {PEER_WORKS:,}",
        peer_value=others * 1e3,
        goal=RATIO_GOAL,
        is_ratio_goal=True,
        pages_per_core_second=round(1 / ours, 1),
    )
