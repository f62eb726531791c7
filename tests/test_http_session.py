"""The session of both clients: what it takes from the environment, whom it trusts, what it never sends."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from demo.loopback import LoopbackServer, Request, Response
from disgram import http_session
from disgram.http_session import Session


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has an environment of its own."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    http_session.environment_proxies.cache_clear()
    http_session.trust.cache_clear()
    yield
    http_session.environment_proxies.cache_clear()
    http_session.trust.cache_clear()


class _Listening:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.heard: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.heard.append(request)
        return Response(200, b"ok", headers=(("Set-Cookie", "who=you"),))


def test_a_netrc_adds_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    listening = _Listening()
    with LoopbackServer(listening) as server:
        Session().get(f"{server.url}/s/demo", timeout=5)
    assert "authorization" not in listening.heard[0].headers


def test_no_cookie_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    listening, session = _Listening(), Session()
    with LoopbackServer(listening) as server:
        for _ in range(2):
            session.get(f"{server.url}/s/demo", timeout=5)
    assert "cookie" not in listening.heard[1].headers


def test_a_proxy_of_the_environment_is_used_and_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, site = _Listening(), _Listening()
    with LoopbackServer(proxy) as between, LoopbackServer(site) as server:
        monkeypatch.setenv("http_proxy", between.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        Session().get("http://somewhere.invalid/s/demo", timeout=5)
        Session().get(f"{server.url}/s/demo", timeout=5)
    assert [len(proxy.heard), len(site.heard)] == [1, 1]


def test_https_goes_through_its_proxy_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = _Listening()
    with LoopbackServer(proxy) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        with pytest.raises(requests.exceptions.ProxyError):  # it does not know CONNECT
            Session().get("https://somewhere.invalid/", timeout=5)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An https server with a certificate of its own making for 127.0.0.1: its address, that certificate."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs the openssl program")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
            "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), _Quiet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", certificate
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


def test_a_server_nobody_vouches_for_is_refused(
    tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with Session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(f"https://{tls[0]}/", timeout=5)


def test_certificates_of_the_environment_are_trusted(
    tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls[1]))
    with Session() as session, session.get(f"https://{tls[0]}/", timeout=5) as answer:
        assert answer.status_code == 204


def test_a_certificate_for_another_name_is_refused(
    tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls[1]))
    port = tls[0].rpartition(":")[2]
    with Session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(f"https://localhost:{port}/", timeout=5)
