"""What copiers do to an article, seeded: each edit takes a text, a generator and the other texts, and gives a page's text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from service.demo.edits import Copy, add_noise, rewrite_lead
from service.fingerprint import normalise
from service.fingerprint.apart import boilerplate

Edit = Callable[[str, Random, list[str]], str]
EXCERPT_CHARACTERS = 80
"""So much text must be taken, datelines and editors' lines not counted, for a part to be called a copy: two paragraphs may
be a headline and an editor's name. The row "excerpt, any two paragraphs" leaves the condition out."""
TRIES = 20


def counted(text: str) -> int:
    """Normalised characters without datelines and editors' lines."""
    kept, at = [], 0
    for start, end in boilerplate(text):
        kept.append(text[at:start])
        at = end
    return len(normalise("\n".join((*kept, text[at:]))))


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs with text in them."""
    return [line for line in text.split("\n") if line.strip()]


def _noise(text: str, random: Random, _: list[str]) -> str:
    return text if len(paragraphs_of(text)) < 2 else add_noise(Copy("", text, None), random).text


def _drop(share: float) -> Edit:
    def edit(text: str, random: Random, _: list[str]) -> str:
        lines = paragraphs_of(text)
        kept = max(1, round(len(lines) * (1 - share)))
        rest = ""
        for _try in range(TRIES):
            rest = "\n".join(lines[at] for at in sorted(random.sample(range(len(lines)), kept)))
            if counted(rest) >= EXCERPT_CHARACTERS:
                break
        return rest

    return edit


def _excerpt(least: int) -> Edit:
    def edit(text: str, random: Random, others: list[str]) -> str:
        lines = paragraphs_of(text)
        places = [at for at in range(len(lines) - 1) if counted("\n".join(lines[at : at + 2])) >= least]
        part = lines[(at := random.choice(places)) : at + 2] if places else lines[:2]
        host = paragraphs_of(random.choice(others))
        middle = len(host) // 2
        return "\n".join((*host[:middle], *part, *host[middle:]))

    return edit


def _shuffle(text: str, random: Random, _: list[str]) -> str:
    sentences = [one for one in text.replace("。", "。\x00").split("\x00") if one.strip()]
    random.shuffle(sentences)
    return "".join(sentences)


def _characters(share: float) -> Edit:
    """Each character is replaced, followed by another, or dropped with this probability."""

    def edit(text: str, random: Random, others: list[str]) -> str:
        pool = random.choice(others)
        out = []
        for one in text:
            kind = random.randrange(3) if random.random() < share else -1
            out.append({-1: one, 0: random.choice(pool), 1: one + random.choice(pool), 2: ""}[kind])
        return "".join(out)

    return edit


def _words(text: str, random: Random, others: list[str]) -> str:
    """15 % of the words replaced: words are taken as pairs of characters, the new ones from another article."""
    pool = random.choice(others)
    out = []
    for at in range(0, len(text), 2):
        if random.random() < 0.15 and "\n" not in text[at : at + 2]:
            place = random.randrange(len(pool) - 2)
            out.append(pool[place : place + 2].replace("\n", "，"))
        else:
            out.append(text[at : at + 2])
    return "".join(out)


def _convert(variant: str) -> Edit:
    return lambda text, _random, _others: _converter(variant).convert(text)


@cache
def _converter(variant: str) -> Any:
    from opencc import OpenCC

    return OpenCC(variant)


def _lead(text: str, random: Random, _: list[str]) -> str:
    return rewrite_lead(Copy("", text, None), random).text if len(paragraphs_of(text)) > 1 else text


def _mixed(text: str, random: Random, others: list[str]) -> str:
    """Paragraphs of two works in turn."""
    own, other = paragraphs_of(text), paragraphs_of(random.choice(others))
    longest = max(len(own), len(other))
    return "\n".join(line for at in range(longest) for line in (*own[at : at + 1], *other[at : at + 1]))


EDITS: dict[str, tuple[Edit, float | None]] = {
    "unaltered, title changed": (lambda text, _random, _others: text, 0.995),
    "page noise": (_noise, 0.995),
    "30 % of paragraphs dropped": (_drop(0.3), 0.995),
    "50 % of paragraphs dropped": (_drop(0.5), 0.995),
    "excerpt of two paragraphs in another article": (_excerpt(EXCERPT_CHARACTERS), 0.98),
    "excerpt, any two paragraphs": (_excerpt(0), None),
    "sentences shuffled": (_shuffle, 0.995),
    "5 % of characters edited": (_characters(0.05), 0.995),
    "10 % of characters edited": (_characters(0.10), 0.995),
    "20 % of characters edited": (_characters(0.20), 0.95),
    "15 % of words replaced": (_words, 0.995),
    "traditional characters (s2t)": (_convert("s2t"), 0.995),
    "traditional characters (Taiwan, s2tw)": (_convert("s2tw"), 0.995),
    "traditional characters (Hong Kong, s2hk)": (_convert("s2hk"), 0.995),
    "lead rewritten": (_lead, 0.995),
    "two works mixed": (_mixed, None),
}
"""Name → the edit, and the recall asked for."""
