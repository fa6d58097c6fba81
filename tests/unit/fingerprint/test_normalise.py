import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fingerprint import normalise
from service.fingerprint.normalise import codes_of

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates and NULs too


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("《兰州》，ＡＢＣ　①！", "兰州abc1"),
        ("裏面、裡面、里面", "里面里面里面"),
        ("看著 看着", "看着看着"),
        ("衞生 衛生 卫生", "卫生卫生卫生"),
        ("Straße ﬁn", "strassefin"),
        ("caf\u00e9 cafe\u0301", "cafecafe"),
        ("㈱ ½", "株12"),
        ("\ud800甘\x00肃\udfff\u200b\ufeff", "甘肃"),
        ("👍🏽‍甘🇨🇳肃", "甘肃"),
        ("𝐀𠮷", "a𠮷"),
        ("سلام", "سلام"),
        ("한국", "한국"),
    ],
)
def test_only_comparable_characters_remain(text: str, expected: str) -> None:
    assert normalise(text).text == expected


def test_traditional_text_equals_the_simplified_one() -> None:
    assert normalise("甘肅省人民政府發佈會介紹經濟發展").text == normalise("甘肃省人民政府发布会介绍经济发展").text


def test_offsets_lead_back_to_the_source_character() -> None:
    text = "“ＡＢ” ㎏😀肃𠮷。末"
    result = normalise(text)
    assert result.text == "abkg肃𠮷末"
    assert [text[i] for i in result.offsets] == ["Ａ", "Ｂ", "㎏", "㎏", "肃", "𠮷", "末"]


def test_source_range_of_an_empty_range_is_the_place_after_the_character_before() -> None:
    result = normalise("，甘，肃")
    assert result.source_range(0, 2) == (1, 4)
    assert result.source_range(1, 1) == (2, 2)
    assert result.source_range(0, 0) == (0, 0)


@given(ANY_TEXT)
@settings(deadline=None)
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


def test_every_bmp_character_is_stable_and_one_with_its_composed_and_decomposed_forms() -> None:
    for code in range(0x10000):
        character = chr(code)
        folded = normalise(character).text
        assert normalise(folded).text == folded
        for form in ("NFKC", "NFKD"):
            other = unicodedata.normalize(form, character)
            if not any("\u1100" <= c <= "\u11ff" for c in other):  # Hangul stays in syllables: documented
                assert normalise(other).text == folded, hex(code)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(deadline=None)
def test_composed_and_decomposed_forms_are_one(text: str) -> None:
    if any("\u1100" <= c <= "\u11ff" or "\uac00" <= c <= "\ud7ff" for c in unicodedata.normalize("NFD", text)):
        return  # Hangul stays in syllables: documented
    expected = normalise(text).text
    assert normalise(unicodedata.normalize("NFD", text)).text == expected
    assert normalise(unicodedata.normalize("NFC", text)).text == expected


@given(ANY_TEXT)
@settings(deadline=None)
def test_every_normalised_character_depends_on_its_source_character_alone(text: str) -> None:
    result = normalise(text)
    assert result.text == "".join(normalise(character).text for character in text)
    assert (np.diff(result.offsets) >= 0).all()
    assert len(result.codes) == len(result.offsets) == len(result)
    for code, offset in zip(result.text, result.offsets.tolist(), strict=True):
        assert code in normalise(text[offset]).text


@given(ANY_TEXT)
@settings(deadline=None)
def test_codes_are_the_code_points(text: str) -> None:
    assert codes_of(text).tolist() == [ord(c) for c in text]
