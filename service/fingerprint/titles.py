"""Does a page bear another headline than the work? Site names, labels and layout are no change."""

import re

from service.fingerprint.normalise import normalise

MOST_CHARACTERS = 300
_SITE_BREAK = re.compile(r"\s*(?:[_|｜丨]|--+|——|\s[-–—]\s?|[-–—](?=[^-–—]{2,12}$))\s*")
_LABEL = re.compile(r"[（(\[【]\s*(?:组图|高清组图|图|视频|图文|多图|转载|转|原创|独家)\s*[)）\]】]")
_CUT = re.compile(r"(?:…+|\.{3,})$")


def is_title_changed(work_title: str, candidate_title: str) -> bool:
    """The candidate bears another headline than the work.

    Not a change: site names behind a bar or dash, labels such as （组图）, punctuation, traditional forms, a headline
    cut short with "…". An empty title says nothing: False.
    """
    work_title, candidate_title = _tidy(work_title), _tidy(candidate_title)
    ours, theirs = _headlines(work_title), _headlines(candidate_title)
    if not ours or not theirs or ours & theirs:
        return False
    cut = _CUT.sub("", candidate_title.strip())
    if cut != candidate_title.strip():
        start = normalise(_LABEL.sub("", cut)).text
        return len(start) < 4 or not normalise(_LABEL.sub("", work_title)).text.startswith(start)
    return True


def _tidy(title: str) -> str:
    """One space for many, and not endless: what is longer than a headline can be says nothing more."""
    return " ".join(title[: 4 * MOST_CHARACTERS].split())[:MOST_CHARACTERS]


def _headlines(title: str) -> set[str]:
    """The title with none, one, … of its trailing site names taken off, normalised; {} when nothing is left."""
    plain = _LABEL.sub("", title).strip()
    found = {normalise(plain).text}
    found.update(normalise(plain[: match.start()]).text for match in _SITE_BREAK.finditer(plain))
    return found - {""}
