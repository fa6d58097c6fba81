"""The forms in which channels are compared. PURE."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from service.errors import BadInput

DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def host_of(url: str) -> str:
    """The host of an address as a domain channel names it: lower case, IDNA, a port only when it is unusual.

    Raises BadInput when the address has no usable host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput(f"网址“{url[:80]}”格式有误。", "url") from None
    host = _domain(parts.hostname or "", url)
    usual = DEFAULT_PORTS.get(parts.scheme)
    return host if port in (None, usual) else f"{host}:{port}"


def normalise_identifier(kind: str, value: str) -> str:
    """The identifier of a channel in the form that matching uses. Raises BadInput when it is unfit.

    A domain may be given as an address; accounts lose a leading @ and compare without case.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > 255 or any(unicodedata.category(one) in ("Cc", "Cf", "Cs") for one in text):
        raise BadInput("渠道标识为空、过长，或含有不可见字符。", "identifier")
    if kind == "domain":
        return host_of(text if "://" in text else f"http://{text}")
    return text.removeprefix("@").lower()


def parents_of(host: str) -> list[str]:
    """The host and every parent domain of at least two labels, longest first. A port or an IP address has no parents."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return [host]
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _domain(host: str, given: str) -> str:
    """A lower-case ASCII host name. Raises BadInput."""
    host = host.rstrip(".").lower()
    try:
        ascii_host = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.split(".")
    is_v6 = ":" in ascii_host
    if not is_v6 and (not ascii_host or len(ascii_host) > 253 or not all(_LABEL.fullmatch(label) for label in labels)):
        raise BadInput(f"“{given[:80]}”不是有效的域名。", "identifier")
    return f"[{ascii_host}]" if is_v6 else ascii_host
