"""What a site asks of crawlers (RFC 9309, Robots Exclusion Protocol).

No file (4xx) means no wish; a server that fails or cannot be reached means: keep away for now (section 2.3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

import httpx2
from protego import Protego

from service.intake.charset import decode_html
from service.intake.fetch import fetch_bytes
from service.intake.limits import FetchLimits
from service.intake.page import FetchFailed

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, section 2.5: at least 500 kibibytes must be read
MAX_CRAWL_DELAY_S = 300.0  # a longer wish is read as this: a nightly scan must end
_OVERLOADED = frozenset({429})  # formally 4xx, but it means "too many requests"


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The wishes of one origin. `state` is rules, absent (all allowed) or unreachable (nothing allowed)."""

    state: str
    parsed: Protego | None = None

    def allowed(self, url: str, agent: str) -> bool:
        """Whether `agent` (the product name sent as User-Agent) may fetch `url`."""
        if self.parsed is not None:
            return bool(self.parsed.can_fetch(url, agent))
        return self.state == "absent"

    def crawl_delay(self, agent: str) -> float | None:
        """Seconds between two requests, from Crawl-delay or Request-rate; None when the site names none."""
        if self.parsed is None:
            return None
        wishes = [self.parsed.crawl_delay(agent)]
        if (rate := self.parsed.request_rate(agent)) is not None and rate.requests > 0:
            wishes.append(rate.seconds / rate.requests)
        named = [float(wish) for wish in wishes if wish is not None and wish >= 0]
        return min(max(named), MAX_CRAWL_DELAY_S) if named else None

    def sitemaps(self) -> list[str]:
        """Addresses of sitemaps that the file names, unchecked."""
        return list(self.parsed.sitemaps) if self.parsed is not None else []


def parse_robots(body: bytes, content_type: str = "") -> RobotsRules:
    """The rules in a robots.txt; whatever cannot be read as a rule is ignored."""
    text, _, _ = decode_html(body[:MAX_ROBOTS_BYTES], content_type)
    return RobotsRules("rules", Protego.parse(text))


def fetch_robots(url: str, limits: FetchLimits, *, client: httpx2.Client | None = None) -> RobotsRules:
    """The rules of the origin of `url` (any address on it), fetched under the same guard as a page."""
    try:
        page = fetch_bytes(urljoin(url, "/robots.txt"), limits, client=client, truncate_at=MAX_ROBOTS_BYTES)
    except FetchFailed as failure:
        status = failure.status
        gone = failure.reason == "bad_status" and status is not None and 400 <= status < 500
        return RobotsRules("absent" if gone and status not in _OVERLOADED else "unreachable")
    return parse_robots(page.body, page.content_type)
