"""A client that is slow, greedy or no client at all, against the real server over a small app."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from disgram.api import http_connection
from disgram.api.http_connection import BoundedConnection
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
    monkeypatch.setattr(http_connection, "ASK_WITHIN", 0.3)
    monkeypatch.setattr(http_connection, "ANSWERED_WITHIN", 0.6)
    monkeypatch.setattr(http_connection, "MOST_CONNECTIONS", 5)
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


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(10)
    return connection


def heard_until_closed(connection: socket.socket) -> bytes:
    """All the server says; fails with a time-out if it never hangs up."""
    heard = b""
    try:
        while chunk := connection.recv(65536):
            heard += chunk
    except ConnectionResetError:
        pass
    return heard


@pytest.mark.parametrize("sent", [b"", GET[:-2], GET + GET[:-2], b"\r\n"])
def test_who_does_not_finish_asking_is_hung_up_on(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert heard_until_closed(connection).count(b"200 OK") == sent.count(GET)


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"]
)
def test_dripping_wins_no_time(port: int, head: bytes) -> None:
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


def test_who_does_not_read_the_answer_is_hung_up_on(server: uvicorn.Server, port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET.replace(b"/ ", b"/long "))
        assert connection.recv(10)
        eventually(lambda: not server.server_state.connections)
        assert len(heard_until_closed(connection)) < len(LONG)


def test_a_quick_client_may_stay_and_ask_again(port: int) -> None:
    with connected(port) as connection:
        for _ in range(5):
            connection.sendall(GET)
            heard = b""
            while not heard.endswith(b"0\r\n\r\n"):
                heard += connection.recv(65536)


def test_the_crowd_is_bounded_and_the_door_opens_again(port: int) -> None:
    crowd = [connected(port) for _ in range(5)]
    with connected(port) as late:
        assert heard_until_closed(late) == b""
    for one in crowd:
        one.close()

    def served() -> bool:
        with connected(port) as another:
            another.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return b"fine" in heard_until_closed(another)

    eventually(served)


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x00\xa5", b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000, b"?\r\n\r\n"]
)
def test_what_is_not_http_gets_the_one_form_of_an_error(port: int, junk: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(junk)
        heard = heard_until_closed(connection)
    if heard:  # a reset may overtake the answer to who goes on sending
        head, _, body = heard.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request")
        assert set(json.loads(body)["detail"]) == {"error", "message"}


def test_junk_behind_a_request_is_no_fault_of_ours(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.recv(10)
        connection.sendall(b"no chunk\r\n")
        heard_until_closed(connection)
    assert not [record for record in caplog.records if record.exc_info]
