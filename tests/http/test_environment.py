"""Proxies and certificates that the environment names."""

from __future__ import annotations

import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram.errors import HttpError
from disgram.http import client as http
from disgram.http.client import HttpClient, HttpResponse
from standins.loopback import LoopbackServer, Request, Response
from tests.builders.raw_servers import KeepAliveServer, answering, connect_proxy

pytestmark = pytest.mark.usefixtures("clean_http_environment")


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient({}, (5, 5))
    yield client
    client.close()


@pytest.fixture
def tls_server(certificate: tuple[Path, Path]) -> Iterator[KeepAliveServer]:
    with KeepAliveServer(certificate).running() as server:
        yield server


def body(response: HttpResponse) -> bytes:
    with response:
        return b"".join(response.iter_content(5))


class Recorder:
    """Keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(200, b"ok")


# --- proxies ------------------------------------------------------------------------------------


def test_http_goes_through_the_proxy_but_not_to_hosts_of_no_proxy(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, site = Recorder(), Recorder()
    with LoopbackServer(proxy) as between, LoopbackServer(site) as server:
        monkeypatch.setenv("http_proxy", between.url.replace("//", "//me:s%40cret@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        body(client.request("GET", "http://somewhere.invalid/s/demo"))
        body(client.request("GET", f"{server.url}/s/demo"))
    assert [len(proxy.requests), len(site.requests)] == [1, 1]
    assert proxy.requests[0].headers["host"] == "somewhere.invalid"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6c0BjcmV0"
    assert "proxy-authorization" not in site.requests[0].headers


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "no_proxy", ["localhost, 127.0.0.0/8", "localhost,127.0.0.1,::1", "*"], ids=["network", "address", "all"]
)
def test_no_proxy_names_addresses_and_networks(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, variable: str, no_proxy: str
) -> None:
    proxy, site = Recorder(), Recorder()
    with LoopbackServer(proxy) as between, LoopbackServer(site) as server:
        monkeypatch.setenv(variable, between.url)
        body(client.request("GET", server.url))
        monkeypatch.setenv("no_proxy", no_proxy)
        body(client.request("GET", server.url))
    assert [len(proxy.requests), len(site.requests)] == [1, 1]


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("LOCALHOST:{port}", "http://localhost:{port}/"),
        ("other.invalid, LocalHost", "http://localhost:{port}/"),
        (".LocalHost:{port}", "http://localhost:{port}/"),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}/"),
    ],
)
def test_no_proxy_names_hosts_in_any_case_and_with_a_port(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str
) -> None:
    proxy, site = Recorder(), Recorder()
    with LoopbackServer(proxy) as between, LoopbackServer(site) as server:
        port = server.url.rpartition(":")[2].strip("/")
        monkeypatch.setenv("HTTP_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=port))
        body(client.request("GET", url.format(port=port)))
        monkeypatch.setenv("NO_PROXY", "LOCALHOST:1,127.0.0.1:1,.Elsewhere.Invalid")
        body(client.request("GET", url.format(port=port)))
    assert [len(proxy.requests), len(site.requests)] == [1, 1]


def test_no_proxy_with_the_default_port_holds_for_addresses_without_one(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Recorder()
    with LoopbackServer(proxy) as between:
        monkeypatch.setenv("HTTP_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", ".Example.INVALID:80")
        with pytest.raises(HttpError):
            client.request("GET", "http://news.example.invalid/")
        assert not proxy.requests
        client.request("GET", "http://example.com.invalid/").close()
    assert len(proxy.requests) == 1


def test_https_goes_through_a_tunnel_of_the_proxy(
    client: HttpClient,
    tls_server: KeepAliveServer,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with connect_proxy() as (address, requests):
        monkeypatch.setenv("https_proxy", address.replace("//", "//me:secret@"))
        assert len(body(client.request("GET", tls_server.url))) == 100_000
        client.close()
    assert requests[0].startswith(f"CONNECT 127.0.0.1:{tls_server.server_port} ".encode())
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in requests[0]
    assert b"GET" not in requests[0]


def test_interim_response_of_the_proxy_is_skipped(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n"
    with answering(answer) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(HttpError, match="Tunnel connection failed: 403 Forbidden"):
            client.request("GET", "https://somewhere.invalid/")
    with answering(answer.replace(b"403 Forbidden", b"404 Not Found")) as (url, _):
        monkeypatch.setenv("HTTP_PROXY", url)
        assert client.request("GET", "http://somewhere.invalid/").status == 404


def test_refusal_of_the_proxy_is_shown(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(HttpError, match="Tunnel connection failed: 403 Forbidden") as caught:
            client.request("POST", "https://somewhere.invalid/secret", body=b"{}")
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "socks5://me:secret@127.0.0.1:9", "http://", "::", "http://[", "h:99999", "http://me:secret@127.0.0.1:9",
        "http://me:secret#@127.0.0.1:9", "http://secret\udcff@127.0.0.1:9", "https://me:secret@127.0.0.1:9",
    ],
)  # fmt: skip
def test_unusable_proxy_is_an_error_that_shows_no_password(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(HttpError) as caught:
        client.request("POST", "http://somewhere.invalid/", body=b"{}")
    assert not caught.value.sent
    assert "secret" not in "".join(traceback.format_exception(caught.value))


# --- certificates -------------------------------------------------------------------------------


def test_self_signed_certificate_is_refused(client: HttpClient, tls_server: KeepAliveServer) -> None:
    with pytest.raises(HttpError, match="certificate not trusted") as caught:
        client.request("POST", tls_server.url, body=b"{}")
    assert not caught.value.sent


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificate_named_by_the_environment_is_trusted(
    client: HttpClient,
    tls_server: KeepAliveServer,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(certificate[0]))
    for _ in range(2):
        assert len(body(client.request("GET", tls_server.url))) == 100_000
    assert tls_server.connections == 1
    client.close()


def test_certificate_in_a_folder_named_by_the_environment_is_trusted(
    client: HttpClient,
    tls_server: KeepAliveServer,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(certificate[0])]
    hashed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / f"{hashed}.0").write_bytes(certificate[0].read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", f"/missing:{tmp_path}")
    assert len(body(client.request("GET", tls_server.url))) == 100_000
    client.close()


def test_certificate_for_another_name_is_refused(
    client: HttpClient,
    tls_server: KeepAliveServer,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(HttpError, match="certificate not trusted"):
        client.request("GET", tls_server.url.replace("127.0.0.1", "localhost"))


def test_certificates_are_read_once(
    tls_server: KeepAliveServer, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    http.ssl_context()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/missing.pem")
    for _ in range(2):
        client = HttpClient({}, (5, 5))
        assert len(body(client.request("GET", tls_server.url))) == 100_000
        client.close()


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
def test_ca_bundle_that_cannot_be_read_is_named(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / name))
    with pytest.raises(HttpError, match=rf"no certificates can be read from .*{name}") as caught:
        client.request("POST", "https://127.0.0.1:9/", body=b"{}")
    assert not caught.value.sent
