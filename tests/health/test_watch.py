"""What the service finds out by looking: refused posts, and since when there is a problem."""

from __future__ import annotations

import threading
from collections.abc import Mapping
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


def test_refused_posts_are_counted_in_the_background() -> None:
    ledger, looked = Ledger(), threading.Event()
    watch = HealthWatch(ledger, 0.01)
    watch.start(list, lambda: looked.set() if watch.findings.refused else None)
    assert watch.findings.refused == {}
    assert watch.findings.forwarded == {CHANNEL: NOON}
    ledger.failed = {CHANNEL: (2, NOON.timestamp()), ("news", "other"): (1, 0.0)}
    assert looked.wait(10)
    watch.stop()
    assert watch.findings.refused == {
        CHANNEL: RefusedPosts(2, NOON),
        ("news", "other"): RefusedPosts(1, None),
    }


def test_counts_stay_while_the_ledger_cannot_be_read() -> None:
    ledger, looked = Ledger(), threading.Event()
    ledger.failed = {CHANNEL: (2, 5.0)}
    watch = HealthWatch(ledger, 0.01)
    watch.start(list, looked.set)
    ledger.broken = True
    looked.clear()
    assert looked.wait(10)
    watch.stop()
    assert watch.findings.refused[CHANNEL].number == 2


def test_look_that_fails_is_logged_and_the_next_one_is_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, looked = HealthWatch(Ledger(), 0.01), threading.Event()
    fails = iter([True])

    def problems() -> list[Problem]:
        if next(fails, False):
            raise RuntimeError("unexpected")
        return []

    watch.start(problems, looked.set)
    assert looked.wait(10)
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
