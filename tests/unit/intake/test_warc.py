"""Archives: captures that other tools read, and damaged files of which the rest survives."""

from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from service.intake.fetch import fetch_page
from service.intake.limits import FetchLimits
from service.intake.page import Hop, Page
from service.intake.warc import BadRecord, WarcPage, read_records, write_capture

from .conftest import Site, respond

BODY = "<html><p>秦王川葡萄提前上市</p></html>".encode()


def response(
    number: int,
    body: bytes = BODY,
    *,
    headers: str = "Content-Type: text/html\r\n",
    fields: str = "",
    length: int | None = None,
) -> bytes:
    block = f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode() + body
    size = len(block) if length is None else length
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032}>\r\nWARC-Date: 2026-03-02T00:16:00Z\r\n"
        f"WARC-Target-URI: http://a.cn/{number}.html\r\nWARC-IP-Address: 93.184.215.14\r\n{fields}"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def read(data: bytes, **limits: int) -> tuple[list[str], list[tuple[int, str]]]:
    """The addresses of the pages read, and offset and reason of what was refused."""
    outcomes = list(read_records(io.BytesIO(data), **limits))
    pages = [outcome.url.rpartition("/")[2] for outcome in outcomes if isinstance(outcome, WarcPage)]
    return pages, [(outcome.offset, outcome.reason) for outcome in outcomes if isinstance(outcome, BadRecord)]


def test_page_of_an_archive_has_all_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(response(1))
    (page,) = read_records(path)
    assert isinstance(page, WarcPage)
    assert (page.url, page.status, page.body, page.ip, page.offset) == (
        "http://a.cn/1.html",
        200,
        BODY,
        "93.184.215.14",
        0,
    )
    assert page.fetched_at == datetime(2026, 3, 2, 0, 16, tzinfo=UTC)
    assert page.content_type == "text/html"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_wrong_length_costs_one_record(pack: Callable[[bytes], bytes]) -> None:
    for wrong in (10, 75, 5000, 999_999):
        records = [pack(response(1)), pack(response(2, length=wrong)), pack(response(3)), pack(response(4))]
        pages, bad = read(b"".join(records))
        assert pages == ["1.html", "3.html", "4.html"], wrong
        assert bad == [(len(records[0]), "wrong_length")], wrong


def test_whole_archive_in_one_gzip_member_is_read() -> None:
    assert read(gzip.compress(b"".join(response(number) for number in range(5))))[0] == [f"{n}.html" for n in range(5)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_truncated_archive_keeps_what_is_whole(pack: Callable[[bytes], bytes]) -> None:
    first, second = pack(response(1)), pack(response(2))
    pages, bad = read((first + second)[:-30])
    assert (pages, bad) == (["1.html"], [(len(first), "truncated")])


def test_damaged_gzip_member_costs_one_record() -> None:
    records = [gzip.compress(response(number, BODY * 50)) for number in range(3)]
    damaged = bytearray(records[1])
    damaged[40:60] = b"\xff" * 20
    pages, bad = read(records[0] + bytes(damaged) + records[2])
    assert pages == ["0.html", "2.html"]
    assert bad == [(len(records[0]), "bad_gzip")]


def test_rubbish_between_records_is_reported_once() -> None:
    rubbish = b"\x00\x01 what is this\r\n" * 9
    first = response(1)
    assert read(first + rubbish + response(2)) == (["1.html", "2.html"], [(len(first), "bad_header")])
    packed = gzip.compress(first)
    assert read(packed + rubbish + gzip.compress(response(2))) == (["1.html", "2.html"], [(len(packed), "bad_gzip")])


@pytest.mark.parametrize("kind", ["Block", "Payload"])
def test_digest_that_does_not_hold_is_refused(kind: str) -> None:
    wrong = response(2, fields=f"WARC-{kind}-Digest: sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")
    first = response(1)
    assert read(first + wrong + response(3)) == (["1.html", "3.html"], [(len(first), "digest_mismatch")])


def test_gzip_bomb_is_refused_within_little_memory() -> None:
    bomb = gzip.compress(response(2, b"\0" * 50_000_000), compresslevel=1)
    data = gzip.compress(response(1)) + bomb + gzip.compress(response(3))
    tracemalloc.start()
    pages, bad = read(data, max_record_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pages == ["1.html", "3.html"]
    assert [reason for _, reason in bad] == ["too_large"]
    assert peak < 20_000_000


def test_bomb_inside_a_page_is_refused() -> None:
    inner = response(
        2, gzip.compress(b"\0" * 9_000_000), headers="Content-Type: text/html\r\nContent-Encoding: gzip\r\n"
    )
    first = response(1)
    assert read(first + inner + response(3), max_body_bytes=1_000_000) == (
        ["1.html", "3.html"],
        [(len(first), "too_large")],
    )


def test_record_above_the_limit_is_passed_over_in_a_plain_file() -> None:
    first = response(1)
    data = first + response(2, b"x" * 50_000) + response(3)
    assert read(data, max_record_bytes=10_000) == (["1.html", "3.html"], [(len(first), "too_large")])


def test_chunked_and_compressed_bodies_are_decoded() -> None:
    packed = gzip.compress(BODY)
    chunked = b"".join(
        b"%x\r\n%s\r\n" % (len(packed[i : i + 20]), packed[i : i + 20]) for i in range(0, len(packed), 20)
    )
    headers = "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
    already_decoded = response(2, headers=headers)  # many crawlers keep the headers and store the decoded body
    outcomes = list(read_records(io.BytesIO(response(1, chunked + b"0\r\n\r\n", headers=headers) + already_decoded)))
    assert [outcome.body for outcome in outcomes if isinstance(outcome, WarcPage)] == [BODY, BODY]


def test_wrong_chunks_are_refused() -> None:
    headers = "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
    for body in (b"5\r\nabcde\r\nzz\r\n", b"ff\r\nshort", b"5\r\nabcde\r\n"):
        pages, bad = read(response(1, body, headers=headers) + response(2))
        assert (pages, bad) == (["2.html"], [(0, "bad_chunks")])


def test_other_records_are_passed_over_silently() -> None:
    picture = response(1, b"\x89PNG", headers="Content-Type: image/png\r\n")
    request = response(2).replace(b"WARC-Type: response", b"WARC-Type: metadata")
    assert read(picture + request + response(3)) == (["3.html"], [])
    assert read(b"") == ([], [])


def test_page_that_quotes_an_archive_is_not_taken_for_records() -> None:
    assert read(response(1, b"<pre>\r\n" + response(9) + b"</pre>") + response(2)) == (["1.html", "2.html"], [])


def test_arc_files_are_read_and_their_damage_is_named() -> None:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + BODY
    version = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"

    def arc(number: int, length: int | bytes = len(http)) -> bytes:
        size = length if isinstance(length, bytes) else b"%d" % length
        return b"http://a.cn/%d.html 93.184.215.14 20260302001600 text/html %s\n" % (number, size) + http + b"\n"

    head = b"filedesc://t.arc 127.0.0.1 20260302001600 text/plain %d\n" % len(version) + version + b"\n"
    assert read(head + arc(1) + arc(2)) == (["1.html", "2.html"], [])
    pages, bad = read(head + arc(1) + arc(2, b"abc") + arc(3))
    assert (pages, bad) == (["1.html", "3.html"], [(len(head + arc(1)), "bad_header")])
    packed = gzip.compress(head) + gzip.compress(arc(1))
    assert read(packed) == (["1.html"], [])


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=8), st.booleans())
def test_no_damage_raises_and_untouched_records_survive(hits: list[tuple[int, int]], packed: bool) -> None:
    pack = gzip.compress if packed else bytes
    spoiled = bytearray(pack(response(2, BODY * 4)))
    for place, value in hits:
        spoiled[place % len(spoiled)] = value
    last = pack(response(3)) + pack(response(4))
    pages, _ = read(pack(response(1)) + bytes(spoiled) + last)
    assert pages[0] == "1.html"
    assert pages[-1] == "4.html"


def a_page(**changes: object) -> Page:
    raw = gzip.compress(BODY, mtime=0)
    values: dict[str, object] = {
        "requested_url": "http://a.cn/0",
        "url": "http://a.cn/1?x=1",
        "status": 200,
        "reason_phrase": "OK",
        "http_version": "HTTP/1.1",
        "request_headers": (("Host", "a.cn"), ("User-Agent", "YinjiBot")),
        "response_headers": (
            ("Content-Type", "text/html"),
            ("Content-Encoding", "gzip"),
            ("Transfer-Encoding", "chunked"),
            ("X-Raw", "caf\xe9"),
        ),
        "ip": "93.184.215.14",
        "body": BODY,
        "raw_body": raw,
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "fetched_at": datetime(2026, 3, 2, 0, 16, 1, 5, tzinfo=UTC),
        "elapsed_s": 0.1,
        "tls_certificate": b"DER",
        "redirects": (Hop("http://a.cn/0", "93.184.215.14", 302, "/1?x=1\r\nWARC-Type: resource"),),
        **changes,
    }
    return Page(**values)  # type: ignore[arg-type]  # the table above names every field


def test_capture_is_read_by_another_tool_with_every_digest_holding() -> None:
    records = []
    for record in ArchiveIterator(io.BytesIO(write_capture(a_page())), check_digests="raise"):
        records.append((record.rec_type, record.content_stream().read(), record.rec_headers, record.http_headers))
        assert record.digest_checker.passed
    assert [kind for kind, *_ in records] == ["response", "request", "resource"]
    _, body, fields, http = records[0]
    assert body == BODY
    assert fields.get_header("WARC-IP-Address") == "93.184.215.14"
    assert fields.get_header("WARC-Date") == "2026-03-02T00:16:01.000005Z"
    assert fields.get_header("X-Yinji-TLS-Certificate-SHA256") == hashlib.sha256(b"DER").hexdigest()
    assert "%0D%0AWARC-Type" in fields.get_header("X-Yinji-Redirect")
    assert http.get_header("X-Raw") == "caf\xe9"
    assert records[1][3].get_header("User-Agent") == "YinjiBot"
    assert records[2][1] == b"DER"


def test_same_page_gives_the_same_capture_and_another_page_another() -> None:
    assert write_capture(a_page()) == write_capture(a_page())
    assert write_capture(a_page()) != write_capture(a_page(raw_body=BODY))


def test_fetched_page_survives_the_round_trip(site: Site, limits_for: Callable[..., FetchLimits]) -> None:
    packed = gzip.compress(BODY)
    site.paths["/"] = lambda handler: respond(handler, packed, **{"Content-Encoding": "gzip", "X-Name": "Wert"})
    page = fetch_page(site.url(), limits_for(site.host))
    (read_back,) = read_records(io.BytesIO(write_capture(page)))
    assert isinstance(read_back, WarcPage)
    assert (read_back.body, read_back.url, read_back.ip) == (page.body, page.url, page.ip)
    assert read_back.headers == page.response_headers
    assert read_back.fetched_at == page.fetched_at
