"""Servers that drip, over real sockets: the whole answer has a limit, and the reader is heard meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from disgram import http_environment, http_patience
from disgram.errors import HttpError, Stopping
from disgram.http_client import HttpClient
from disgram.http_patience import Patience
from disgram.workers.heartbeat import Heartbeat

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"


@contextmanager
def dripping(*answers: bytes) -> Iterator[str]:
    """Serves one connection: each answer whole, and a byte every 20 ms behind the last one."""
    over, endless = threading.Event(), threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)
            for _ in range(200):
                if over.wait(0.02):
                    return
                try:
                    connection.sendall(b"a")
                except OSError:
                    return
        endless.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join()
    assert not endless.is_set(), "the reader never gave up"


def ask(url: str, patience: Patience | None = None, timeout: float = 5.0) -> bytes:
    client = HttpClient({}, (5, timeout), patience)
    with client.request("GET", url) as answer:
        return b"".join(answer.pieces())


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD, CHUNKED])
def test_an_answer_that_drips_is_given_up(start: bytes) -> None:
    with dripping(start) as url, pytest.raises(HttpError, match="time limit"):
        ask(url, Patience(seconds=0.5))


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD, CHUNKED])
def test_sigterm_is_heard_while_bytes_drip(start: bytes) -> None:
    """They come faster than any tick."""
    heartbeat = Heartbeat()
    heartbeat.request_stop()
    with dripping(start) as url, pytest.raises(Stopping):
        ask(url, Patience(tick=heartbeat.check))
    heartbeat.close()


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX-Long: "])
def test_a_proxy_that_drips_is_given_up_and_sigterm_is_heard(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = Heartbeat()
    for tick, expected in ((heartbeat.beat, HttpError), (heartbeat.check, Stopping)):
        with dripping(start) as url:
            monkeypatch.setenv("https_proxy", url)
            http_environment.proxy_for.cache_clear()
            with pytest.raises(expected):
                ask("https://somewhere.invalid/", Patience(seconds=0.5, tick=tick))
        heartbeat.request_stop()
    http_environment.proxy_for.cache_clear()
    heartbeat.close()


def test_a_silent_server_is_given_up_by_the_usual_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(HttpError, match="no answer within"):
        ask(f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout=0.3)


def test_who_waits_for_a_silent_server_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_patience, "TICK", 0.02)
    beats: list[bytes] = []
    heartbeat = Heartbeat(beats.append, every=0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(HttpError):
        ask(f"http://127.0.0.1:{mute.getsockname()[1]}/", Patience(tick=heartbeat.beat), timeout=0.5)
    heartbeat.close()
    assert len(beats) > 1


def test_sigterm_ends_the_wait_for_a_page_and_not_that_for_a_message() -> None:
    heartbeat = Heartbeat()
    heartbeat.request_stop()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        with pytest.raises(Stopping):
            ask(url, Patience(tick=heartbeat.check), timeout=20)
        with pytest.raises(HttpError):
            ask(url, Patience(tick=heartbeat.beat), timeout=0.3)
    heartbeat.close()


def test_the_time_counts_for_each_answer_anew() -> None:
    """A kept connection serves a second answer as patiently as the first."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    now = [0.0]
    client = HttpClient({}, (5, 5), Patience(seconds=10, clock=lambda: now[0]))
    with dripping(whole, whole) as url:
        for _ in range(2):
            with client.request("GET", url) as answer:
                assert b"".join(answer.pieces()) == b"ok"
            now[0] += 100
        client.close()
