"""What the service finds out by looking: refused posts, and since when there is a problem."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import pytest

from disgram.errors import StorageUnavailable
from disgram.health.problems import Problem, RefusedPosts, problem
from disgram.health.watch import HealthWatch

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
CHANNEL = ("news", "durov")


class Ledger:
    """The counts of a ledger that can break."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str], tuple[int, float]] = {}
        self.broken = False

    def failed_counts(self) -> Mapping[tuple[str, str], tuple[int, float]]:
        if self.broken:
            raise StorageUnavailable("disgram.db: disk I/O error")
        return dict(self.failed)

    def last_confirmed(self) -> Mapping[tuple[str, str], float]:
        return {CHANNEL: NOON.timestamp(), ("news", "never"): 0.0}


def looks(looked: threading.Semaphore) -> Callable[[], list[Problem]]:
    """For `start`: no problem, and one look more that was made."""

    def problems() -> list[Problem]:
        looked.release()
        return []

    return problems


def test_refused_posts_are_counted_in_the_background() -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    watch = HealthWatch(ledger, 0.01)
    watch.start(looks(looked))
    assert watch.findings.refused == {}
    assert watch.findings.forwarded == {CHANNEL: NOON}
    ledger.failed = {CHANNEL: (2, NOON.timestamp()), ("news", "other"): (1, 0.0)}
    assert all(looked.acquire(timeout=10) for _ in range(2))
    watch.stop()
    other = RefusedPosts(1, None)
    assert watch.findings.refused == {CHANNEL: RefusedPosts(2, NOON), ("news", "other"): other}


def test_counts_stay_while_the_ledger_cannot_be_read() -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    ledger.failed = {CHANNEL: (2, 5.0)}
    watch = HealthWatch(ledger, 0.01)
    watch.start(looks(looked))
    ledger.broken = True
    assert all(looked.acquire(timeout=10) for _ in range(2))
    watch.stop()
    assert watch.findings.refused[CHANNEL].number == 2


def test_look_that_fails_is_logged_and_the_next_one_is_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, looked = HealthWatch(Ledger(), 0.01), threading.Semaphore(0)
    fails, well = iter([True]), looks(looked)

    def problems() -> list[Problem]:
        if next(fails, False):
            raise RuntimeError("unexpected")
        return well()

    watch.start(problems)
    assert looked.acquire(timeout=10)
    watch.stop()
    assert "look at the service's health failed" in caplog.text


def test_problem_keeps_the_time_of_the_first_look_at_it_until_it_is_over() -> None:
    watch, found = HealthWatch(Ledger()), problem("jobs_file")
    watch.look([found], NOON)
    watch.look([found], NOON + timedelta(hours=1))
    assert watch.findings.begun == {found.key: NOON}
    watch.look([], NOON + timedelta(hours=2))
    watch.look([found], NOON + timedelta(hours=3))
    assert watch.findings.begun == {found.key: NOON + timedelta(hours=3)}
