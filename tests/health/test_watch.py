"""What the service finds out by looking: refused posts, and since when there is a problem."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.health.memory import FILE, HealthMemory
from disgram.health.problems import Channels, Problem, RefusedPosts, problem, problem_list
from disgram.health.watch import HealthWatch, View

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
CHANNEL = ("news", "durov")


class Ledger:
    """The counts of a ledger that can break."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str], tuple[int, float]] = {}
        self.broken = False
        self.confirmed = {CHANNEL: NOON.timestamp(), ("news", "never"): 0.0}

    def failed_counts(self) -> Mapping[tuple[str, str], tuple[int, float]]:
        if self.broken:
            raise StorageUnavailable("disgram.db: disk I/O error")
        return dict(self.failed)

    def last_confirmed(self) -> Mapping[tuple[str, str], float]:
        return dict(self.confirmed)


def looks(looked: threading.Semaphore) -> Callable[[], View]:
    """For `start`: no problem, and one look more that was made."""

    def view() -> View:
        looked.release()
        return View([], (), {})

    return view


def watch_of(folder: Path, ledger: Ledger | None = None) -> HealthWatch:
    return HealthWatch(ledger or Ledger(), HealthMemory(folder), 0.01)


def test_refused_posts_are_counted_in_the_background(tmp_path: Path) -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    watch = watch_of(tmp_path, ledger)
    watch.start(looks(looked))
    assert watch.findings.refused == {}
    assert watch.findings.forwarded == {CHANNEL: NOON}
    ledger.failed = {CHANNEL: (2, NOON.timestamp()), ("news", "other"): (1, 0.0)}
    assert all(looked.acquire(timeout=10) for _ in range(2))
    watch.stop()
    other = RefusedPosts(1, None)
    assert watch.findings.refused == {CHANNEL: RefusedPosts(2, NOON), ("news", "other"): other}


def test_count_is_made_at_once_when_posts_were_dealt_with(tmp_path: Path) -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    ledger.failed = {CHANNEL: (2, 5.0)}
    watch = HealthWatch(ledger, HealthMemory(tmp_path), 5.0)
    watch.start(looks(looked))
    ledger.failed = {}
    watch.look_soon()
    assert looked.acquire(timeout=4)
    watch.stop()
    assert watch.findings.refused == {}


def test_confirmations_are_read_again_when_a_channel_has_lost_its_worker(tmp_path: Path) -> None:
    """Else a job that was paused had never forwarded anything, as the dashboard told it."""
    ledger, later = Ledger(), NOON + timedelta(hours=1)
    watch = watch_of(tmp_path, ledger)
    watch.start(lambda: None)
    watch.stop()
    watch.look(View([], (), {}, frozenset({CHANNEL})), NOON)
    ledger.confirmed = {CHANNEL: later.timestamp()}
    watch.look(View([], (), {}, frozenset({CHANNEL})), later)
    assert watch.findings.forwarded == {CHANNEL: NOON}
    watch.look(View([], (), {}), later)
    assert watch.findings.forwarded == {CHANNEL: later}


def test_confirmations_of_a_deleted_job_are_forgotten_soon(tmp_path: Path) -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    watch = HealthWatch(ledger, HealthMemory(tmp_path), 5.0)
    watch.start(looks(looked))
    ledger.confirmed = {}
    watch.look_soon()
    assert looked.acquire(timeout=4)
    watch.stop()
    assert watch.findings.forwarded == {}


def test_counts_stay_while_the_ledger_cannot_be_read(tmp_path: Path) -> None:
    ledger, looked = Ledger(), threading.Semaphore(0)
    ledger.failed = {CHANNEL: (2, 5.0)}
    watch = watch_of(tmp_path, ledger)
    watch.start(looks(looked))
    ledger.broken = True
    assert all(looked.acquire(timeout=10) for _ in range(2))
    watch.stop()
    assert watch.findings.refused[CHANNEL].number == 2


def test_look_that_fails_is_logged_and_the_next_one_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch, looked = watch_of(tmp_path), threading.Semaphore(0)
    fails, well = iter([True]), looks(looked)

    def view() -> View:
        if next(fails, False):
            raise RuntimeError("unexpected")
        return well()

    watch.start(view)
    assert looked.acquire(timeout=10)
    watch.stop()
    assert "look at the service's health failed" in caplog.text


def view_of(*problems: Problem, unheard: Channels = (), waits: datetime | None = None) -> View:
    return View(problems, unheard, {CHANNEL: waits} if waits else {})


def after_restart(folder: Path) -> HealthWatch:
    """One that has not looked yet."""
    watch = watch_of(folder)
    watch.start(lambda: None)
    watch.stop()
    return watch


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def test_problem_keeps_the_time_of_the_first_look_at_it_until_it_is_over(tmp_path: Path) -> None:
    watch, found = watch_of(tmp_path), problem("jobs_file")
    watch.look(view_of(found), NOON)
    watch.look(view_of(found), hours(1))
    assert watch.findings.begun == {found.key: NOON}
    watch.look(view_of(), hours(2))
    watch.look(view_of(found), hours(3))
    assert watch.findings.begun == {found.key: hours(3)}


def test_problem_keeps_its_beginning_over_a_restart_while_its_worker_was_not_heard(tmp_path: Path) -> None:
    found = Problem("news", "Durov", "webhook_gone", "It is gone.", NOON)
    watch_of(tmp_path).look(view_of(found), NOON)
    watch = after_restart(tmp_path)
    watch.look(view_of(unheard=[CHANNEL]), hours(1))
    again = replace(found, since=hours(1))
    watch.look(view_of(again), hours(1))
    (shown,) = problem_list([], replace(watch.findings, others=(again,)))
    assert shown.since == NOON
    watch.look(view_of(), hours(2))
    assert after_restart(tmp_path).findings.begun == {}


def test_long_wait_keeps_its_beginning_over_a_restart_until_nothing_waits(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watch.look(view_of(waits=NOON), NOON + timedelta(seconds=59))
    assert watch.findings.waiting == {}
    watch.look(view_of(waits=NOON), NOON + timedelta(seconds=60))
    watch = after_restart(tmp_path)
    watch.look(view_of(unheard=[CHANNEL]), hours(1))
    watch.look(view_of(waits=hours(1)), hours(1))
    assert watch.findings.waiting == {CHANNEL: NOON}
    watch.look(view_of(), hours(2))
    assert after_restart(tmp_path).findings.waiting == {}


def test_file_is_written_only_when_something_changed(tmp_path: Path) -> None:
    watch, found = watch_of(tmp_path), problem("jobs_file")
    watch.look(view_of(), NOON)
    assert not (tmp_path / FILE).exists()
    watch.look(view_of(found), NOON)
    (tmp_path / FILE).unlink()
    watch.look(view_of(found), hours(1))
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"problems": 5}', '{"problems": [{}], "waiting": []}'])
def test_damaged_file_is_as_good_as_none_and_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    watch, found = after_restart(tmp_path), problem("jobs_file")
    assert watch.findings.begun == {}
    watch.look(view_of(found), NOON)
    assert after_restart(tmp_path).findings.begun == {found.key: NOON}


def test_folder_that_cannot_be_written_stops_no_look(tmp_path: Path) -> None:
    found = problem("storage_unavailable")
    watch = watch_of(tmp_path / "missing")
    watch.look(view_of(found), NOON)
    assert watch.findings.begun == {found.key: NOON}


def test_time_of_the_future_is_not_believed(tmp_path: Path) -> None:
    found = problem("jobs_file")
    watch_of(tmp_path).look(view_of(found), hours(50))
    watch = after_restart(tmp_path)
    watch.look(view_of(found), NOON)
    assert watch.findings.begun == {found.key: NOON}
