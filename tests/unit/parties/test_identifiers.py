"""Channel identifiers and organisation codes: equal means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.parties.identifiers import check_credit_code, holders_of, host_of, normalise_identifier


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://News.Example:443/a", "news.example"),
        ("http://news.example.:80", "news.example"),
        ("http://news.example:8080/?q", "news.example:8080"),
        ("http://127.0.0.1:9001/x", "127.0.0.1:9001"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("http://新闻.中国/", "xn--efvy88h.xn--fiqs8s"),
        ("http://user@news.example/", "news.example"),
    ],
)
def test_hosts_have_one_spelling(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", ["", "news.example", "ftp://a.example", "http://", "http://[::1", "http://a:99999/"])
def test_what_is_no_address_has_no_host(url: str) -> None:
    with pytest.raises(BadInput):
        host_of(url)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("domain", " HTTPS://www.News.example/a?b ", "www.news.example"),
        ("domain", "news.example:8443", "news.example:8443"),
        ("domain", "127.0.0.1:9001", "127.0.0.1:9001"),
        ("weibo", "@Xueling ", "xueling"),
        ("wechat", "ＡＢＣ  日报", "abc 日报"),
        ("print", "《雪岭日报》", "雪岭日报"),
    ],
)
def test_identifiers_are_stored_in_one_form(kind: str, value: str, stored: str) -> None:
    assert normalise_identifier(kind, value) == stored == normalise_identifier(kind, stored)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("domain", ""),
        ("domain", "cn"),
        ("domain", "com.cn"),
        ("domain", "gs.cn"),
        ("domain", "localhost"),
        ("domain", "a b.example"),
        ("domain", "-a.example"),
        ("wechat", "x" * 256),
        ("wechat", "好\u202e坏"),
        ("weibo", "@"),
        ("print", "《》"),
    ],
)
def test_unfit_identifiers_are_refused(kind: str, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        normalise_identifier(kind, value)
    assert caught.value.field == "identifier"


@pytest.mark.parametrize(
    ("host", "holders"),
    [
        ("a.news.example", ["a.news.example", "news.example"]),
        ("news.example:8080", ["news.example:8080", "news.example"]),
        ("www.daily.com.cn", ["www.daily.com.cn", "daily.com.cn"]),
        ("127.0.0.1:9001", ["127.0.0.1:9001"]),
        ("[::1]:8000", ["[::1]:8000"]),
        ("localhost:8000", ["localhost:8000"]),
    ],
)
def test_a_host_is_held_by_itself_and_its_parents_but_by_no_zone(host: str, holders: list[str]) -> None:
    assert list(holders_of(host)) == holders


@given(st.text(), st.sampled_from(["domain", "wechat", "print"]))
def test_normalising_twice_is_normalising_once(value: str, kind: str) -> None:
    try:
        once = normalise_identifier(kind, value)
    except BadInput:
        return
    assert normalise_identifier(kind, once) == once


def test_a_credit_code_is_checked_to_its_last_character() -> None:
    assert check_credit_code(" 91350100m000100y43 ") == "91350100M000100Y43"
    with pytest.raises(BadInput, match="第 18 位应为 3"):
        check_credit_code("91350100M000100Y44")
    with pytest.raises(BadInput, match="现为 3 位"):
        check_credit_code("913")
    with pytest.raises(BadInput, match="第 1 位“I”"):
        check_credit_code("I1350100M000100Y43")
