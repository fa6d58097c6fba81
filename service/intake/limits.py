"""How much of a stranger's time, bytes and patience one fetch may use."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits of one fetch, redirects included. The values come from the settings; nothing here reads them.

    connect_timeout_s   seconds for one TCP connection or TLS handshake.
    total_timeout_s     seconds for everything: all hops, headers, body; also against one byte a second.
    max_bytes           bytes of body on the wire.
    max_decompressed_bytes  bytes of body after gzip, deflate or brotli.
    max_redirects       hops followed after the first address.
    user_agent          sent with every request; should name the product and a contact address.
    allow               exact "host:port" that may be loopback and use any port: demo and tests only.
    """

    connect_timeout_s: float = 10.0
    total_timeout_s: float = 60.0
    max_bytes: int = 5 * MEGABYTE
    max_decompressed_bytes: int = 20 * MEGABYTE
    max_redirects: int = 5
    user_agent: str = "YinjiBot/0.1"
    allow: frozenset[str] = frozenset()
