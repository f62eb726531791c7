"""The pace towards Telegram, and the rests it asks for, on a simulated clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.throttle import LONGEST_REST, TelegramThrottle
from tests.builders.discord_clock import Clock


class Host:
    """The throttles of several workers over one file."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = LimitStore(path, boot="test")
        self.rests: list[float | None] = []

    def throttle(self) -> TelegramThrottle:
        return TelegramThrottle(self.store, 2.0, self.wait, self.clock, self.rests.append)

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    def waited_for_a_turn(self) -> float:
        began = self.clock.now
        self.throttle().turn()
        return self.clock.now - began


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "limits.db")


def test_long_rest_is_reported_to_a_worker_that_did_not_cause_it(host: Host) -> None:
    host.throttle().rest(1800.0)
    host.clock.now += 300.0
    assert host.waited_for_a_turn() == pytest.approx(1500.0)
    assert host.rests == [pytest.approx(1500.0), None]


def test_short_rest_and_a_queue_for_turns_are_not_reported_as_a_rest(host: Host) -> None:
    host.throttle().rest(100.0)
    assert host.waited_for_a_turn() == pytest.approx(100.0)
    with host.store.transaction() as rows:
        rows.put_next_turn("telegram", host.clock.now + 500.0)
    assert host.waited_for_a_turn() == pytest.approx(500.0)
    assert host.rests == []


def test_rest_lasts_an_hour_at_most(host: Host) -> None:
    host.throttle().rest(10 * 86_400.0)
    assert host.waited_for_a_turn() == pytest.approx(LONGEST_REST)


@pytest.mark.parametrize("name", ["telegram", "telegram-rest"])
def test_stored_turn_or_rest_of_a_clock_that_began_anew_is_not_waited_for(host: Host, name: str) -> None:
    with host.store.transaction() as rows:
        rows.put_next_turn(name, host.clock.now + 28 * 3600.0)
    assert host.waited_for_a_turn() == 0.0
    assert host.waited_for_a_turn() == pytest.approx(0.5)
