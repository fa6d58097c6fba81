"""Short works (posts, captions, first sentences) and long pages (digests of many works)."""

from __future__ import annotations

from pathlib import Path

from service.fingerprint import normalise
from tests.bench.corpus import Article
from tests.bench.quality_negatives import STRANGER_SHARE, containment, grams_of
from tests.bench.report import Row, share_row
from tests.bench.screening import Lab

LENGTHS = (50, 80, 120, 180)
WORKS, PAGES = 300, 400
DIGEST_WORKS = 60


def short_rows(_data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """For each length: recall as a post of its own and inside another article, and false flags among other articles.

    The works are the first characters of articles. A page counts as no copy when the two whole articles share less than
    8 % of their 8-grams.
    """
    count = min(WORKS, len(corpus) // 2) // (10 if quick else 1) or 1
    sources = [corpus[at] for at in lab.sample(seed + 2, count)]
    own = {one.id for one in sources}
    hosts = [one for one in corpus if one.id not in own][: 40 if quick else PAGES]
    grams = {one.id: grams_of(one.text) for one in (*sources, *hosts)}
    rows = []
    for length in LENGTHS:
        works = [Article(one.id, "", first_characters(one.text, length)) for one in sources]
        small = Lab(works, lab.thresholds)
        posts = sum(at in small.screen(work.text).found for at, work in enumerate(works))
        inside = sum(
            at in small.screen(_insert(work.text, hosts[at % len(hosts)].text)).found for at, work in enumerate(works)
        )
        flagged = []
        for host in hosts:
            for at, measured in small.screen(host.text).found.items():
                if (share := containment(grams[works[at].id], grams[host.id])) < STRANGER_SHARE:
                    figures = {"shared_8_grams": round(share, 3), **lab.figures(measured)}
                    flagged.append({"work": works[at].id, "page": host.id, **figures})
        what = f"works of {length} characters"
        rows += [
            share_row(f"recall: {what} as a post", posts, len(works)),
            share_row(f"recall: {what} inside another article", inside, len(works)),
            share_row(
                f"false flags: {what}, other articles",
                len(flagged),
                len(works) * len(hosts),
                is_most=True,
                flagged=flagged,
            ),
        ]
    return rows


def digest_rows(_data: Path | None, corpus: list[Article], seed: int, lab: Lab, quick: bool) -> list[Row]:
    """A page that holds many works at once: how many of them are found on it."""
    chosen = lab.sample(seed + 3, 10 if quick else DIGEST_WORKS)
    page = "\n\n".join(corpus[at].text for at in chosen)
    seen = lab.screen(page)
    found = sum(at in seen.found for at in chosen)
    what = f"recall: a page of {len(normalise(page)):,} characters that holds {len(chosen)} works"
    return [share_row(what, found, len(chosen), None)]


def first_characters(text: str, length: int) -> str:
    """The start of a text that has this many normalised characters (the whole, where it is shorter)."""
    offsets = normalise(text).offsets
    return text[: int(offsets[length - 1]) + 1] if len(offsets) > length else text


def _insert(part: str, host: str) -> str:
    lines = host.split("\n")
    middle = len(lines) // 2
    return "\n".join((*lines[:middle], part, *lines[middle:]))
