"""May this address be fetched, and at which IP? The answer to server-side request forgery.

Everything that is not an ordinary public web address is refused: the list says what is allowed, not what is bad.
A name is allowed only when *every* address it resolves to is global unicast, and the caller must connect to one of
the addresses returned here, never resolve again (a name may answer differently a second time: DNS rebinding).

Sources: IANA special-purpose address registries for IPv4 and IPv6; RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380
(Teredo), RFC 6598 (shared address space, where some clouds keep their metadata service).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna

from service.errors import Refused

Resolver = Callable[..., Iterable[tuple[Any, ...]]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_BYTES = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}
ALLOWED_PORTS = frozenset(DEFAULT_PORTS.values())

_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a cloud metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent, reachable from inside it although the number is public
        "169.254.0.0/16",  # link-local; 169.254.169.254 is a cloud metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # the only block given out as global unicast
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries any IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# Names that belong to the machine, the local network or no public network at all (RFC 6761, 6762, 7686, 8375, 9476).
_LOCAL_SUFFIXES = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "onion", "alt", "invalid"}
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
# C0, space, DEL, C1 and what only deceives the eye: zero-width characters, bidirectional marks, soft hyphen.
_CONTROL = re.compile("[\x00-\x20\x7f-\xa0\xad\u034f\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")


@dataclass(frozen=True, slots=True)
class Address:
    """A web address whose form is acceptable; nothing is resolved yet. `host` is lower-case ASCII, without brackets."""

    url: str
    scheme: str
    host: str
    port: int
    literal_ip: str | None
    is_exempt: bool


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """An address that may be fetched, provided that the connection goes to one of `ips`, all of them checked."""

    url: str
    scheme: str
    host: str
    port: int
    ips: tuple[str, ...]

    @property
    def ip(self) -> str:
        """The first checked address, the one the resolver prefers."""
        return self.ips[0]


def parse_address(url: str, allow: frozenset[str] = frozenset()) -> Address:
    """The parts of an acceptable address, rebuilt from what was understood, so that no later parser can differ.

    `allow` holds exact "host:port" (IPv6 in brackets) that may use any port. The fragment is dropped.

    Raises:
        Refused: reasons too_long, control_characters, bad_url, bad_scheme, credentials, bad_host, bad_port,
            local_name, private_address.
    """
    if len(url.encode("utf-8", "surrogatepass")) > MAX_URL_BYTES:
        raise Refused(f"网址过长（上限 {MAX_URL_BYTES} 字节）", "too_long")
    if _CONTROL.search(url):
        raise Refused("网址含有空格、控制字符或不可见字符", "control_characters")
    if "\\" in url or any("\ud800" <= character <= "\udfff" for character in url):
        raise Refused("网址含有不允许的字符", "bad_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # brackets that do not match, a port that is no number or above 65535
        raise Refused("网址格式有误", "bad_url") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise Refused("只能访问 http 或 https 网址", "bad_scheme")
    if "@" in parts.netloc:
        raise Refused("网址中不得包含用户名或密码", "credentials")
    host, literal = _host_of(parts)
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    bracketed = f"[{host}]" if ":" in host else host
    exempt = f"{bracketed}:{port}" in allow
    if not exempt:
        if port not in ALLOWED_PORTS:
            raise Refused(f"端口 {port} 不在允许范围内（80、443）", "bad_port")
        if literal is None and (host.rpartition(".")[2] in _LOCAL_SUFFIXES or host.endswith("home.arpa")):
            raise Refused("该域名属于本机或内部网络", "local_name")
    if literal is not None:
        _refuse_forbidden(literal, exempt)
    shown_port = "" if port == DEFAULT_PORTS[parts.scheme] else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    clean = f"{parts.scheme}://{bracketed}{shown_port}{parts.path or '/'}{query}"
    return Address(clean, parts.scheme, host, port, str(literal) if literal else None, exempt)


def check_address(
    url: str, allow: frozenset[str] = frozenset(), resolve: Resolver = socket.getaddrinfo
) -> CheckedAddress:
    """The address with the IPs that a connection may use; all answers of the resolver were checked.

    `allow` holds exact "host:port" that may also be on loopback (demo and tests only); they reach no other private
    network. `resolve` has the signature of `socket.getaddrinfo`; it has no time limit of its own.

    Raises:
        Refused: the reasons of `parse_address`, and unresolved (the name has no address).
    """
    address = parse_address(url, allow)
    if address.literal_ip is not None:
        return CheckedAddress(address.url, address.scheme, address.host, address.port, (address.literal_ip,))
    try:
        answers = list(resolve(address.host, address.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        raise Refused("域名无法解析", "unresolved") from error
    ips: list[str] = []
    for answer in answers:
        found = str(answer[4][0])
        try:
            ip = ipaddress.ip_address(found)
        except ValueError as error:
            raise Refused("域名解析结果不是有效地址", "private_address") from error
        _refuse_forbidden(ip, address.is_exempt)
        if str(ip) not in ips:
            ips.append(str(ip))
    if not ips:
        raise Refused("域名无法解析", "unresolved")
    return CheckedAddress(address.url, address.scheme, address.host, address.port, tuple(ips))


def is_global_unicast(ip: IPAddress) -> bool:
    """Whether the number is an ordinary public host. Mapped, translated and tunnelled forms never are."""
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _FORBIDDEN_V4)
    if ip.scope_id is not None or ip not in _GLOBAL_V6:
        return False
    return not any(ip in network for network in _FORBIDDEN_V6)


def _refuse_forbidden(ip: IPAddress, exempt: bool) -> None:
    zone = isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None
    if is_global_unicast(ip) or (exempt and ip.is_loopback and not zone):
        return
    raise Refused("该地址指向内部、保留或非公网网络", "private_address")


def _host_of(parts: SplitResult) -> tuple[str, IPAddress | None]:
    """The host in ASCII, and the IP when it is written as one in the only accepted spelling."""
    netloc = parts.netloc
    if netloc.startswith("["):
        inside, _, rest = netloc[1:].partition("]")
        if "%" in inside or (rest and not rest.startswith(":")):
            raise Refused("IPv6 地址格式有误", "bad_host")
        try:
            literal = ipaddress.IPv6Address(inside)
        except ValueError as error:
            raise Refused("IPv6 地址格式有误", "bad_host") from error
        return str(literal), literal
    host = netloc.partition(":")[0]
    if not host:
        raise Refused("网址缺少域名", "bad_host")
    if not host.isascii():
        if host.rpartition(".")[
            2
        ].isdecimal():  # digits of another script: no domain ends so, some parser reads a number
            raise Refused("IP 地址须写成四段十进制", "bad_host")
        try:
            # UTS 46 folds full-width digits, circled letters and the ideographic full stop before anyone compares.
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise Refused("域名格式有误", "bad_host") from error
    host = host.lower()
    labels = host.split(".")
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        try:
            dotted = ipaddress.IPv4Address(host)  # refuses decimal, octal, hexadecimal and shortened spellings
        except ValueError as error:
            raise Refused("IP 地址须写成四段十进制", "bad_host") from error
        return str(dotted), dotted
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("域名格式有误", "bad_host")  # a trailing dot leaves an empty label
    return host, None
