"""The fetch against servers that lie, stall, loop, bomb and point inside. All servers are real, on loopback."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import brotli
import pytest

from service.intake.fetch import FetchFailed, fetch_bytes, fetch_page
from service.intake.limits import FetchLimits
from service.intake.transport import guarded_client

from .conftest import Site, respond
from .test_guard import forbidden_urls, resolver

Limits = Callable[..., FetchLimits]
RawServer = Callable[[Any], str]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
BODY = "<html><title>题</title><p>甘肃日报记者报道。</p></html>".encode()


def failure(url: str, limits: FetchLimits, **options: Any) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        fetch_page(url, limits, **options)
    assert caught.value.message
    return caught.value


def test_page_comes_home_with_all_that_evidence_needs(site: Site, limits_for: Limits) -> None:
    url = site.page("/a?b=1", BODY, Set_Cookie="id=1", ETag='"v1"')
    before = datetime.now(UTC)
    page = fetch_page(url + "#part", limits_for(site.host))
    assert page.body == page.raw_body == BODY
    assert page.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (page.url, page.requested_url, page.status, page.ip) == (url, url + "#part", 200, "127.0.0.1")
    assert before <= page.fetched_at <= datetime.now(UTC)
    assert 0 < page.elapsed_s < 5
    assert (page.media_type, page.header("etag"), page.tls_certificate) == ("text/html", '"v1"', None)
    sent = site.requests[0][1]
    assert sent == {name.lower(): value for name, value in page.request_headers}
    assert sent["user-agent"] == limits_for().user_agent
    assert sent["host"] == site.host


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("br", brotli.compress),
        ("identity", bytes),
    ],
)
def test_compressed_page_is_decoded_and_the_wire_bytes_are_kept(
    encoding: str, pack: Callable[[bytes], bytes], site: Site, limits_for: Limits
) -> None:
    packed = pack(BODY * 5000)
    page = fetch_page(site.page("/", packed, Content_Encoding=encoding), limits_for(site.host))
    assert page.body == BODY * 5000
    assert page.raw_body == packed


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("br", lambda data: brotli.compress(data, quality=3))]
)
def test_bomb_stops_at_the_limit(encoding: str, pack: Callable[[bytes], bytes], site: Site, limits_for: Limits) -> None:
    bomb = pack(b"\0" * 60_000_000)
    limits = limits_for(site.host, max_decompressed_bytes=1_000_000)
    assert failure(site.page("/", bomb, Content_Encoding=encoding), limits).reason == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x" * 500])
def test_damaged_or_unknown_encoding_is_named(encoding: str, site: Site, limits_for: Limits) -> None:
    url = site.page("/", b"\x99 this is not compressed at all", Content_Encoding=encoding)
    assert failure(url, limits_for(site.host)).reason == "bad_encoding"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
def test_compressed_body_that_ends_early_is_no_page(
    encoding: str, pack: Callable[[bytes], bytes], site: Site, limits_for: Limits
) -> None:
    cut = pack(os.urandom(50_000))[:-20]
    assert failure(site.page("/", cut, Content_Encoding=encoding), limits_for(site.host)).reason == "bad_encoding"


@pytest.mark.parametrize("where", ["headers", "body"])
def test_one_byte_at_a_time_ends_at_the_total_deadline(where: str, raw_server: RawServer, limits_for: Limits) -> None:
    def drip(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(HEAD + (b"\r\n" if where == "body" else b"X-Slow: "))
        while not stop.wait(0.05):
            connection.sendall(b"x")

    host = raw_server(drip)
    started = time.monotonic()
    assert failure(f"http://{host}/", limits_for(host, total_timeout_s=0.6)).reason == "timeout"
    assert time.monotonic() - started < 1.5


def test_silent_server_ends_at_the_total_deadline(raw_server: RawServer, limits_for: Limits) -> None:
    host = raw_server(lambda _, stop: stop.wait(5))
    assert failure(f"http://{host}/", limits_for(host, total_timeout_s=0.4)).reason == "timeout"


def test_slow_redirects_share_one_deadline(site: Site, limits_for: Limits) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        respond(handler, b"", status=302, Location=f"/{int(handler.path[1:]) + 1}")

    site.paths.update({f"/{number}": slow for number in range(9)})
    assert failure(site.url("/0"), limits_for(site.host, total_timeout_s=0.7, max_redirects=20)).reason == "timeout"
    assert len(site.requests) <= 4


def test_silence_after_a_slow_redirect_gets_only_the_time_that_is_left(
    site: Site, raw_server: RawServer, limits_for: Limits
) -> None:
    silent = raw_server(lambda _, stop: stop.wait(5))

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        respond(handler, b"", status=302, Location=f"http://{silent}/")

    site.paths["/"] = slow
    started = time.monotonic()
    assert failure(site.url(), limits_for(site.host, silent, total_timeout_s=0.8)).reason == "timeout"
    assert time.monotonic() - started < 1.2


def test_endless_stream_stops_at_the_byte_limit(raw_server: RawServer, limits_for: Limits) -> None:
    def flood(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(HEAD + b"\r\n")
        while not stop.is_set():
            connection.sendall(b"<p>more" * 10_000)

    host = raw_server(flood)
    assert (
        failure(f"http://{host}/", limits_for(host, max_bytes=2_000_000, max_decompressed_bytes=10**12)).reason
        == "too_large"
    )


def test_declared_size_above_the_limit_is_not_even_read(raw_server: RawServer, limits_for: Limits) -> None:
    host = raw_server(lambda connection, _: connection.sendall(HEAD + b"Content-Length: 99999999999\r\n\r\n"))
    assert failure(f"http://{host}/", limits_for(host)).reason == "too_large"


def test_body_shorter_than_its_declared_length_is_no_page(raw_server: RawServer, limits_for: Limits) -> None:
    host = raw_server(lambda connection, _: connection.sendall(HEAD + b"Content-Length: 5000\r\n\r\n<p>half"))
    assert failure(f"http://{host}/", limits_for(host)).reason == "bad_response"


def test_bytes_beyond_the_declared_length_are_not_part_of_the_page(raw_server: RawServer, limits_for: Limits) -> None:
    host = raw_server(lambda connection, _: connection.sendall(HEAD + b"Content-Length: 4\r\n\r\n<p>x<script>smuggled"))
    assert fetch_page(f"http://{host}/", limits_for(host)).body == b"<p>x"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"X-Huge: " + b"a" * 300_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(3000)) + b"\r\n",
        b"HTTP/9.9 what\r\n\r\n",
        b"\x16\x03\x01\x02\x00 not http at all\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"",
    ],
    ids=["huge_header", "many_headers", "version", "not_http", "negative", "two_lengths", "bad_chunks", "nothing"],
)
def test_answer_against_the_protocol_is_named(answer: bytes, raw_server: RawServer, limits_for: Limits) -> None:
    host = raw_server(lambda connection, _: connection.sendall(answer))
    assert failure(f"http://{host}/", limits_for(host)).reason in ("bad_response", "connection")


def test_nobody_listening_is_a_failed_connection(limits_for: Limits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/", limits_for(f"127.0.0.1:{port}")).reason == "connection"


def test_redirects_are_followed_and_recorded(site: Site, limits_for: Limits) -> None:
    site.redirect("/1", "/2", 301)
    site.redirect("/2", site.url("/新闻 3").replace("新闻 3", "%E6%96%B0"), 307)
    site.page("/%E6%96%B0", BODY)
    page = fetch_page(site.url("/1"), limits_for(site.host))
    assert page.url == site.url("/%E6%96%B0")
    assert [(hop.url, hop.status, hop.ip) for hop in page.redirects] == [
        (site.url("/1"), 301, "127.0.0.1"),
        (site.url("/2"), 307, "127.0.0.1"),
    ]


def test_raw_bytes_in_a_redirect_are_kept_as_escapes(raw_server: RawServer, limits_for: Limits) -> None:
    asked: list[bytes] = []

    def serve(connection: socket.socket, _: threading.Event) -> None:
        asked.append(b"")
        if len(asked) == 1:
            location = "/新闻 a".encode("gb18030")
            connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
        else:
            connection.sendall(HEAD + b"Content-Length: 4\r\n\r\n<p>x")

    host = raw_server(serve)
    assert fetch_page(f"http://{host}/", limits_for(host)).url == f"http://{host}/%D0%C2%CE%C5%20a"


def test_redirect_loop_is_named(site: Site, limits_for: Limits) -> None:
    site.redirect("/a", "/b")
    site.redirect("/b", "/a#again")
    assert failure(site.url("/a"), limits_for(site.host)).reason == "redirect_loop"
    assert len(site.requests) == 2


def test_redirects_without_end_stop_at_the_limit(site: Site, limits_for: Limits) -> None:
    for number in range(20):
        site.redirect(f"/{number}", f"/{number + 1}")
    assert failure(site.url("/0"), limits_for(site.host)).reason == "too_many_redirects"
    assert len(site.requests) == 6


def test_redirect_without_target_is_named(site: Site, limits_for: Limits) -> None:
    site.paths["/"] = lambda handler: respond(handler, b"", status=302)
    assert failure(site.url(), limits_for(site.host)).reason == "bad_redirect"


def test_no_forbidden_form_reaches_the_canary_directly_or_by_redirect(
    site: Site, canary: Site, limits_for: Limits
) -> None:
    port = canary.host.rpartition(":")[2]
    limits = limits_for(site.host)
    forms = [
        f"http://{host}:{port}/"
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0", "127.1")
    ]
    forms += [url for url in forbidden_urls() if url.startswith("http://") and url.isprintable() and url.isascii()]
    forms += [
        f"//127.0.0.1:{port}/",
        f"http://{site.host}@127.0.0.1:{port}/",
        f"gopher://127.0.0.1:{port}/",
        "file:///etc/passwd",
    ]
    resolve = resolver("127.0.0.1")
    on_the_same_site = ("bad_redirect", "bad_status", "redirect_loop")  # a target without host is a path of this site
    reached = 0
    with guarded_client(limits, resolve) as client:
        for number, form in enumerate(forms):
            if form.startswith("http"):
                assert failure(form, limits, client=client).reason in ("refused_address", "dns")
            site.redirect(f"/{number}", form)
            try:
                fetch_bytes(site.url(f"/{number}"), limits, client=client)
            except FetchFailed as refused:
                assert refused.reason in ("refused_address", "dns", *on_the_same_site), (form, refused.reason)
            else:
                reached += 1
    assert (reached, canary.requests) == (0, [])


def test_unchanged_page_is_not_modified(site: Site, limits_for: Limits) -> None:
    site.paths["/"] = lambda handler: respond(handler, b"", status=304)
    page = fetch_page(site.url(), limits_for(site.host), etag='"v1"', last_modified="Mon, 02 Mar 2026 00:16:00 GMT")
    assert (page.not_modified, page.status, page.body) == (True, 304, b"")
    assert site.requests[0][1]["if-none-match"] == '"v1"'
    assert failure(site.url(), limits_for(site.host)).reason == "bad_status"  # nobody asked for a 304 here


def test_validator_of_a_stranger_cannot_add_a_header(site: Site, limits_for: Limits) -> None:
    fetch_page(site.page("/", BODY), limits_for(site.host), etag='"a"\r\nX-Evil: 1')
    assert not {"x-evil", "if-none-match"} & site.requests[0][1].keys()


@pytest.mark.parametrize("status", [400, 403, 404, 410, 429, 500, 503])
def test_error_status_is_kept_with_the_wait_the_server_asks_for(status: int, site: Site, limits_for: Limits) -> None:
    site.paths["/"] = lambda handler: respond(handler, b"sorry", status=status, **{"Retry-After": "120"})
    failed = failure(site.url(), limits_for(site.host))
    assert (failed.reason, failed.status, failed.retry_after_s) == ("bad_status", status, 120)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG"),
        ("application/json", b"{}"),
        ("text/html", b"%PDF-1.7 in disguise"),
        ("text/html", b"\x89PNG\r\n\x1a\n"),
        ("text/html", b"PK\x03\x04"),
        ("", b"\xff\xd8\xff\xe0"),
    ],
)
def test_what_is_no_web_page_is_refused(content_type: str, body: bytes, site: Site, limits_for: Limits) -> None:
    url = site.page("/", body, content_type)
    assert failure(url, limits_for(site.host)).reason == "not_html"
    assert fetch_bytes(url, limits_for(site.host)).body == body


def test_longer_file_may_be_cut_on_request(site: Site, limits_for: Limits) -> None:
    page = fetch_bytes(site.page("/", b"x" * 300_000, "text/plain"), limits_for(site.host), truncate_at=1000)
    assert (page.is_truncated, len(page.body)) == (True, 1000)
