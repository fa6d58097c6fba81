"""Hundreds of ways to write an address that must not be fetched, and the few that may."""

from __future__ import annotations

import ipaddress
import socket
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Refused
from service.intake.guard import check_address, is_global_unicast, parse_address

PUBLIC = "93.184.215.14"


def words(text: str) -> list[str]:
    return text.split()


FORBIDDEN_V4 = words("""
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254
169.254.0.1 169.254.169.254 169.254.170.2 168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.250 240.0.0.1 250.1.1.1 255.255.255.255
""")

FORBIDDEN_V6 = words("""
:: ::1 ::2 0:0:0:0:0:0:0:1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:100.100.100.200 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 0:0:0:0:0:ffff:7f00:0001 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe
64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1::a00:1 100::1 2001::1 2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1
2001:10::1 2001:20::1
2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe::1 2002:c0a8:1::1 2002:808:808::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1
fd00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 fe80::1:2:3 febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff0e::1 4000::1 8000::1 e000::1
""")

# Spellings that some resolver, library or browser reads as a loopback, private or metadata address.
ODD_HOSTS = words("""
2130706433 3232235521 2852039166 017700000001 0177.0.0.1 0177.0.0.01 0x7f000001 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0X7F.0.0.1 127.1 127.0.1
10.1 192.168.1 0 00 0x0 127.0.0.1. 127.0.0.01 127.000.000.001 127.0.0.0x1 127.0.0 256.256.256.256 1.2.3 1.2.3.4.5 0x 4294967296
0xffffffff 99999999999999999999 0xa9fea9fe 169.254.43518 0251.0376.0251.0376 127.0.0.1.. .127.0.0.1 .. . 127..1 ...
１２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⓵⓶⓻.0.0.1 १२७.०.०.१ ２１３０７０６４３３ 0ｘ7f000001
localhost LOCALHOST LocalHost localhost. ⓛⓞⓒⓐⓛⓗⓞⓢⓣ a.localhost metadata.google.internal router.local printer.lan host.localdomain
x.home.arpa wiki.corp abc.onion a.invalid intranet-.example.com -a.example.com a..example.com .example.com example.com. a_-.-b.com
exa%6dple.com 127.0.0.1%00.example.com example.com%2eevil 127%2e0%2e0%2e1 %31%32%37.0.0.1 xn--.com ex*mple.com ex!ample.com
[127.0.0.1] [::1 ::1] [::1%25lo] [fe80::1%eth0] [fe80::1%25eth0] [::ffff:127.0.0.1%251]
[v1.fe80::a] [] [:] [g::1] [1:2:3:4:5:6:7:8:9] [::1]x [::ffff:0x7f.0.0.1] [::127.1]
""")

WHOLE_URLS = [
    *(
        f"{scheme}://example.com/"
        for scheme in ("ftp", "file", "gopher", "dict", "ldap", "ws", "wss", "data", "jar", "ssh", "tftp")
    ),
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "about:blank",
    "//example.com/",
    "/relative",
    "example.com",
    "",
    "http:",
    "http:/",
    "http://",
    "http:///",
    "http:///etc/passwd",
    "http:example.com",
    "https://?x",
    "http://#",
    "http://user@example.com/",
    "http://user:pass@example.com/",
    "http://:@example.com/",
    "http://@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1@example.com/",
    "http://example.com:80@127.0.0.1:80/",
    "http://a%40b@example.com/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379/",
    "http://example.com:8080/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://example.com:8o/",
    "http://example.com:80:80/",
    "http://example.com:٨٠/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\.example.com/",
    "http://example.com/\\..\\",
    "http://exam\nple.com/",
    "http://example.com/\r\nHost: x",
    "http://example.com/a b",
    "http://example.com/\x00",
    "\x01http://example.com/",
    " http://example.com/",
    "http://example.com/\t",
    "http://exam\u200bple.com/",
    "http://ex\u00adample.com/",
    "http://example.com/\u202egpj",
    "http://example.com/\x7f",
    "http://example.com/\u0085",
    "http://\u3000example.com/",
    "http://example.com/\ud800",
    "\ufeffhttp://example.com/",
    "http://example.com/" + "a" * 8192,
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://例\u200d子.com/",
]


def resolver(*answers: str) -> Any:
    """Answers as `socket.getaddrinfo` does, whatever the name."""

    def resolve(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers
        ]

    return resolve


def forbidden_urls() -> list[str]:
    hosts = [*FORBIDDEN_V4, *(f"[{ip}]" for ip in FORBIDDEN_V6), *ODD_HOSTS]
    return [f"{scheme}://{host}/" for scheme, host in product(("http", "https"), hosts)] + WHOLE_URLS


def test_the_table_has_hundreds_of_forms() -> None:
    assert len(set(forbidden_urls())) >= 400


@pytest.mark.parametrize("url", forbidden_urls())
def test_forbidden_address_is_refused_even_if_every_name_resolved_to_a_public_host(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_address(url, resolve=resolver(PUBLIC))
    assert refusal.value.reason not in ("refused", "")
    assert refusal.value.message


@pytest.mark.parametrize("ip", [*FORBIDDEN_V4, *FORBIDDEN_V6, "fe80::1%eth0", "not an address"])
def test_name_that_resolves_to_a_forbidden_address_is_refused(ip: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_address("http://news.example.com/", resolve=resolver(ip))
    assert refusal.value.reason == "private_address"


@pytest.mark.parametrize("ip", FORBIDDEN_V4 + FORBIDDEN_V6)
def test_one_forbidden_answer_among_public_ones_is_enough(ip: str) -> None:
    for answers in ((PUBLIC, ip), (ip, PUBLIC)):
        with pytest.raises(Refused):
            check_address("https://news.example.com/", resolve=resolver(*answers))


@pytest.mark.parametrize(
    ("url", "clean", "host", "port"),
    [
        ("http://example.com", "http://example.com/", "example.com", 80),
        ("HTTPS://Example.COM:443/a?b=1#c", "https://example.com/a?b=1", "example.com", 443),
        ("http://example.com:443/", "http://example.com:443/", "example.com", 443),
        ("http://example.com:/", "http://example.com/", "example.com", 80),
        ("http://8.8.8.8/x", "http://8.8.8.8/x", "8.8.8.8", 80),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/", "2606:4700::1111", 80),
        ("http://新华网.中国/a", "http://xn--xkrr14bows.xn--fiqs8s/a", "xn--xkrr14bows.xn--fiqs8s", 80),
        ("http://ｅｘａｍｐｌｅ.com/", "http://example.com/", "example.com", 80),
        ("http://gansu.gansudaily.com.cn/system/2021/05/03/1.shtml", None, "gansu.gansudaily.com.cn", 80),
        ("http://a_b.example.com/新闻?题=1", "http://a_b.example.com/新闻?题=1", "a_b.example.com", 80),
    ],
)
def test_ordinary_address_passes_and_is_rebuilt(url: str, clean: str | None, host: str, port: int) -> None:
    checked = check_address(url, resolve=resolver(PUBLIC))
    assert (checked.url, checked.host, checked.port) == (clean or url, host, port)


def test_all_checked_answers_are_kept_in_order_without_repeats() -> None:
    checked = check_address("http://example.com/", resolve=resolver("2606:4700::1", PUBLIC, PUBLIC))
    assert checked.ips == ("2606:4700::1", PUBLIC)
    assert checked.ip == "2606:4700::1"


def test_literal_address_is_never_sent_to_the_resolver() -> None:
    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise AssertionError("resolved")

    assert check_address("http://8.8.8.8/", resolve=resolve).ip == "8.8.8.8"


def test_name_without_address_is_unresolved() -> None:
    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for unknown in (resolve, resolver()):
        with pytest.raises(Refused) as refusal:
            check_address("http://example.com/", resolve=unknown)
        assert refusal.value.reason == "unresolved"


ALLOW = frozenset({"127.0.0.1:8001", "[::1]:8002", "demo.test:8003", "10.0.0.1:8004"})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/a", "http://[::1]:8002/", "http://demo.test:8003/"])
def test_allowed_host_and_port_may_be_loopback(url: str) -> None:
    assert check_address(url, ALLOW, resolver("127.0.0.1")).port >= 8001


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8002/", "http://127.0.0.1/", "http://127.0.0.2:8001/", "http://localhost:8001/", "http://2130706433:8001/",
        "http://[::ffff:127.0.0.1]:8001/", "http://user@127.0.0.1:8001/", "http://a.demo.test:8003/", "http://demo.test.:8003/",
        "http://10.0.0.1:8004/",
    ],
)  # fmt: skip
def test_allowance_covers_the_exact_host_and_port_on_loopback_only(url: str) -> None:
    with pytest.raises(Refused):
        check_address(url, ALLOW, resolver("127.0.0.1"))


def test_allowed_name_still_reaches_no_private_network() -> None:
    for ip in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        with pytest.raises(Refused):
            check_address("http://demo.test:8003/", ALLOW, resolver(ip))


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_guard_never_allows_what_the_registry_of_python_calls_private(number: int) -> None:
    ip = ipaddress.IPv4Address(number)
    if is_global_unicast(ip):
        assert ip.is_global
        assert not ip.is_multicast


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_only_the_global_unicast_block_of_ipv6_is_ever_allowed(number: int) -> None:
    ip = ipaddress.IPv6Address(number)
    if is_global_unicast(ip):
        assert ip.is_global
        assert ip.ipv4_mapped is None
        assert ip.sixtofour is None
        assert ip.teredo is None
        assert ip in ipaddress.IPv6Network("2000::/3")


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_and_parsing_twice_changes_nothing(text: str) -> None:
    for url in (text, "http://" + text):
        try:
            address = parse_address(url)
        except Refused:
            continue
        assert parse_address(address.url) == address
