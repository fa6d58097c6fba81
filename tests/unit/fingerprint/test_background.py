import numpy as np
import pytest

from service.fingerprint.background import BACKGROUND, Background, build_background
from service.fingerprint.sentences import split_sentences

TEXTS = ["渔船归港。渔船出海。", "渔船停在码头。", "码头下雨。"]


def _idf(background: Background, word: str) -> float:
    return float(background.idf(split_sentences(word).words)[0])


def test_common_words_weigh_less_than_rare_ones() -> None:
    background = build_background(TEXTS)
    assert _idf(background, "渔船") < _idf(background, "归港") < _idf(background, "冷库")


def test_a_word_counts_once_per_text() -> None:
    background = build_background(TEXTS)
    assert _idf(background, "渔船") == pytest.approx(np.log(4 / 3))
    assert _idf(background, "冷库") == pytest.approx(np.log(4))


def test_a_word_in_every_text_keeps_a_little_weight() -> None:
    assert _idf(build_background(["渔船。", "渔船！"]), "渔船") == 0.01


def test_no_texts_know_nothing() -> None:
    background = build_background([])
    assert background.texts == 0
    assert _idf(background, "渔船") == 0.01


def test_bytes_bring_the_same_background_back() -> None:
    background = build_background(TEXTS)
    again = Background.from_bytes(background.to_bytes())
    assert (again.name, again.texts) == (BACKGROUND, 3)
    assert np.array_equal(again.counts, background.counts)
    assert again.to_bytes() == background.to_bytes()


@pytest.mark.parametrize(
    "spoil", [lambda data: b"", lambda data: data[:-1], lambda data: b"yj-background-9" + data[15:]]
)
def test_damaged_or_foreign_bytes_are_refused(spoil) -> None:  # type: ignore[no-untyped-def]  # parametrized lambda
    with pytest.raises(ValueError, match="background"):
        Background.from_bytes(spoil(build_background(TEXTS).to_bytes()))


def test_counts_of_more_texts_than_a_counter_holds_are_scaled() -> None:
    counts = np.zeros(2**19, np.uint16)
    counts[:] = 0xFFFF
    background = Background(10 * 0xFFFF, counts)
    assert _idf(background, "渔船") == 0.01
