"""Bytes that say one thing and labels that say another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake.charset import decode_html

SIMPLIFIED = "兰州新区的葡萄今年提前上市，果农们在大棚里忙着采摘。记者了解到，这里的合作社已经有三百多户人家参加。" * 4
TRADITIONAL = (
    "這個村子的農民說，今年的葡萄會提前上市，他們在大棚裡忙著採摘。記者了解到，這裡的合作社已經有三百多戶人家參加。" * 4
)


def html(text: str, label: str = "") -> str:
    meta = f'<meta charset="{label}">' if label else ""
    return f"<html><head>{meta}<title>题</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    "label", ["", "utf-8", "gbk", "gb2312", "GB18030", "big5", "iso-8859-1", "nonsense", "undefined", "hex"]
)
@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "gbk"])
@pytest.mark.parametrize("place", ["header", "meta"])
def test_simplified_page_is_read_whatever_its_label(codec: str, label: str, place: str) -> None:
    source = html(SIMPLIFIED, label if place == "meta" else "")
    header = f"text/html; charset={label}" if place == "header" and label else "text/html"
    text, charset, how = decode_html(source.encode(codec), header)
    assert text == source
    assert charset == ("utf-8" if codec == "utf-8" else "gb18030")
    assert how in {"header", "meta", "utf8", "contradicted", "detected"}


@pytest.mark.parametrize("label", ["", "utf-8", "big5", "gbk", "iso-8859-1"])
@pytest.mark.parametrize("codec", ["big5hkscs", "utf-8"])
def test_traditional_page_is_read_whatever_its_label(codec: str, label: str) -> None:
    source = html(TRADITIONAL, label).replace("题", "題")
    assert decode_html(source.encode(codec))[0] == source


def test_gbk_page_labelled_utf8_is_reported_as_contradicted() -> None:
    assert decode_html(html(SIMPLIFIED, "utf-8").encode("gbk"), "text/html; charset=utf-8")[1:] == (
        "gb18030",
        "contradicted",
    )


def test_utf8_page_labelled_gbk_is_proved_by_its_bytes() -> None:
    assert decode_html(html(SIMPLIFIED, "gbk").encode())[1:] == ("utf-8", "utf8")


def test_utf8_page_with_a_few_broken_bytes_stays_utf8() -> None:
    body = html(SIMPLIFIED, "utf-8").encode().replace("果农".encode(), "果".encode() + b"\xe5\x86", 1)
    text, charset, _ = decode_html(body)
    assert charset == "utf-8"
    assert text.count("\ufffd") == 1


def test_capture_cut_inside_a_character_stays_utf8() -> None:
    assert decode_html(SIMPLIFIED.encode()[:-1])[1] == "utf-8"


def test_four_byte_characters_of_gb18030_survive_a_gb2312_label() -> None:
    source = html(SIMPLIFIED + "𠮷镕㛃", "gb2312")
    assert decode_html(source.encode("gb18030"))[0] == source


@pytest.mark.parametrize(
    ("mark", "codec"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_byte_order_mark_wins_over_every_label(mark: bytes, codec: str) -> None:
    source = html(SIMPLIFIED, "gbk")
    assert decode_html(mark + source.encode(codec), "text/html; charset=big5") == (source, codec, "bom")


def test_few_gbk_characters_that_happen_to_be_utf8_follow_their_label() -> None:
    body = "一路".encode("gbk")
    assert body.decode("utf-8")  # the accident this is about
    assert decode_html(body, "text/html; charset=gbk") == ("一路", "gb18030", "header")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("これは日本語のニュース記事です。東京で開かれた会議について報じています。" * 5, "shift_jis"),
        ("이것은 한국어 뉴스 기사입니다. 서울에서 열린 회의에 대해 보도합니다." * 5, "euc_kr"),
        ("Это новость на русском языке о совещании, которое прошло в Москве." * 5, "cp1251"),
    ],
)
def test_labelled_foreign_page_keeps_its_label(text: str, codec: str) -> None:
    assert decode_html(text.encode(codec), f"text/html; charset={codec.replace('cp', 'windows-')}")[0] == text


def test_empty_page_and_nul_characters() -> None:
    assert decode_html(b"") == ("", "utf-8", "empty")
    assert decode_html(b"<p>a\0b")[0] == "<p>ab"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_with_any_label_give_text(body: bytes, label: str) -> None:
    text, charset, how = decode_html(body, f"text/html; charset={label}")
    assert isinstance(text, str)
    assert charset
    assert how
    text.encode("utf-8")
