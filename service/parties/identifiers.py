"""One spelling per channel identifier and organisation code, so that equal means the same. PURE."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna

from service.errors import BadInput

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_CHARACTERS = 255
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# Second levels under a country domain that belong to nobody (com.cn, gov.cn, co.uk) and, under .cn, the provinces.
_SHARED_SECOND = re.compile(r"com|net|org|gov|edu|ac|mil|co|or|ne|go")
_PROVINCES = re.compile(
    r"bj|sh|tj|cq|he|sx|nm|ln|jl|hl|js|zj|ah|fj|jx|sd|ha|hb|hn|gd|gx|hi|sc|gz|yn|xz|sn|gs|qh|nx|xj|tw|hk|mo"
)
_CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def host_of(url: str) -> str:
    """The host of an http(s) address as a domain channel names it: lower case, IDNA, a port only when it is unusual.

    `https://News.Example:443/a` gives `news.example`, `http://news.example:8080/` gives `news.example:8080`.
    Raises BadInput (url).
    """
    try:
        parts = urlsplit(url.strip())
        scheme, port, name = parts.scheme.lower(), parts.port, (parts.hostname or "").rstrip(".")
        host = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (ValueError, idna.IDNAError):
        scheme, port, host = "", None, ""
    if scheme not in DEFAULT_PORTS or not host:
        raise BadInput(f"url: “{url[:60]}” is not an http(s) address", "url")
    shown = f"[{host}]" if ":" in host else host.lower()
    return shown if port is None or port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def normalise_identifier(kind: str, value: str) -> str:
    """The identifier in the one form that is stored and compared.

    A domain may be given as a host or as an address and becomes what `host_of` gives. An account loses a leading @, a
    print title its 《》; both lose case and doubled spaces. Raises BadInput (identifier) when unfit: empty, over 255
    characters, control or invisible characters, a domain that is none or that belongs to nobody (`com.cn`).
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > MAX_CHARACTERS or not text.isprintable():
        raise BadInput("identifier: 1 to 255 printable characters", "identifier")
    if kind == "domain":
        return _domain(text)
    if kind == "print":
        text = text.strip("《》〈〉")
    text = " ".join(text.removeprefix("@").split()).casefold()
    if not text:
        raise BadInput("identifier: 1 to 255 printable characters", "identifier")
    return text


def _domain(text: str) -> str:
    wrong = BadInput(f"identifier: “{text[:60]}” is not a domain like news.example", "identifier")
    try:
        host = host_of(text if "://" in text else f"http://{text}")
    except BadInput:
        raise wrong from None
    name, _ = split_port(host)
    if is_address(name):
        return host
    if not all(_LABEL.fullmatch(label) for label in name.split(".")) or len(host) > MAX_CHARACTERS:
        raise wrong
    if is_shared(name):
        raise BadInput(f"identifier: “{name[:60]}” is a zone that belongs to nobody", "identifier")
    return host


def holders_of(host: str) -> Iterator[str]:
    """The domain identifiers that cover a host, nearest first: itself, without its port, then its parent domains.

    A channel `a.example` covers `news.a.example`. An IP address is covered by itself alone, port and all: two sites
    on one address are strangers to each other. A zone that belongs to nobody covers nothing.
    """
    yield host
    name, port = split_port(host)
    if is_address(name):
        return
    if port and not is_shared(name):
        yield name
    while not is_shared(name):
        name = name.partition(".")[2]
        if not is_shared(name):
            yield name


def split_port(host: str) -> tuple[str, str]:
    """(name, port) of a host as `host_of` gives it; port is "" where there is none. Brackets of IPv6 stay."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() else (host, "")


def is_address(name: str) -> bool:
    """True for an IP address, IPv6 in brackets."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_shared(name: str) -> bool:
    """True for a zone that belongs to nobody: a single label, or a second level like `com.cn`, `gov.cn`, `gs.cn`."""
    labels = name.split(".")
    if len(labels) == 1:
        return True
    if len(labels) > 2 or len(labels[1]) != 2:
        return False
    return bool(_SHARED_SECOND.fullmatch(labels[0]) or (labels[1] == "cn" and _PROVINCES.fullmatch(labels[0])))


def check_credit_code(code: str) -> str:
    """A 统一社会信用代码 in upper case, its check character verified.

    Raises BadInput (credit_code) that says what is wrong. Source: GB 32100-2015.
    """
    text = unicodedata.normalize("NFKC", code).strip().upper()
    if len(text) != 18:
        raise BadInput(f"统一社会信用代码应为 18 位，现为 {len(text)} 位。", "credit_code")
    for place, sign in enumerate(text, 1):
        if sign not in _CODE_SIGNS:
            raise BadInput(f"统一社会信用代码第 {place} 位“{sign}”不是可用的字符。", "credit_code")
    total = sum(_CODE_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(text[:17]))
    expected = _CODE_SIGNS[-total % 31]
    if text[17] != expected:
        raise BadInput(f"统一社会信用代码校验码不符：第 18 位应为 {expected}。", "credit_code")
    return text
