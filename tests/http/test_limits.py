"""Time limits, heartbeat and SIGTERM during a request, and answers that come before it is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.errors import HttpError, RequestCutOff, Stopping
from disgram.http.client import HttpClient
from disgram.workers.heartbeat import Heartbeat
from tests.builders.raw_servers import (
    WHOLE,
    answering_and_staying_open,
    answering_early,
    answering_twice,
    dripping,
)

pytestmark = pytest.mark.usefixtures("clean_http_environment")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"
SMALL_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
LARGE = 20_000_000


class Zeros:
    """A body of LARGE bytes in chunks; counts those that were taken."""

    taken = 0

    def __len__(self) -> int:
        return LARGE

    def __iter__(self) -> Zeros:
        return self

    def __next__(self) -> bytes:
        if self.taken >= LARGE:
            raise StopIteration
        self.taken += 10_000
        return bytes(10_000)


def read(
    url: str, seconds: float = 5.0, *, timeout: float = 5.0, on_chunk: Callable[[], None] = lambda: None
) -> bytes:
    client = HttpClient({}, (5, timeout), on_chunk)
    try:
        with client.request("GET", url) as response:
            return b"".join(response.iter_content(seconds))
    finally:
        client.close()


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(HEAD, b"a", id="length"),
        pytest.param(CHUNKED, b"a", id="large chunk"),
        pytest.param(SMALL_CHUNKS, b"1\r\na\r\n", id="small chunks"),
    ],
)
def test_body_that_drips_is_given_up_at_its_time_limit(start: bytes, drop: bytes) -> None:
    with dripping(start, drop) as url, pytest.raises(HttpError, match="no answer within the time limit"):
        read(url, 0.3)


@pytest.mark.parametrize("start", [HEAD, CHUNKED], ids=["length", "chunked"])
def test_sigterm_ends_the_reading_of_a_body_that_drips(start: bytes) -> None:
    heartbeat = Heartbeat()
    heartbeat.request_stop()
    with dripping(start) as url, pytest.raises(Stopping):
        read(url, on_chunk=heartbeat.check)
    heartbeat.close()


def test_reader_of_a_body_that_drips_beats() -> None:
    beats: list[bytes] = []
    heartbeat = Heartbeat(beats.append, every=0.05)
    with dripping(HEAD) as url, pytest.raises(HttpError):
        read(url, 0.4, on_chunk=heartbeat.beat)
    heartbeat.close()
    assert len(beats) > 1


def test_time_limit_begins_anew_with_each_body() -> None:
    now = [0.0]
    client = HttpClient({}, (5, 5), clock=lambda: now[0])
    with answering_twice(WHOLE) as (url, _):
        for _ in range(2):
            with client.request("GET", url) as response:
                assert b"".join(response.iter_content(10)) == b"ok"
            now[0] += 100
    client.close()


def test_silent_server_is_given_up_at_the_read_timeout() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(HttpError, match="no answer within the time limit") as caught,
    ):
        read(f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout=0.2)
    assert caught.value.sent


def test_server_that_falls_silent_in_the_body_is_given_up_at_the_read_timeout() -> None:
    with answering_and_staying_open(HEAD + b"a") as url:
        with pytest.raises(HttpError, match="no answer within the time limit"):
            read(url, timeout=0.2)
        assert read(url) == b"ok"


def test_proxy_that_opens_no_tunnel_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{mute.getsockname()[1]}/")
        client = HttpClient({}, (0.2, 5))
        with pytest.raises(HttpError, match="within the time limit"):
            client.request("GET", "https://somewhere.invalid/")
        client.close()


# --- sending ------------------------------------------------------------------------------------


def test_sender_of_a_large_body_beats_and_reads_it_only_as_it_is_sent() -> None:
    """The server reads a tenth of the body; what was taken beyond that lies in the system's buffers."""
    body, calls = Zeros(), [0]

    def count() -> None:
        calls[0] += 1

    client = HttpClient({}, (5, 5), count)
    with answering_early(REFUSAL) as url, client.request("POST", url, body=body) as response:
        assert response.status == 413
    client.close()
    assert 10 < calls[0] <= body.taken / 10_000
    assert body.taken < LARGE


def test_413_before_the_whole_body_is_read_is_the_response() -> None:
    client = HttpClient({}, (5, 5))
    with answering_early(REFUSAL) as url, client.request("POST", url, body=Zeros()) as response:
        assert response.status == 413
    client.close()


def test_reset_while_the_body_is_sent_is_a_request_cut_off() -> None:
    client = HttpClient({}, (5, 5))
    with answering_early(b"") as url, pytest.raises(RequestCutOff, match="while it was being sent") as caught:
        client.request("POST", url, body=Zeros())
    client.close()
    assert not caught.value.sent


def test_413_over_tls_is_the_response_or_a_request_cut_off(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL may find the connection reset before it has read the response."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    client = HttpClient({}, (5, 5))
    with answering_early(REFUSAL, certificate) as url:
        try:
            with client.request("POST", url, body=Zeros()) as response:
                assert response.status == 413
        except RequestCutOff as error:
            assert not error.sent
    client.close()


def test_server_that_stops_reading_is_a_request_cut_off_and_its_connection_is_closed() -> None:
    client = HttpClient({}, (0.3, 5))
    with answering_and_staying_open(REFUSAL) as url:
        with pytest.raises(RequestCutOff):
            client.request("POST", url, body=Zeros())
        with client.request("GET", url) as response:
            assert b"".join(response.iter_content(5)) == b"ok"
    client.close()
