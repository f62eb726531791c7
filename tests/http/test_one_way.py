"""Requests through one way alone, over real sockets, and what is said when that way fails."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from disgram.errors import HttpError
from disgram.http import client as http
from disgram.http.client import HttpClient, HttpResponse
from disgram.http.one_way import Fault, FromAddress, ThroughProxy, WatchedResponse, WayFailed
from standins.forward_proxy import Asked, ForwardProxy
from standins.loopback import LoopbackServer, Request, Response
from tests.builders.raw_servers import KeepAliveServer, answering

pytestmark = pytest.mark.usefixtures("clean_http_environment")


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer(lambda request: Response(200, request.peer.encode())) as server:
        yield server


@pytest.fixture
def tls_site(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[KeepAliveServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    http.ssl_context.cache_clear()
    with KeepAliveServer(certificate).running() as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    with ForwardProxy("127.0.0.11") as one:
        yield one


def through(proxy: ForwardProxy | str, login: str | None = None, seconds: float = 5) -> HttpClient:
    url = proxy if isinstance(proxy, str) else proxy.url
    return ThroughProxy(url, login, {}, (seconds, seconds))


def body(response: HttpResponse) -> bytes:
    with response:
        return b"".join(response.iter_content(5))


def fetched(client: HttpClient, url: str) -> bytes:
    with closing(client):
        return body(client.request("GET", url))


def failure(client: HttpClient, url: str) -> HttpError:
    with closing(client), pytest.raises(HttpError) as found:
        client.request("GET", url)
    return found.value


# --- from a local address -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.2", "127.0.0.3"])
def test_request_comes_from_the_local_address(site: LoopbackServer, address: str) -> None:
    assert fetched(FromAddress(address, {}, (5, 5)), site.url) == address.encode()


def test_request_over_tls_comes_from_the_local_address(tls_site: KeepAliveServer) -> None:
    assert len(fetched(FromAddress("127.0.0.2", {}, (5, 5)), tls_site.url)) == 100_000


def test_local_address_needs_no_proxy_of_the_environment(
    site: LoopbackServer, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    assert fetched(FromAddress("127.0.0.2", {}, (5, 5)), site.url) == b"127.0.0.2"
    assert not proxy.asked


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_address_that_this_host_does_not_have_is_its_own_fault(site: LoopbackServer, address: str) -> None:
    url = site.url if ":" not in address else f"http://[::1]:{site.port}"
    error = failure(FromAddress(address, {}, (5, 5)), url)
    assert isinstance(error, WayFailed)
    assert (error.fault, error.sent) == (Fault.CANNOT_BIND, False)
    assert str(error).startswith("the address cannot be used")


def test_refused_connection_of_a_local_address_may_be_the_servers_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(FromAddress("127.0.0.2", {}, (5, 5)), f"http://127.0.0.1:{port}/")
    assert not isinstance(error, WayFailed)
    assert str(error) == "connection failed: Connection refused"


def test_local_address_asks_only_for_addresses_of_its_kind(site: LoopbackServer) -> None:
    """`localhost` has an IPv6 address, too, of which nobody is to hear."""
    assert fetched(FromAddress("127.0.0.2", {}, (5, 5)), f"http://localhost:{site.port}") == b"127.0.0.2"
    error = failure(FromAddress("::1", {}, (5, 5)), site.url)
    assert not isinstance(error, WayFailed)
    assert "connection failed" in str(error)


# --- through a proxy ------------------------------------------------------------------------------------


def test_request_in_the_clear_goes_through_the_proxy(site: LoopbackServer, proxy: ForwardProxy) -> None:
    assert fetched(through(proxy), f"{site.url}/s/news") == b"127.0.0.11"
    assert proxy.asked == [Asked("GET", f"{site.url}/s/news", "")]


def test_request_over_tls_goes_through_a_tunnel(tls_site: KeepAliveServer, proxy: ForwardProxy) -> None:
    assert len(fetched(through(proxy), tls_site.url)) == 100_000
    assert proxy.asked == [Asked("CONNECT", tls_site.url.removeprefix("https://").strip("/"), "")]


def test_proxy_is_used_whatever_the_environment_says(
    site: LoopbackServer, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetched(through(proxy), site.url) == b"127.0.0.11"


@pytest.mark.parametrize("login", ["me:s@cret:/?#%", "ü:пароль", "me:"])
def test_login_reaches_the_proxy_and_nobody_else(tls_site: KeepAliveServer, login: str) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"ok")

    with ForwardProxy(login=login) as proxy, LoopbackServer(answer) as site:
        assert fetched(through(proxy, login), site.url) == b"ok"
        assert len(fetched(through(proxy, login), tls_site.url)) == 100_000
    assert [one.login for one in proxy.asked] == [login, login]
    assert "proxy-authorization" not in seen[0].headers


@pytest.mark.parametrize("over_tls", [False, True], ids=["in the clear", "over TLS"])
def test_dead_proxy_is_its_own_fault(
    site: LoopbackServer, tls_site: KeepAliveServer, proxy: ForwardProxy, over_tls: bool
) -> None:
    proxy.die()
    error = failure(through(proxy), tls_site.url if over_tls else site.url)
    assert isinstance(error, WayFailed)
    assert (error.fault, error.certain) == (Fault.PROXY_UNREACHABLE, True)
    assert str(error) == "the proxy: connection failed: Connection refused"


def test_proxy_whose_name_nobody_knows_may_be_the_networks_fault(site: LoopbackServer) -> None:
    error = failure(through("http://proxy.invalid:3128"), site.url)
    assert isinstance(error, WayFailed)
    assert (error.fault, error.certain) == (Fault.PROXY_UNREACHABLE, False)


@pytest.mark.parametrize(
    ("status", "expected"), [(407, Fault.PROXY_REFUSES), (403, Fault.PROXY_REFUSES), (502, Fault.UNREACHABLE)]
)
def test_proxy_that_makes_no_tunnel_is_at_fault_unless_the_server_may_be(
    tls_site: KeepAliveServer, proxy: ForwardProxy, status: int, expected: Fault
) -> None:
    proxy.answer(status)
    error = failure(through(proxy), tls_site.url)
    assert isinstance(error, WayFailed)
    assert (error.fault, error.certain) == (expected, expected is Fault.PROXY_REFUSES)


@pytest.mark.parametrize(("status", "expected"), [(407, Fault.PROXY_REFUSES), (504, Fault.UNREACHABLE)])
def test_proxys_own_answer_in_the_clear_is_not_taken_for_the_servers(
    site: LoopbackServer, proxy: ForwardProxy, status: int, expected: Fault
) -> None:
    proxy.answer(status)
    error = failure(through(proxy), site.url)
    assert isinstance(error, WayFailed)
    assert (error.fault, error.certain) == (expected, expected is Fault.PROXY_REFUSES)


@pytest.mark.parametrize("over_tls", [False, True], ids=["in the clear", "over TLS"])
def test_silent_proxy_is_given_up_in_time(
    site: LoopbackServer, tls_site: KeepAliveServer, proxy: ForwardProxy, over_tls: bool
) -> None:
    proxy.hang()
    error = failure(through(proxy, seconds=0.3), tls_site.url if over_tls else site.url)
    assert str(error) == "no answer within the time limit"
    assert not isinstance(error, WayFailed)


def test_no_error_of_a_proxy_holds_its_login(proxy: ForwardProxy, site: LoopbackServer) -> None:
    client = through(proxy, "me:s3cret")
    spoils: list[Callable[[], None]] = [partial(proxy.answer, 407), proxy.die]
    for spoil in spoils:
        spoil()
        with pytest.raises(HttpError) as found:
            client.request("GET", site.url)
        assert "s3cret" not in "".join(traceback.format_exception(found.value))
    client.close()


# --- the end of a response ------------------------------------------------------------------------------


@pytest.fixture
def watched() -> Iterator[Callable[[str], tuple[HttpResponse, list[HttpError | None]]]]:
    client = HttpClient({}, (5, 5))

    def ask(url: str) -> tuple[HttpResponse, list[HttpError | None]]:
        ends: list[HttpError | None] = []
        return WatchedResponse(client.request("GET", url), ends.append), ends

    yield ask
    client.close()


def test_end_of_a_whole_response_is_told(
    watched: Callable[[str], tuple[HttpResponse, list[HttpError | None]]], site: LoopbackServer
) -> None:
    response, ends = watched(site.url)
    assert (response.status, ends) == (200, [])
    assert body(response) == b"127.0.0.1"
    assert ends == [None]


def test_what_broke_off_the_body_is_told(
    watched: Callable[[str], tuple[HttpResponse, list[HttpError | None]]],
) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") as (url, _):
        response, ends = watched(url)
        with pytest.raises(HttpError):
            body(response)
    assert [str(end) for end in ends] == ["the answer was cut off"]
