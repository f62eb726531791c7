"""When the account's process ends by itself."""

from __future__ import annotations

import asyncio
import json

from disgram.telegram.account.process_end import End


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def line(until: float) -> bytes:
    return json.dumps({"until": until}).encode() + b"\n"


async def made(clock: Clock) -> End:
    return End(clock)


def test_process_of_a_service_alone_ends_when_that_is_gone() -> None:
    end = asyncio.run(made(Clock()))
    assert not end.reached
    end.read(b"")
    assert end.reached


def test_process_ends_when_its_lease_was_not_renewed_in_time() -> None:
    clock = Clock()
    end = asyncio.run(made(clock))
    end.read(line(140.0))
    clock.now = 139.9
    assert not end.reached
    clock.now = 140.0
    assert end.reached


def test_last_of_several_lines_counts_however_they_are_cut() -> None:
    clock = Clock()
    end = asyncio.run(made(clock))
    sent = line(110.0) + line(120.0) + line(130.0)
    for at in range(0, len(sent), 7):
        end.read(sent[at : at + 7])
    clock.now = 129.0
    assert not end.reached
    clock.now = 131.0
    assert end.reached


def test_wait_is_no_longer_than_the_lease() -> None:
    async def waited() -> bool:
        end = End(Clock())
        end.read(line(100.0))
        await asyncio.wait_for(end.wait(3600.0), 10.0)
        return end.reached

    assert asyncio.run(waited())
