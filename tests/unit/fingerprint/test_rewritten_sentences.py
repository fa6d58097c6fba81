import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import kernels, normalise
from service.fingerprint.sentences import MOST_WORDS, split_sentences


def _texts(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text).bounds.tolist()]


def test_chinese_sentences_end_with_their_marks_and_quotes() -> None:
    text = "渔船今天清晨归港了。老船长说：“鱼群晚到了两个星期！”技术员登船测量网目；不合格的渔网一律封存"
    assert _texts(text) == [
        "渔船今天清晨归港了。",
        "老船长说：“鱼群晚到了两个星期！”",
        "技术员登船测量网目；",
        "不合格的渔网一律封存",
    ]


def test_english_sentences_end_at_stops_before_spaces_only() -> None:
    text = 'The toll was 3.5 million crowns. "Nobody paid it," he said! Were\nthe ferries free of charge?'
    assert _texts(text) == [
        "The toll was 3.5 million crowns.",
        'Nobody paid it," he said!',
        "Were\nthe ferries free of charge?",
    ]


def test_line_ends_part_chinese_but_only_blank_lines_part_english() -> None:
    assert len(_texts("渔船今天清晨陆续归港\n技术员登船测量网目")) == 2
    assert len(_texts("The old ferry crossed\nthe wide estuary twice")) == 1
    assert len(_texts("The old ferry crossed\n\nthe wide estuary twice")) == 2


def test_short_sentences_join_the_next() -> None:
    assert _texts("好的。不行！渔船今天清晨陆续归港了。") == ["好的。不行！渔船今天清晨陆续归港了。"]


def test_endless_text_is_cut_into_sentences() -> None:
    sentences = split_sentences("渔" * 10_000)
    assert np.bincount(sentences.sentence).max() <= MOST_WORDS[True]


def test_words_forget_case_accents_endings_and_traditional_forms() -> None:
    def words(text: str) -> list[int]:
        return split_sentences(text).words.tolist()

    assert words("Café TRANSLATION") == words("cafe\u0301 translations".replace("e\u0301", "é"))
    assert words("漁船歸港") == words("渔船归港")
    assert words("渔船归港") != words("渔船出港")


def test_chinese_words_are_neighbouring_pairs_and_names_stay_whole() -> None:
    text = "渔船A380号"
    sentences = split_sentences(text)
    spans = zip(sentences.starts.tolist(), sentences.ends.tolist(), strict=True)
    assert [text[start:end] for start, end in spans] == ["渔船", "A380"]


def test_normalised_text_given_makes_no_difference() -> None:
    text = "渔船今天清晨陆续归港。技术员登船。"
    assert np.array_equal(split_sentences(text).words, split_sentences(text, normalise(text)).words)


@pytest.mark.parametrize("text", ["", "。。", "\0", "\ud800", "🚢"])
def test_text_without_words_has_no_sentences(text: str) -> None:
    assert len(split_sentences(text)) == 0


@given(st.text(max_size=300))
def test_sentences_are_numbered_without_gaps_and_hold_their_words(text: str) -> None:
    sentences = split_sentences(text)
    with kernels.use("plain"):
        plain = split_sentences(text)
    assert np.array_equal(sentences.sentence, plain.sentence)
    assert np.array_equal(sentences.words, plain.words)
    assert np.unique(sentences.sentence).tolist() == list(range(len(sentences)))
    bounds = sentences.bounds[sentences.sentence]
    assert (bounds[:, 0] <= sentences.starts).all()
    assert (sentences.starts < sentences.ends).all()
    assert (sentences.ends <= bounds[:, 1]).all()
    assert (sentences.bounds <= len(text)).all()
