"""Article links of a page, and one spelling for each address."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import idna
from resiliparse.parse.html import HTMLTree

from service.errors import BadInput

MAX_LINKS = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(
    r"utm_.*|spm|scm|gclid|fbclid|yclid|msclkid|bd_vid|_ga|_gl|isappinstalled|share_?(token|from|source|id|uid|type)"
    r"|wxshare.*|phpsessid|jsessionid|aspsessionid.*|session_?id|nsukey|pass_ticket",
    re.IGNORECASE,
)
_SHARE_VALUES = re.compile(r"timeline|groupmessage|singlemessage|wechat|weixin|weibo|qzone|qq|share", re.IGNORECASE)
# Where an article is named by a few fields only; the rest of the query changes with every reader.
_IDENTITY = {"mp.weixin.qq.com": frozenset({"__biz", "mid", "idx", "sn"})}
_PATH_SESSION = re.compile(r";jsessionid=[^/?]*", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NEEDS_ESCAPE = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]")

_ASSET = re.compile(
    r"\.(jpe?g|png|gif|webp|svg|ico|bmp|css|js|json|xml|rss|pdf|docx?|xlsx?|pptx?|zip|rar|7z|mp[34]|m3u8|avi|apk|exe|dmg)$",
    re.IGNORECASE,
)
_INDEX = re.compile(
    r"(^|/)((index|default|list|node|more|about|contact|login|register|search)[_\d-]*(\.\w+)?)?$", re.IGNORECASE
)
_ARTICLE_PATH = re.compile(r"\d[^/]*$|/[^/]{6,}\.s?html?$|/\d{4}[/-]?\d{2}[/-]", re.IGNORECASE)
_ARTICLE_QUERY = re.compile(r"(^|&)\w*(id|aid|no)=\d", re.IGNORECASE)
_MIN_TITLE_CHARACTERS = 8  # navigation in Chinese is two to six characters, headlines are longer
_REFRESH = re.compile(r"^\s*\d+(?:\.\d+)?\s*[;,]\s*url\s*=\s*[\"']?([^\"'>]+)", re.IGNORECASE)

# Second levels under country domains that belong to nobody; for .cn also the provinces.
_SHARED_SECOND = re.compile(r"com|net|org|gov|edu|ac|mil|co|or|ne|go")
_PROVINCES = re.compile(
    r"bj|sh|tj|cq|he|sx|nm|ln|jl|hl|js|zj|ah|fj|jx|sd|ha|hb|hn|gd|gx|hi|sc|gz|yn|xz|sn|gs|qh|nx|xj|tw|hk|mo"
)


def canonicalise_url(url: str) -> str:
    """One spelling per address: equal results mean the same page as far as the address can tell.

    Lower-cases scheme and host (IDNA in ASCII), drops default port, fragment, tracking and session fields, resolves
    dot segments, sorts the query, normalises escapes (bytes kept, so GBK queries survive). Idempotent.

    Raises:
        BadInput: not an http(s) address.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, idna.IDNAError) as error:
        raise BadInput("网址格式有误", "url") from error
    scheme = parts.scheme
    if scheme not in _DEFAULT_PORTS or not host:
        raise BadInput("网址须以 http:// 或 https:// 开头并含域名", "url")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        netloc += f":{port}"
    path = _without_dots(_escaped(_PATH_SESSION.sub("", parts.path))) or "/"
    fields = [_escaped(field) for field in parts.query.split("&") if field and _is_identity(host, field)]
    query = "&".join(sorted(fields))
    return f"{scheme}://{netloc}{path}" + (f"?{query}" if query else "")


def find_links(html: str, base_url: str) -> list[str]:
    """Canonical addresses of what look like articles of the same site, in the page's order, each once, at most 2,000.

    Same site means the same registrable domain; an IP or a bare name must match with its port. A meta refresh counts
    as a link. Empty for a page without links.
    """
    document = HTMLTree.parse(html).document
    if document is None:
        return []
    base = base_url
    if (element := document.query_selector("base[href]")) is not None:
        base = _joined(base_url, element.getattr("href") or "") or base_url
    found: dict[str, None] = {}
    site = _site_of(base_url)
    targets = [(match[1], True) for meta in document.query_selector_all("meta[http-equiv]")
               if (meta.getattr("http-equiv") or "").lower() == "refresh"
               and (match := _REFRESH.match(meta.getattr("content") or ""))]  # fmt: skip
    for anchor in document.query_selector_all("a[href]"):
        title = (anchor.text or "").strip() or (anchor.getattr("title") or "").strip()
        targets.append((anchor.getattr("href") or "", len(title) >= _MIN_TITLE_CHARACTERS))
    own = canonicalise_url(base_url)
    for href, has_title in targets:
        absolute = _joined(base, href)
        if absolute is None or _site_of(absolute) != site:
            continue
        try:
            link = canonicalise_url(absolute)
        except BadInput:
            continue  # a broken link on a stranger's page is no event
        if link != own and _looks_like_article(link, has_title):
            found.setdefault(link)
            if len(found) >= MAX_LINKS:
                break
    return list(found)


def _looks_like_article(url: str, has_title: bool) -> bool:
    parts = urlsplit(url)
    if _ASSET.search(parts.path):
        return False
    if parts.query and _ARTICLE_QUERY.search(parts.query):
        return True
    if _INDEX.search(parts.path):
        return False
    return has_title or _ARTICLE_PATH.search(parts.path) is not None


def _joined(base: str, href: str) -> str | None:
    try:
        joined = urljoin(base, href.strip())
        return joined if urlsplit(joined).scheme in _DEFAULT_PORTS else None
    except ValueError:
        return None


def _site_of(url: str) -> str:
    """The registrable domain, or host and port where there is none to speak of."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    labels = host.split(".")
    if len(labels) < 2 or ":" in host or labels[-1].isdigit():
        return f"{host}:{port or _DEFAULT_PORTS.get(parts.scheme, 0)}"
    is_country = len(labels[-1]) == 2
    is_shared = _SHARED_SECOND.fullmatch(labels[-2]) or (labels[-1] == "cn" and _PROVINCES.fullmatch(labels[-2]))
    return ".".join(labels[-3:] if is_country and is_shared else labels[-2:])


def _is_identity(host: str, field: str) -> bool:
    name, _, value = field.partition("=")
    if host in _IDENTITY:
        return name in _IDENTITY[host]
    if name.lower() == "from":
        return not _SHARE_VALUES.fullmatch(value)
    return not _TRACKING.fullmatch(name)


def _escaped(text: str) -> str:
    """Unreserved characters bare, all else that needs it as upper-case escapes of the same bytes."""

    def known(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    def unknown(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))

    return _NEEDS_ESCAPE.sub(unknown, _ESCAPE.sub(known, text))


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    if "/." not in path:
        return path
    out: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(out) > 1:
                out.pop()
        elif segment != ".":
            out.append(segment)
    if segments[-1] in (".", ".."):
        out.append("")
    return "/".join(out)
