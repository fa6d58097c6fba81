from random import Random

import pytest

from service.demo.newsroom import load_articles
from service.fingerprint import align_texts, measure_overlap, normalise
from tests.bench.edits import EDITS, paragraphs_of

ARTICLES = [one.text for one in load_articles() if len(one.text) > 400]


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_the_same_for_the_same_seed_and_leaves_a_copy(name: str) -> None:
    edit, _ = EDITS[name]
    text, others = ARTICLES[0], ARTICLES[1:]
    once, again = edit(text, Random(4), others), edit(text, Random(4), others)
    assert once == again
    assert measure_overlap(text, once).copied > 30


@pytest.mark.parametrize(("name", "share"), [("5 % of characters edited", 0.05), ("20 % of characters edited", 0.20)])
def test_as_many_characters_are_edited_as_said(name: str, share: float) -> None:
    edit, _ = EDITS[name]
    text = "".join(ARTICLES[:6])
    identical = measure_overlap(text, edit(text, Random(1), ARTICLES[6:])).coverage
    assert 1 - 3.2 * share <= identical <= 1 - share / 2  # runs below five characters are lost as well


def test_half_of_the_paragraphs_stay() -> None:
    edit, _ = EDITS["50 % of paragraphs dropped"]
    text = ARTICLES[0]
    assert len(paragraphs_of(edit(text, Random(2), []))) == round(len(paragraphs_of(text)) / 2)


def test_an_excerpt_is_two_neighbouring_paragraphs_in_a_host() -> None:
    edit, _ = EDITS["excerpt of two paragraphs in another article"]
    text, host = ARTICLES[0], ARTICLES[1]
    page = edit(text, Random(2), [host])
    own = [line for line in paragraphs_of(page) if line in paragraphs_of(text)]
    assert len(own) == 2 and "\n".join(own) in text
    assert align_texts(host, page).coverage_of_a > 0.99


def test_shuffling_keeps_every_character() -> None:
    edit, _ = EDITS["sentences shuffled"]
    shuffled = edit(ARTICLES[0], Random(3), [])
    assert sorted(normalise(shuffled).text) == sorted(normalise(ARTICLES[0]).text)
    assert shuffled != ARTICLES[0]


def test_traditional_characters_differ_before_normalising_only() -> None:
    edit, _ = EDITS["traditional characters (s2t)"]
    converted = edit(ARTICLES[0], Random(0), [])
    assert converted != ARTICLES[0]
    assert normalise(converted).text == normalise(ARTICLES[0]).text
