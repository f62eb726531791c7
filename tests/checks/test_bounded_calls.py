"""Calls that may hang: what comes in time is given, the rest keeps nobody."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from disgram.checks.bounded_calls import BoundedCalls, Deadline, OutOfTime


def named(number: int, _: Deadline) -> str:
    return f"call {number}"


def test_what_calls_return_is_given_by_their_keys() -> None:
    calls = BoundedCalls(2)
    names = {number: partial(named, number) for number in range(10)}
    assert calls.run(names, 5) == {number: f"call {number}" for number in range(10)}
    assert calls.run({}, 5) == {}


def test_call_that_hangs_is_left_out_and_keeps_its_place() -> None:
    release, calls = threading.Event(), BoundedCalls(2)
    hung = calls.run({"hangs": lambda _: release.wait(20), "well": lambda _: True}, 0.2)
    assert hung == {"well": True}
    assert calls.run({"first": lambda _: release.wait(20)}, 0.1) == {}
    started = time.monotonic()
    assert calls.run({"no place": lambda _: 1}, 5) == {}
    assert time.monotonic() - started < 2
    release.set()


def test_calls_of_many_at_once_wait_for_their_places() -> None:
    calls, found = BoundedCalls(2), list[dict[int, str]]()

    def slowly(number: int, deadline: Deadline) -> str:
        deadline.wait(0.05)
        return named(number, deadline)

    def ask(number: int) -> None:
        found.append(calls.run({number: partial(slowly, number)}, 5))

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(10)
    assert sorted(map(str, found)) == [str({number: f"call {number}"}) for number in range(6)]


def test_no_more_wait_for_a_place_than_threads_can_be_spared() -> None:
    release, calls = threading.Event(), BoundedCalls(1)

    def refused_at_once() -> bool:
        started = time.monotonic()
        assert calls.run({"one too many": lambda _: 1}, 0.5) == {}
        return time.monotonic() - started < 0.25

    asking = [
        threading.Thread(target=calls.run, args=({number: lambda _: release.wait(20)}, 20))
        for number in range(4)
    ]
    for thread in asking:
        thread.start()
    assert any(refused_at_once() for _ in range(10))
    release.set()
    for thread in asking:
        thread.join(10)


def test_wait_that_would_be_too_long_ends_the_call_at_once() -> None:
    def waits(deadline: Deadline) -> None:
        deadline.wait(60)

    started = time.monotonic()
    assert BoundedCalls(1).run({"waits": waits}, 5) == {}
    assert time.monotonic() - started < 2
    with pytest.raises(OutOfTime):
        Deadline(0).wait(0.1)


def test_call_that_fails_is_left_out_and_leaves_its_place(caplog: pytest.LogCaptureFixture) -> None:
    calls = BoundedCalls(1)
    assert calls.run({"fails": lambda _: 1 // 0}, 5) == {}
    assert "A call of the service's failed" in caplog.text
    assert calls.run({"well": lambda _: 1}, 5) == {"well": 1}
