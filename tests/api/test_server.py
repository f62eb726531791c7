"""Slow clients, too many clients and bytes that are not HTTP, against the real server over a small app."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from ipaddress import ip_network

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from disgram.api import connection as connection_module
from disgram.api.connection import BoundedConnection
from disgram.api.listener import ConnectionLimits
from disgram.api.server import address_to_open
from standins.stage import eventually

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = b"x" * 20_000_000


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Never reads a body; /long is more than any socket buffer takes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": LONG if scope["path"] == "/long" else b"fine"})


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        yield one


@pytest.fixture
def port(server: uvicorn.Server, listener: socket.socket) -> int:
    number: int = listener.getsockname()[1]
    return number


@pytest.fixture
def server(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    monkeypatch.setattr(connection_module, "REQUEST_WITHIN", 0.3)
    monkeypatch.setattr(connection_module, "ANSWER_WITHIN", 0.6)
    monkeypatch.setattr(BoundedConnection, "limits", ConnectionLimits(5))
    monkeypatch.setattr(connection_module, "SHARE", 0.6)
    config = uvicorn.Config(answer, http=BoundedConnection, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        eventually(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join()


def connected(port: int, address: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
    connection.settimeout(10)
    return connection


def read_until_closed(connection: socket.socket) -> bytes:
    """All the server sends; fails with a time-out if it never closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("sent", [b"", GET[:-2], GET + GET[:-2], b"\r\n"])
def test_client_that_sends_no_whole_request_is_disconnected(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert read_until_closed(connection).count(b"200 OK") == sent.count(GET)


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"]
)
def test_request_sent_byte_by_byte_gets_no_extra_time(port: int, head: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(head)
        connection.settimeout(0.02)
        for _ in range(400):
            try:
                connection.sendall(b"a")
                if not connection.recv(65536):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("still connected")


def test_client_that_does_not_read_the_answer_is_disconnected(server: uvicorn.Server, port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET.replace(b"/ ", b"/long "))
        assert connection.recv(10)
        eventually(lambda: not server.server_state.connections)
        assert len(read_until_closed(connection)) < len(LONG)


def test_connection_is_kept_alive_for_further_requests(port: int) -> None:
    with connected(port) as connection:
        for _ in range(5):
            connection.sendall(GET)
            received = b""
            while not received.endswith(b"0\r\n\r\n"):
                received += connection.recv(65536)


def test_client_is_served_although_all_connections_are_taken_by_silent_ones(port: int) -> None:
    with ExitStack() as stack:
        for number in range(1, 20):
            stack.enter_context(connected(port, f"127.0.0.{number}"))
        with connected(port, "127.0.0.30") as late:
            late.sendall(GET)
            assert b"200 OK" in late.recv(65536)


def test_connections_over_the_limit_are_closed_while_all_are_being_answered(port: int) -> None:
    with ExitStack() as stack:
        for number in range(1, 6):
            one = stack.enter_context(connected(port, f"127.0.0.{number}"))
            one.sendall(GET.replace(b"/", b"/long", 1))
            assert one.recv(1)
        with connected(port, "127.0.0.6") as late:
            assert read_until_closed(late) == b""


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("0.0.0.0", "http://127.0.0.1:5000"),
        ("::", "http://127.0.0.1:5000"),
        ("::1", "http://[::1]:5000"),
        ("192.0.2.1", "http://192.0.2.1:5000"),
        ("localhost", "http://localhost:5000"),
    ],
)
def test_printed_address_can_be_opened(host: str, opened: str) -> None:
    assert address_to_open(host, 5000) == opened


def test_one_address_has_a_share_of_the_connections(port: int) -> None:
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(connected(port)) for _ in range(20)]
        assert read_until_closed(first) == b""
        for address in ("127.0.0.1", "127.0.0.2"):
            with connected(port, address) as another:
                another.sendall(GET)
                assert b"200 OK" in another.recv(65536)


def test_share_is_taken_from_connections_that_wait_not_from_answers(port: int) -> None:
    with ExitStack() as stack:
        answered = [stack.enter_context(connected(port)) for _ in range(3)]
        for one in answered:
            one.sendall(GET.replace(b"/", b"/long", 1))
            assert one.recv(1)
        with connected(port) as late:
            assert read_until_closed(late) == b""
        assert all(one.recv(1) for one in answered)


def test_proxy_has_more_than_a_share(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "unlimited", (ip_network("127.0.0.1"),))
    with ExitStack() as stack:
        for one in [stack.enter_context(connected(port)) for _ in range(5)]:
            one.sendall(GET)
            assert b"200 OK" in one.recv(65536)


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x00\xa5", b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000, b"?\r\n\r\n"]
)
def test_junk_instead_of_http_gets_a_json_error(port: int, junk: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(junk)
        received = read_until_closed(connection)
    if received:  # a reset may overtake the answer to who goes on sending
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request")
        assert set(json.loads(body)["detail"]) == {"error", "message"}


def test_junk_after_a_request_raises_nothing(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.recv(10)
        connection.sendall(b"no chunk\r\n")
        read_until_closed(connection)
    assert not [record for record in caplog.records if record.exc_info]
