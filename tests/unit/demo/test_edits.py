"""A copier's tricks: seeded, and each does what it says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from service.demo import edits
from service.demo.edits import Copy
from service.demo.newsroom import load_articles

ARTICLES = [article for article in load_articles() if article.form == "text"]
SEEDED: list[Callable[[Copy, Random], Copy]] = [
    edits.change_headline,
    edits.add_noise,
    edits.reorder_and_edit,
    edits.rewrite_lead,
]


def _copy(place: int = 0) -> Copy:
    return Copy(ARTICLES[place].title, ARTICLES[place].text, "雪岭日报")


@pytest.mark.parametrize("trick", SEEDED)
def test_a_seed_always_gives_the_same_copy_and_other_seeds_others(trick: Callable[[Copy, Random], Copy]) -> None:
    assert trick(_copy(), Random(7)) == trick(_copy(), Random(7))
    assert len({trick(_copy(), Random(seed)) for seed in range(12)}) > 1


@pytest.mark.parametrize("place", range(len(ARTICLES)))
def test_an_excerpt_is_two_or_three_neighbouring_paragraphs_in_a_foreign_article(place: int) -> None:
    copy = edits.excerpt_into(_copy(place), "别人的标题", "前文。", "后文。", Random(place))
    before, *taken, after = copy.text.split("\n")
    assert (before, after) == ("前文。", "后文。")
    assert len(taken) in (2, 3)
    assert "\n".join(taken) in ARTICLES[place].text
    assert len("".join(taken)) >= 160


def test_reordering_moves_paragraphs_and_changes_words_but_keeps_most_of_the_text() -> None:
    for place in range(len(ARTICLES)):
        ours = _copy(place)
        copy = edits.reorder_and_edit(ours, Random(place))
        assert [line[:6] for line in copy.text.split("\n")] != [line[:6] for line in ours.text.split("\n")]
        assert 0.7 < len(copy.text) / len(ours.text) < 1.1


def test_noise_leaves_every_paragraph_of_ours_untouched() -> None:
    noisy = edits.add_noise(_copy(), Random(1)).text.split("\n")
    ours = _copy().text.split("\n")
    assert [line for line in noisy if line in ours] == ours
    assert len(noisy) == len(ours) + 4


def test_a_traditional_copy_shares_length_but_not_spelling() -> None:
    copy = edits.to_traditional(_copy())
    assert len(copy.text) == len(_copy().text)
    assert sum(a != b for a, b in zip(copy.text, _copy().text, strict=True)) > 100


def test_a_copy_without_credit_names_no_source_and_no_reporter() -> None:
    copy = edits.remove_credit(edits.add_credit(_copy(), "雪岭日报", "记者 沈禾"))
    assert copy.credit is None
    assert "记者" not in copy.text


def test_a_rewritten_lead_replaces_only_the_first_paragraph() -> None:
    copy = edits.rewrite_lead(_copy(), Random(2))
    assert copy.text.split("\n")[1:] == _copy().text.split("\n")[1:]
    assert copy.text.split("\n")[0] != _copy().text.split("\n")[0]
