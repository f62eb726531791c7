"""Requests with their descriptors go out whole, and bytes become events however they were cut."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.workers.forkserver_protocol import Exited, Failed, ForkServerProtocol, Started

ANSWERS = (
    b'{"n": 1, "started": 77}\n{"signalled": 77}\n{"n": 2, "failed": "fork: no memory"}\n'
    b'{"exited": 77, "status": 9}\n{"exited": 78, "status": 19968}\n'
)


class Connection:
    def __init__(self) -> None:
        self.now = 0.0
        ours, self.theirs = socket.socketpair()
        self.protocol = ForkServerProtocol(ours, lambda: self.now)
        self.pipe, writing = os.pipe()
        self.writing = writing

    def close(self) -> None:
        self.protocol.close()
        self.theirs.close()
        os.close(self.pipe)


@pytest.fixture
def connection() -> Iterator[Connection]:
    connection = Connection()
    yield connection
    connection.close()


@given(st.integers(1, 40))
def test_answers_become_the_same_events_however_they_are_cut(width: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        protocol = ForkServerProtocol(ours, lambda: 0.0)
        chunks = [ANSWERS[start : start + width] for start in range(0, len(ANSWERS), width)]
        events = [event for chunk in chunks for event in protocol.feed(chunk)]
        protocol.close()
    assert events == [Started(1, 77), Failed(2, "fork: no memory"), Exited(77, -9), Exited(78, 78)]


def test_start_sends_one_line_with_the_descriptor_and_closes_it(connection: Connection) -> None:
    number = connection.protocol.start("webhook", {"job": "a"}, connection.writing, 15.0)
    line, descriptors, _, _ = socket.recv_fds(connection.theirs, 65536, 4)
    assert json.loads(line) == {"n": number, "module": "webhook", "beat": 15.0, "spec": {"job": "a"}}
    (received,) = descriptors
    os.write(received, b"x")
    os.close(received)
    assert os.read(connection.pipe, 9) == b"x"
    assert os.read(connection.pipe, 9) == b""  # nobody else holds the writing end
    assert not connection.protocol.wants_to_send


def test_requests_for_a_full_socket_wait_and_arrive_whole_and_in_order(connection: Connection) -> None:
    os.close(connection.writing)
    count = 0
    while not connection.protocol.wants_to_send:
        connection.protocol.signal(count, 15)
        count += 1
    connection.protocol.signal(count, 15)
    received = b""
    while connection.protocol.wants_to_send or received.count(b"\n") <= count:
        received += connection.theirs.recv(65536)
        connection.protocol.flush()
    assert [json.loads(line)["signal"] for line in received.splitlines()] == list(range(count + 1))


def test_descriptor_of_an_unsent_request_is_closed_with_the_connection(connection: Connection) -> None:
    while not connection.protocol.wants_to_send:
        connection.protocol.signal(1, 15)
    connection.protocol.start("webhook", {}, connection.writing, 15.0)
    connection.protocol.close()
    assert os.read(connection.pipe, 9) == b""


def test_closed_connection_is_the_end_and_later_requests_raise_nothing(connection: Connection) -> None:
    os.close(connection.writing)
    connection.theirs.close()
    assert connection.protocol.receive() == []
    assert connection.protocol.at_end
    connection.protocol.signal(1, 15)


def test_nothing_to_read_is_not_the_end(connection: Connection) -> None:
    os.close(connection.writing)
    assert connection.protocol.receive() == []
    assert not connection.protocol.at_end


def test_unanswered_time_counts_from_the_first_request_or_the_last_answer(connection: Connection) -> None:
    os.close(connection.writing)
    assert connection.protocol.unanswered_for(50.0) == 0
    connection.now = 50.0
    connection.protocol.signal(1, 15)
    connection.now = 60.0
    connection.protocol.signal(2, 15)
    assert connection.protocol.unanswered_for(70.0) == 20
    connection.protocol.feed(b'{"signalled": 1}\n')
    assert connection.protocol.unanswered_for(70.0) == 10
    connection.protocol.feed(b'{"signalled": 2}\n')
    assert connection.protocol.unanswered_for(70.0) == 0
