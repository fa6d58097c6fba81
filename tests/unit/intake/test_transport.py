"""Where the connection really goes: the checked address, no proxy, no cookie, a certificate that is checked and kept."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.intake.fetch import fetch_page
from service.intake.limits import FetchLimits
from service.intake.transport import guarded_client

from .conftest import Site
from .test_fetch import BODY, failure
from .test_guard import resolver

Limits = Callable[..., FetchLimits]


def test_connection_goes_to_the_checked_address_although_the_name_answers_differently_next_time(
    site: Site, limits_for: Limits
) -> None:
    answers = ["127.0.0.1", "10.0.0.1", "169.254.169.254"]
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: object) -> Any:
        asked.append(host)
        return resolver(answers[min(len(asked), len(answers)) - 1])(host, port)

    name = f"rebind.example.com:{site.server.server_port}"
    site.page("/", BODY)
    limits = limits_for(name)
    with guarded_client(limits, rebinding) as client:
        page = fetch_page(f"http://{name}/", limits, client=client)
        assert (page.ip, page.body, asked) == ("127.0.0.1", BODY, ["rebind.example.com"])
        assert site.requests[0][1]["host"] == name
        assert failure(f"http://{name}/", limits, client=client).reason == "refused_address"
    assert len(site.requests) == 1


def test_second_checked_address_is_tried_when_the_first_does_not_answer(site: Site, limits_for: Limits) -> None:
    name = f"two.example.com:{site.server.server_port}"
    site.page("/", BODY)
    limits = limits_for(name)
    with guarded_client(limits, resolver("127.9.9.9", "127.0.0.1")) as client:
        assert fetch_page(f"http://{name}/", limits, client=client).ip == "127.0.0.1"


def test_proxy_settings_of_the_machine_are_ignored(
    site: Site, canary: Site, limits_for: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url())
    fetch_page(site.page("/", BODY), limits_for(site.host))
    assert canary.requests == []


def test_no_cookie_is_kept_between_visits(site: Site, limits_for: Limits) -> None:
    limits = limits_for(site.host)
    url = site.page("/", BODY, Set_Cookie="visitor=1; Path=/")
    with guarded_client(limits) as client:
        fetch_page(url, limits, client=client)
        fetch_page(url, limits, client=client)
    assert all("cookie" not in headers for _, headers in site.requests)


def certificate_for(name: str, folder: Path) -> tuple[Path, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "site.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path, certificate.public_bytes(serialization.Encoding.DER)


def test_https_checks_the_name_and_keeps_the_certificate(site: Site, limits_for: Limits, tmp_path: Path) -> None:
    pem, der = certificate_for("news.example.com", tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    names: list[str] = []
    server_side.sni_callback = lambda _socket, name, _context: names.append(str(name))
    site.server.socket = server_side.wrap_socket(site.server.socket, server_side=True)
    site.page("/", BODY)
    port = site.server.server_port
    limits = limits_for(f"news.example.com:{port}", f"other.example.com:{port}")
    trusted = ssl.create_default_context(cafile=str(pem))
    with guarded_client(limits, resolver("127.0.0.1"), trusted) as client:
        page = fetch_page(f"https://news.example.com:{port}/", limits, client=client)
        assert (page.tls_certificate, page.ip, names) == (der, "127.0.0.1", ["news.example.com"])
        assert failure(f"https://other.example.com:{port}/", limits, client=client).reason == "tls"
    with guarded_client(limits, resolver("127.0.0.1")) as stranger:
        assert failure(f"https://news.example.com:{port}/", limits, client=stranger).reason == "tls"
