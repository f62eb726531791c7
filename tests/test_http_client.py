"""One exchange over real sockets: what goes out, what comes back, and what each failure is called."""

from __future__ import annotations

import gc
import gzip
import io
import shutil
import socket
import ssl
import subprocess
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram import http_environment
from disgram.errors import HttpError
from disgram.http_client import KEPT, PIECE, HttpClient, HttpResponse
from standins.loopback import Fault, LoopbackServer, Request, Response

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has an environment of its own."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    http_environment.proxy_for.cache_clear()
    http_environment.trust.cache_clear()
    yield
    http_environment.proxy_for.cache_clear()
    http_environment.trust.cache_clear()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient({"User-Agent": "test"}, (5, 5))
    yield client
    client.close()


def body(answer: HttpResponse) -> bytes:
    with answer:
        return b"".join(answer.pieces())


class Listening:
    """Keeps what it was asked."""

    def __init__(self, answer: Response | None = None) -> None:
        self.heard: list[Request] = []
        self.answer = answer or Response(200, b"ok", headers=(("Set-Cookie", "who=you"),))

    def __call__(self, request: Request) -> Response:
        self.heard.append(request)
        return self.answer


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a listener that `serve` is given, in a thread that must end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


@contextmanager
def saying(*answers: bytes) -> Iterator[tuple[str, threading.Semaphore]]:
    """One connection for each answer; the semaphore counts those closed."""
    closed = threading.Semaphore(0)

    def serve(listener: socket.socket) -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
            closed.release()

    with serving(serve) as url:
        yield url, closed


@contextmanager
def out_of_step(answer: bytes) -> Iterator[str]:
    """Gives its first visitor that answer, keeping the connection, and its second one WHOLE."""
    left = threading.Event()

    def serve(listener: socket.socket) -> None:
        first, _ = listener.accept()
        with first:
            first.recv(1024)
            first.sendall(answer)
            second, _ = listener.accept()
            with second:
                second.recv(1024)
                second.sendall(WHOLE)
                left.wait(5)

    with serving(serve) as url:
        yield url
        left.set()


# --- what goes out ------------------------------------------------------------------------------


def test_a_request_carries_what_it_was_given_and_no_more(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    listening = Listening()
    with LoopbackServer(listening) as server:
        for _ in range(2):
            body(client.request("POST", f"{server.url}/a?b=c", headers={"X-Own": "1"}, body=b"{}"))
    first, second = listening.heard
    assert (first.method, first.path, first.query, first.body) == ("POST", "/a", {"b": "c"}, b"{}")
    assert {name: first.headers[name] for name in ("user-agent", "x-own")} == {
        "user-agent": "test",
        "x-own": "1",
    }
    assert not {"authorization", "cookie"} & {*first.headers, *second.headers}


def test_a_body_in_pieces_is_announced_and_sent_whole(client: HttpClient) -> None:
    class Pieces:
        def __len__(self) -> int:
            return 300_000

        def __iter__(self) -> Iterator[bytes]:
            yield from (b"x" * 100_000 for _ in range(3))

    listening = Listening()
    with LoopbackServer(listening) as server:
        body(client.request("POST", server.url, body=Pieces()))
    assert listening.heard[0].body == b"x" * 300_000
    assert listening.heard[0].headers["content-length"] == "300000"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("/файл.jpg", "/%D1%84%D0%B0%D0%B9%D0%BB.jpg"),
        ("/a b|c\r\nX-Evil: 1", "/a%20b%7CcX-Evil:%201"),
        ("/a%20b?c=%41&d=[1]#part", "/a%20b?c=%41&d=[1]"),
        ("", "/"),
    ],
)
def test_an_address_is_escaped_once(client: HttpClient, written: str, asked: str) -> None:
    with recording(WHOLE) as (url, heard):
        body(client.request("GET", url + written))
    assert heard[0].split(b"\r\n")[0] == f"GET {asked} HTTP/1.1".encode()
    assert b"X-Evil: 1\r\n" not in heard[0]


@contextmanager
def recording(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(answer)

    with serving(serve) as url:
        yield url.rstrip("/"), heard


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://telegram.org/", "http://", "http://[::1", "http://a:b/", "https://a:99999/", "//a/",
        "http://a/\ud800", "http://a/?\udfff",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_not_asked(client: HttpClient, url: str) -> None:
    with pytest.raises(HttpError, match="address") as caught:
        client.request("GET", url)
    assert not caught.value.sent


@given(st.text(max_size=30))
def test_no_address_is_too_strange(text: str) -> None:
    """Whatever a page names ends as one of our errors; the port is closed."""
    client = HttpClient({}, (5, 5))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError):
            client.request("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/{text}")


# --- connections --------------------------------------------------------------------------------


class Counting(HTTPServer):
    """Counts connections; keeps each open."""

    connections = 0

    def process_request(self, *request: object) -> None:
        self.connections += 1
        super().process_request(*request)  # type: ignore[arg-type]


class Keeping(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100_000)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def keeping() -> Iterator[Counting]:
    server = Counting(("127.0.0.1", 0), Keeping)
    with running(server):
        yield server


@contextmanager
def running(server: HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_connection_is_kept(client: HttpClient, keeping: Counting) -> None:
    for _ in range(3):
        assert len(body(client.request("GET", f"http://127.0.0.1:{keeping.server_port}/"))) == 100_000
    assert keeping.connections == 1
    client.close()


def test_an_answer_left_early_takes_its_connection_along(client: HttpClient, keeping: Counting) -> None:
    url = f"http://127.0.0.1:{keeping.server_port}/"
    with client.request("GET", url) as answer:
        next(answer.pieces())
    assert len(body(client.request("GET", url))) == 100_000
    assert keeping.connections == 2
    client.close()


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 70000\r\n\r\n" + b"no" * 35_000,
    ],
)
def test_a_connection_out_of_step_is_not_asked_again(client: HttpClient, broken: bytes) -> None:
    """It stays open and silent: nothing but its answer tells."""
    with out_of_step(broken) as url:
        with pytest.raises(HttpError):
            body(client.request("GET", url))
        assert body(client.request("GET", url)) == b"ok"


def test_a_connection_that_was_closed_meanwhile_is_made_anew(client: HttpClient) -> None:
    with saying(WHOLE, WHOLE) as (url, closed):
        for _ in range(2):
            assert body(client.request("GET", url)) == b"ok"
            assert closed.acquire(timeout=5)


def test_few_connections_are_kept(client: HttpClient) -> None:
    listening = Listening()
    with LoopbackServer(listening) as server:
        port = server.url.rpartition(":")[2]
        for number in range(KEPT + 3):
            body(
                client.request(
                    "GET", f"http://127.0.0.{number + 1}:{port}/" if number == 0 else f"{server.url}/"
                )
            )
            body(client.request("GET", f"http://localhost:{port}/"))
    assert len(client._kept) <= KEPT


# --- what comes back ----------------------------------------------------------------------------


def test_headers_have_lower_case_names(client: HttpClient) -> None:
    with (
        LoopbackServer(
            Listening(Response(302, headers=(("LOCATION", "/b"), ("X-RateLimit-Limit", "5"))))
        ) as server,
        client.request("GET", server.url) as answer,
    ):
        assert answer.is_redirect
        assert (answer.headers["location"], answer.headers["x-ratelimit-limit"]) == ("/b", "5")


@pytest.mark.parametrize("name", ["gzip", "X-GZIP", "identity", ""])
def test_bodies_are_unpacked(client: HttpClient, name: str) -> None:
    plain = b"page " * 100_000
    packed = gzip.compress(plain) if "gzip" in name.lower() else plain
    listening = Listening(Response(200, packed, headers=(("Content-Encoding", name),)))
    with LoopbackServer(listening) as server, client.request("GET", server.url) as answer:
        pieces = list(answer.pieces())
    assert b"".join(pieces) == plain
    assert max(map(len, pieces)) <= PIECE


@pytest.mark.parametrize("padding", [b"", b"\n", bytes(PIECE)])
@pytest.mark.parametrize("members", [[b""], [b"x" * 200_000, b"", b"y" * 10], [b"z"] * 70])
def test_every_member_of_a_packed_body_is_read(
    client: HttpClient, members: list[bytes], padding: bytes
) -> None:
    packed = b"".join(map(gzip.compress, members))
    listening = Listening(Response(200, packed + padding, headers=(("Content-Encoding", "gzip"),)))
    with LoopbackServer(listening) as server:
        assert body(client.request("GET", server.url)) == b"".join(members)


@pytest.mark.parametrize("head", [b"204 No Content", b"304 Not Modified", b"200 OK\r\nContent-Length: 0"])
def test_nothing_is_nothing_even_packed(client: HttpClient, head: bytes) -> None:
    with saying(b"HTTP/1.1 " + head + b"\r\nContent-Encoding: gzip\r\n\r\n") as (url, _):
        assert body(client.request("GET", url)) == b""


def test_a_bomb_goes_off_a_piece_at_a_time(client: HttpClient) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(squeeze.compress(bytes(1 << 20)) for _ in range(200)), squeeze.flush()])
    listening = Listening(Response(200, bomb, headers=(("Content-Encoding", "gzip"),)))
    with LoopbackServer(listening) as server, client.request("GET", server.url) as answer:
        pieces = answer.pieces()
        assert max(len(next(pieces)) for _ in range(100)) <= PIECE


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "cut off|not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + bytes(2 * PIECE), "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 99)[:-9], "cut off"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot packed at all", "cut off"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx", "not asked for"),
        (b"", "cut off"),
        (b"SSH-2.0-OpenSSH_9\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "not HTTP"),
    ],
)
def test_an_answer_that_is_none_is_told_in_short(client: HttpClient, answer: bytes, told: str) -> None:
    with saying(answer) as (url, _), pytest.raises(HttpError, match=told) as caught:
        body(client.request("GET", url))
    assert caught.value.sent
    assert "127.0.0.1" not in str(caught.value)


@given(st.binary(max_size=300))
def test_no_answer_is_too_strange(raw: bytes) -> None:
    client = HttpClient({}, (5, 5))
    with saying(b"HTTP/1.1 200 OK\r\n" + raw) as (url, _):
        try:
            body(client.request("GET", url))
        except HttpError as failure:
            assert len(str(failure)) < 100
    client.close()


REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
LARGE = b"x" * 20_000_000


def test_an_answer_given_before_the_whole_question_is_read(client: HttpClient) -> None:
    """A server that refuses a large body may say so and close: the status is what we need."""
    with refusing(REFUSAL) as port, client.request("POST", f"http://127.0.0.1:{port}/", body=LARGE) as answer:
        assert answer.status == 413


def test_and_over_tls(
    client: HttpClient, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with (
        refusing(REFUSAL, certificate) as port,
        client.request("POST", f"https://127.0.0.1:{port}/", body=LARGE) as answer,
    ):
        assert answer.status == 413


def test_who_breaks_off_without_a_word_has_no_whole_question(client: HttpClient) -> None:
    with (
        refusing(b"") as port,
        pytest.raises(HttpError, match=r"^the request could not be sent$") as caught,
    ):
        client.request("POST", f"http://127.0.0.1:{port}/", body=LARGE)
    assert not caught.value.sent


def test_what_was_said_unasked_is_no_answer_to_the_next_question(
    client: HttpClient, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one TLS record with the answer: the system has nothing more to read, but TLS has."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    unasked = bytes(io.DEFAULT_BUFFER_SIZE - len(WHOLE)) + WHOLE.replace(b"ok", b"no")
    with refusing(WHOLE + unasked, certificate) as port:
        url = f"https://127.0.0.1:{port}/"
        assert body(client.request("GET", url)) == b"ok"
        with pytest.raises(HttpError, match="refused"):
            body(client.request("GET", url))


@contextmanager
def refusing(answer: bytes, certificate: tuple[Path, Path] | None = None) -> Iterator[int]:
    """Answers when it has seen the beginning, reads on for a while, and resets."""

    def serve() -> None:
        with listener:  # whoever comes next is refused at the door
            connection, _ = listener.accept()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            connection.recv(1024)
            connection.sendall(answer)
            for _ in range(100):
                connection.recv(16_384)

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    thread = threading.Thread(target=serve)
    thread.start()
    yield port
    thread.join()


def test_so_has_who_answers_and_stops_reading() -> None:
    """Nothing more is asked over a connection on which half a question lies."""
    client = HttpClient({}, (5, 0.3))
    with out_of_step(REFUSAL) as url:
        with client.request("POST", url, body=LARGE) as answer:
            assert (answer.status, b"".join(answer.pieces())) == (413, b"")
        assert body(client.request("GET", url)) == b"ok"
    client.close()


# --- no way there -------------------------------------------------------------------------------


def test_a_closed_port_was_never_reached(client: HttpClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError, match=r"^connection failed: Connection refused$") as caught:
            client.request("POST", f"http://127.0.0.1:{unused.getsockname()[1]}/secret", body=b"{}")
    assert not caught.value.sent


@pytest.mark.parametrize("host", ["a b", "a\x7f", "a" * 70, "a..b"])
def test_a_name_nobody_can_have_was_not_reached_either(client: HttpClient, host: str) -> None:
    with pytest.raises(HttpError, match=r"^connection failed: [A-Za-z]+$") as caught:
        client.request("POST", f"http://{host}/secret", body=b"{}")
    assert not caught.value.sent


def test_nor_was_a_name_nobody_has(client: HttpClient) -> None:
    with pytest.raises(HttpError, match="connection failed") as caught:
        client.request("POST", "http://nowhere.invalid/secret", body=b"{}")
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


def test_a_broken_connection_may_have_been_enough(client: HttpClient) -> None:
    with LoopbackServer(Listening()) as server:
        server.faults.add(Fault.reset_after())
        with pytest.raises(HttpError, match="cut off") as caught:
            body(client.request("POST", server.url, body=b"{}"))
    assert caught.value.sent


# --- proxies and certificates -------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used_and_no_proxy_is_heeded(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, site = Listening(), Listening()
    with LoopbackServer(proxy) as between, LoopbackServer(site) as server:
        monkeypatch.setenv("http_proxy", between.url.replace("//", "//me:s%40cret@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        body(client.request("GET", "http://somewhere.invalid/s/demo"))
        body(client.request("GET", f"{server.url}/s/demo"))
    assert [len(proxy.heard), len(site.heard)] == [1, 1]
    assert proxy.heard[0].headers["host"] == "somewhere.invalid"
    assert proxy.heard[0].headers["proxy-authorization"] == "Basic bWU6c0BjcmV0"
    assert "proxy-authorization" not in site.heard[0].headers


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_proxy_that_opens_no_tunnel_is_no_way(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.10 leaves the closing of such a socket to whoever drops the error."""
    with LoopbackServer(Listening()) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        with pytest.raises(HttpError, match="Tunnel connection failed") as caught:
            client.request("GET", "https://somewhere.invalid/")
    assert not caught.value.sent
    del caught
    gc.collect()


@pytest.mark.parametrize(
    ("named", "netloc"),
    [
        ("localhost, 127.0.0.0/8", "127.0.0.1:80"),
        ("localhost,127.0.0.1,::1", "[::1]:80"),
        ("[::1]", "[::1]:80"),
        ("fd00::/8", "[fd00::7]"),
        ("10.1.2.3/8", "10.9.9.9"),
        (".example.com", "a.EXAMPLE.com"),
        ("example.com:80", "example.com:80"),
        ("*", "example.com"),
    ],
)
def test_no_proxy_names_hosts_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, named: str, netloc: str
) -> None:
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", named)
    assert http_environment.proxy_for("http", netloc) is None
    for other in ("11.0.0.1", "[fe80::1]", "10.example", "a.example.com.invalid", "[::1", ""):
        assert named == "*" or http_environment.proxy_for("http", other)


@pytest.mark.parametrize(
    "address",
    [
        "socks5://127.0.0.1:9", "https://127.0.0.1:9", "http://", "::", "http://[", "h:99999",
        "http://me:secret#@127.0.0.1:9", "http://secret\udcff@127.0.0.1:9",
    ],
)  # fmt: skip
def test_a_proxy_we_cannot_speak_to_is_told(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(HttpError, match="proxy of the environment") as caught:
        client.request("GET", "http://somewhere.invalid/")
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of its own making for 127.0.0.1: certificate and key."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs the openssl program")
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made,
            "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> Iterator[Counting]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Counting(("127.0.0.1", 0), Keeping)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


def test_a_server_nobody_vouches_for_is_refused(
    client: HttpClient, tls: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(HttpError, match="certificate not trusted") as caught:
        client.request("GET", f"https://127.0.0.1:{tls.server_port}/")
    assert not caught.value.sent


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_the_environment_are_trusted(
    client: HttpClient,
    tls: Counting,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(certificate[0]))
    for _ in range(2):
        assert len(body(client.request("GET", f"https://127.0.0.1:{tls.server_port}/"))) == 100_000
    assert tls.connections == 1
    client.close()


def test_a_certificate_for_another_name_is_refused(
    client: HttpClient, tls: Counting, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(HttpError, match="certificate not trusted"):
        client.request("GET", f"https://localhost:{tls.server_port}/")


def test_https_goes_through_its_proxy_to_the_server(
    client: HttpClient, tls: Counting, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with tunnelling() as (address, heard):
        monkeypatch.setenv("https_proxy", address.replace("//", "//me:secret@"))
        assert len(body(client.request("GET", f"https://127.0.0.1:{tls.server_port}/"))) == 100_000
        client.close()
    assert heard[0].startswith(f"CONNECT 127.0.0.1:{tls.server_port} ".encode())
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in heard[0]
    assert b"GET" not in heard[0]


@contextmanager
def tunnelling() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy for one CONNECT."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        near, _ = listener.accept()
        with near:
            heard.append(near.recv(65536))
            host, _, port = heard[0].split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pour, args=(far, near))
                back.start()
                _pour(near, far)
                back.join()

    with serving(serve) as url:
        yield url, heard


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
