import random

import pytest

from service.fingerprint.rewrite_condensed import condensed_from
from service.fingerprint.rewritten import align_rewritten
from tests.unit.fingerprint.test_rewritten import ENGLISH_HOST, HOST_A, HOST_B, WORK


def _words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4)) for _ in range(count)]


def _story(seed: int, sentences: int = 40) -> list[list[str]]:
    rng = random.Random(seed)
    return [_words(rng, 12) for _ in range(sentences)]


def _latin(story: list[list[str]]) -> str:
    return " ".join(f"The {' of the '.join(words[:6])} and {' '.join(words[6:])}." for words in story)


def _summary(story: list[list[str]]) -> str:
    """One sentence for each four of the whole, with two words of every one."""
    groups = [story[i : i + 4] for i in range(0, len(story), 4)]
    return " ".join(" ".join(f"{words[0]} {words[7]}" for words in group) + " was told." for group in groups)


def _host(seed: int) -> str:
    return _latin(_story(seed, 30)) + " "


def test_a_summary_of_the_whole_is_hinted_at_with_its_place() -> None:
    story = _story(1)
    b = _host(2) + _summary(story) + " " + _host(3)
    hint = condensed_from(_latin(story), b)
    assert hint is not None
    assert (hint.a_start, hint.a_end) == (0, len(_latin(story)))
    assert abs(hint.b_start - len(_host(2))) < 30
    assert abs(hint.b_end - len(_host(2) + _summary(story))) < 30
    assert 0.65 <= hint.score <= 1


def test_a_copied_part_is_no_summary() -> None:
    story = _story(4)
    assert condensed_from(_latin(story), _host(5) + _latin(story[10:18]) + " " + _host(6)) is None


def test_the_whole_text_is_no_summary_of_itself() -> None:
    assert condensed_from(_latin(_story(7)), _latin(_story(7))) is None


def test_other_stories_give_no_hint() -> None:
    assert condensed_from(_latin(_story(8)), _host(9)) is None
    assert condensed_from(WORK + HOST_A, HOST_B) is None


def test_a_chinese_summary_is_hinted_at() -> None:
    rng = random.Random(10)
    words = [["".join(chr(0x4E00 + rng.randrange(2_500)) for _ in range(12)) for _ in range(4)] for _ in range(24)]
    whole = "".join("，".join(clauses) + "。" for clauses in words)
    summary = "".join(f"{a[0]}，{b[1]}。" for a, b in zip(words[::2], words[1::2], strict=True))
    hint = condensed_from(whole, HOST_A + summary[:320] + HOST_B)
    assert hint is not None
    assert abs(hint.b_start - len(HOST_A)) < 15
    assert abs(hint.b_end - len(HOST_A) - 320) < 15


def test_known_passages_need_not_be_sought_again() -> None:
    story = _story(11)
    a, b = _latin(story), _host(12) + _summary(story)
    assert condensed_from(a, b, align_rewritten(a, b)) == condensed_from(a, b)


@pytest.mark.parametrize("odd", ["", "\0", "\ud800", "。" * 99, "鱼" * 100_000, "🚢" * 99])
def test_odd_texts_give_no_hint(odd: str) -> None:
    assert condensed_from(odd, ENGLISH_HOST) is None
    assert condensed_from(ENGLISH_HOST, odd) is None
    assert condensed_from(odd, odd) is None
