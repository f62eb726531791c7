"""Requests over real sockets: what is sent, what comes back, and what each failure is called."""

from __future__ import annotations

import gzip
import logging
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import HttpError
from disgram.http.client import CHUNK_SIZE, MAX_IDLE_CONNECTIONS, HttpClient, HttpResponse
from disgram.http.interim import MAX_INTERIM
from standins.loopback import Fault, LoopbackServer, Request, Response
from tests.builders.raw_servers import (
    WHOLE,
    KeepAliveServer,
    answering,
    answering_and_staying_open,
    answering_twice,
    dripping,
    serving,
)

pytestmark = pytest.mark.usefixtures("clean_http_environment")


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient({"User-Agent": "test"}, (5, 5))
    yield client
    client.close()


def body(response: HttpResponse) -> bytes:
    with response:
        return b"".join(response.iter_content(5))


class Recorder:
    """Keeps the requests, and answers each the same."""

    def __init__(self, response: Response | None = None) -> None:
        self.requests: list[Request] = []
        self.response = response or Response(200, b"ok")

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response


# --- what is sent -------------------------------------------------------------------------------


def test_request_carries_only_the_headers_it_was_given(client: HttpClient) -> None:
    recorder = Recorder()
    with LoopbackServer(recorder) as server:
        body(client.request("POST", f"{server.url}/a?b=c", headers={"X-Own": "1"}, body=b"{}"))
    sent = recorder.requests[0]
    assert (sent.method, sent.path, sent.query, sent.body) == ("POST", "/a", {"b": "c"}, b"{}")
    assert {name: value for name, value in sent.headers.items() if name != "host"} == {
        "user-agent": "test", "x-own": "1", "accept": "*/*", "accept-encoding": "gzip", "content-length": "2",
    }  # fmt: skip


def test_cookie_of_a_response_is_not_sent_back(client: HttpClient) -> None:
    recorder = Recorder(Response(200, b"ok", headers=(("Set-Cookie", "who=you; Path=/"),)))
    with LoopbackServer(recorder) as server:
        for _ in range(2):
            body(client.request("GET", server.url))
    assert "cookie" not in recorder.requests[1].headers


def test_password_in_netrc_is_not_sent(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    recorder = Recorder()
    with LoopbackServer(recorder) as server:
        body(client.request("GET", server.url))
    assert "authorization" not in recorder.requests[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_returned_and_not_followed(client: HttpClient, status: int) -> None:
    recorder = Recorder(Response(status, headers=(("LOCATION", "/b"),)))
    with LoopbackServer(recorder) as server, client.request("GET", server.url) as response:
        assert response.is_redirect
        assert (response.status, response.headers["location"]) == (status, "/b")
    assert len(recorder.requests) == 1


def test_503_with_retry_after_is_not_repeated(client: HttpClient) -> None:
    recorder = Recorder(Response(503, headers=(("Retry-After", "0"),)))
    with LoopbackServer(recorder) as server, client.request("GET", server.url) as response:
        assert response.status == 503
    assert len(recorder.requests) == 1


def test_body_in_chunks_is_sent_with_its_length(client: HttpClient) -> None:
    class Chunks:
        def __len__(self) -> int:
            return 300_000

        def __iter__(self) -> Iterator[bytes]:
            yield from (b"x" * 100_000 for _ in range(3))

    recorder = Recorder()
    with LoopbackServer(recorder) as server:
        body(client.request("POST", server.url, body=Chunks()))
    assert recorder.requests[0].body == b"x" * 300_000
    assert recorder.requests[0].headers["content-length"] == "300000"
    assert "transfer-encoding" not in recorder.requests[0].headers


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("файл.jpg", "/%D1%84%D0%B0%D0%B9%D0%BB.jpg"),
        ("a b|c", "/a%20b%7Cc"),
        ("a%20b?c=%2B&d=e#part", "/a%20b?c=%2B&d=e"),
        ("", "/"),
    ],
)
def test_url_is_escaped_once(client: HttpClient, written: str, sent: str) -> None:
    with answering(WHOLE) as (url, requests):
        body(client.request("GET", url + written))
    assert requests[0].split(b"\r\n")[0] == f"GET {sent} HTTP/1.1".encode()


def test_line_break_in_a_url_adds_no_header(client: HttpClient) -> None:
    with answering(WHOLE) as (url, requests):
        body(client.request("GET", f"{url}a\r\nX-Evil: 1"))
    assert b"\nX-Evil" not in requests[0]


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://telegram.org/", "http://", "http://[::1", "http://a:b/", "https://a:99999/", "//a/",
        "mailto:a@b", "httpx://a/",
    ],
)  # fmt: skip
def test_what_is_not_a_web_address_is_an_error_before_anything_is_sent(client: HttpClient, url: str) -> None:
    with pytest.raises(HttpError, match="address") as caught:
        client.request("GET", url)
    assert not caught.value.sent


@given(st.text(max_size=30))
def test_any_url_ends_as_an_http_error(text: str) -> None:
    """The port is closed."""
    client = HttpClient({}, (5, 5))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError):
            client.request("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/{text}")


# --- connections --------------------------------------------------------------------------------


def test_connection_is_used_again(client: HttpClient) -> None:
    with KeepAliveServer().running() as server:
        for _ in range(3):
            assert len(body(client.request("GET", server.url))) == 100_000
        assert server.connections == 1
        client.close()


def test_connection_of_a_response_left_early_is_not_used_again(client: HttpClient) -> None:
    with KeepAliveServer().running() as server:
        with client.request("GET", server.url) as response:
            next(response.iter_content(5))
        assert len(body(client.request("GET", server.url))) == 100_000
        assert server.connections == 2
        client.close()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\nzz\r\n", id="chunks"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nno", id="encoding"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 70000\r\n\r\n" + b"no" * 35_000,
            id="gzip",
        ),
    ],
)
def test_connection_of_an_unreadable_response_is_not_used_again(client: HttpClient, broken: bytes) -> None:
    with answering_and_staying_open(broken) as url:
        with pytest.raises(HttpError):
            body(client.request("GET", url))
        assert body(client.request("GET", url)) == b"ok"


def test_connection_closed_by_the_server_is_opened_again(client: HttpClient) -> None:
    with answering(WHOLE, WHOLE) as (url, _):
        for _ in range(2):
            assert body(client.request("GET", url)) == b"ok"


def test_few_connections_stay_open(client: HttpClient) -> None:
    hosts = [f"127.0.0.{number}" for number in range(1, MAX_IDLE_CONNECTIONS + 4)]
    connections: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        for _ in hosts:
            connections.append(listener.accept()[0])
            connections[-1].recv(65536)
            connections[-1].sendall(WHOLE)

    with serving(serve, "0.0.0.0") as url:
        for host in hosts:
            assert body(client.request("GET", url.replace("0.0.0.0", host))) == b"ok"
    for connection in connections:
        connection.settimeout(0)
    assert sum(is_open(connection) for connection in connections) == MAX_IDLE_CONNECTIONS
    for connection in connections:
        connection.close()


def is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


# --- what comes back ----------------------------------------------------------------------------


def test_headers_are_found_in_any_case(client: HttpClient) -> None:
    recorder = Recorder(Response(200, headers=(("X-RateLimit-Limit", "5"),)))
    with LoopbackServer(recorder) as server, client.request("GET", server.url) as response:
        assert response.headers["x-ratelimit-limit"] == "5"
        assert response.headers.get("Retry-After") is None


@pytest.mark.parametrize("name", ["gzip", "X-GZIP", "identity", ""])
def test_body_is_decoded_in_chunks_of_bounded_size(client: HttpClient, name: str) -> None:
    plain = b"page " * 100_000
    packed = gzip.compress(plain) if "gzip" in name.lower() else plain
    recorder = Recorder(Response(200, packed, headers=(("Content-Encoding", name),)))
    with LoopbackServer(recorder) as server, client.request("GET", server.url) as response:
        chunks = list(response.iter_content(5))
    assert b"".join(chunks) == plain
    assert max(map(len, chunks)) <= CHUNK_SIZE


@pytest.mark.parametrize("padding", [b"", b"\n", bytes(CHUNK_SIZE)], ids=["none", "line", "zeros"])
@pytest.mark.parametrize(
    "members", [[b""], [b"x" * 200_000, b"", b"y" * 10], [b"z"] * 70], ids=["empty", "three", "seventy"]
)
def test_every_member_of_a_gzip_body_is_read(
    client: HttpClient, members: list[bytes], padding: bytes
) -> None:
    packed = b"".join(map(gzip.compress, members))
    recorder = Recorder(Response(200, packed + padding, headers=(("Content-Encoding", "gzip"),)))
    with LoopbackServer(recorder) as server:
        assert body(client.request("GET", server.url)) == b"".join(members)


@pytest.mark.parametrize("head", [b"204 No Content", b"304 Not Modified", b"200 OK\r\nContent-Length: 0"])
def test_empty_body_is_empty_even_if_announced_as_gzip(client: HttpClient, head: bytes) -> None:
    with answering(b"HTTP/1.1 " + head + b"\r\nContent-Encoding: gzip\r\n\r\n") as (url, _):
        assert body(client.request("GET", url)) == b""


def test_gzip_bomb_is_decoded_a_chunk_at_a_time(client: HttpClient) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(squeeze.compress(bytes(1 << 20)) for _ in range(200)), squeeze.flush()])
    recorder = Recorder(Response(200, bomb, headers=(("Content-Encoding", "gzip"),)))
    with LoopbackServer(recorder) as server, client.request("GET", server.url) as response:
        chunks = response.iter_content(5)
        assert max(len(next(chunks)) for _ in range(100)) <= CHUNK_SIZE


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\n"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
PACKED = gzip.compress(bytes(range(256)) * 200 + b"".join(b"%d" % (n * n) for n in range(2000)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "cut off", id="short"),
        pytest.param(CHUNKED + b"ff\r\nshort", "cut off", id="short chunk"),
        pytest.param(CHUNKED + b"zz\r\n", "cut off|not HTTP", id="no chunk"),
        pytest.param(CHUNKED + b"-1\r\n" + bytes(2 * CHUNK_SIZE), "cut off|not HTTP", id="negative chunk"),
        pytest.param(GZIP + PACKED[:-1], "cut off", id="gzip cut off in its checksum"),
        pytest.param(GZIP + PACKED[:500], "cut off", id="gzip cut off in the middle"),
        pytest.param(GZIP + PACKED[:1], "cut off", id="gzip cut off in its header"),
        pytest.param(GZIP + PACKED + PACKED[:500], "cut off", id="second gzip member cut off"),
        pytest.param(GZIP + PACKED[:-8] + bytes(8), "not the gzip", id="gzip with a wrong checksum"),
        pytest.param(GZIP + b"not packed at all", "not the gzip", id="not gzip"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx", "not asked for", id="brotli"),
        pytest.param(b"", "cut off", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", "not HTTP", id="SSH"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "not HTTP", id="200 headers"),
        pytest.param(HINTS, "cut off", id="103 alone"),
        pytest.param(HINTS * (MAX_INTERIM + 1) + WHOLE, "only interim", id="too many interim responses"),
        pytest.param(HINTS[:-2] + b"X: y\r\n" * 200 + b"\r\n" + WHOLE, "not HTTP", id="103 with 200 headers"),
    ],
)
def test_unreadable_response_is_described_in_short(client: HttpClient, answer: bytes, message: str) -> None:
    with answering(answer) as (url, _), pytest.raises(HttpError, match=message) as caught:
        body(client.request("GET", f"{url}secret"))
    assert caught.value.sent
    assert len(str(caught.value)) < 100
    assert not [word for word in ("127.0.0.1", "secret") if word in str(caught.value)]


@pytest.mark.parametrize("status", [100, 101, 102, 103, 199])
@pytest.mark.parametrize("count", [1, MAX_INTERIM])
@pytest.mark.parametrize(("method", "sent"), [("GET", None), ("POST", b"{}")])
def test_interim_responses_are_followed_by_the_response(
    client: HttpClient, status: int, count: int, method: str, sent: bytes | None
) -> None:
    interim = b"HTTP/1.1 %d Wait\r\nLink: </a>\r\n\r\n" % status
    with answering_twice(interim * count + WHOLE) as (url, requests):
        for _ in range(2):  # the connection stays open
            response = client.request(method, url, body=sent)
            assert (response.status, body(response)) == (200, b"ok")
            assert "link" not in response.headers
    assert [request.split()[0].decode() for request in requests] == [method, method]


@pytest.mark.parametrize("status", [100, 103])
def test_endless_interim_responses_end(client: HttpClient, status: int) -> None:
    interim = b"HTTP/1.1 %d Wait\r\n\r\n" % status
    with dripping(interim * 10, interim) as url, pytest.raises(HttpError, match="only interim") as caught:
        client.request("POST", url, body=b"{}")
    assert caught.value.sent
    assert not caught.value.is_http


def test_stand_ins_faults_of_interim_responses_and_gzip_are_what_they_say(client: HttpClient) -> None:
    with LoopbackServer(Recorder(Response(200, b"words" * 1000))) as server:
        server.fail(Fault.early_hints(3))
        assert body(client.request("GET", server.url)) == b"words" * 1000
        server.fail(Fault.gzip_cut_off())
        with pytest.raises(HttpError, match="cut off"):
            body(client.request("GET", server.url))


@given(st.binary(max_size=300))
def test_any_response_is_read_or_ends_as_an_http_error(raw: bytes) -> None:
    client = HttpClient({}, (5, 5))
    with answering(b"HTTP/1.1 200 OK\r\n" + raw) as (url, _):
        try:
            body(client.request("GET", url))
        except HttpError as error:
            assert len(str(error)) < 100
    client.close()


def test_url_of_a_response_with_malformed_headers_is_not_logged(
    client: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 would warn of it and quote the URL."""
    malformed = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n: no name\r\nX: y\r\n\r\nok"
    with answering(malformed) as (url, _), caplog.at_level(logging.WARNING):
        body(client.request("GET", f"{url}secret"))
    assert "secret" not in caplog.text


# --- no connection ------------------------------------------------------------------------------


def test_closed_port_is_an_error_and_nothing_was_sent(client: HttpClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError, match=r"^connection failed: Connection refused$") as caught:
            client.request("POST", f"http://127.0.0.1:{unused.getsockname()[1]}/secret", body=b"{}")
    assert not caught.value.sent


@pytest.mark.parametrize("host", ["a b", "a\x7f", "a" * 70, "a..b", "nowhere.invalid"])
def test_host_that_does_not_exist_is_an_error_and_nothing_was_sent(client: HttpClient, host: str) -> None:
    with pytest.raises(HttpError, match=r"connection failed|not a web address") as caught:
        client.request("POST", f"http://{host}/secret", body=b"{}")
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "authority",
    [r"127.0.0.1:{port}\.t.me", r"127.0.0.1:{port}\@t.me", "me:pw@127.0.0.1:{port}", "127.0.0.1:{port}\t"],
)
def test_address_that_parsers_read_differently_is_not_asked(client: HttpClient, authority: str) -> None:
    recorder = Recorder()
    with LoopbackServer(recorder) as server:
        url = f"http://{authority.format(port=server.port)}/secret"
        with pytest.raises(HttpError, match=r"^not a web address$") as caught:
            client.request("POST", url, body=b"{}")
    assert not caught.value.sent
    assert not recorder.requests


def test_connection_lost_after_the_request_may_mean_it_was_processed(client: HttpClient) -> None:
    with LoopbackServer(Recorder()) as server:
        server.faults.add(Fault.reset_after())
        with pytest.raises(HttpError, match="cut off") as caught:
            body(client.request("POST", server.url, body=b"{}"))
    assert caught.value.sent
