"""What a report changes in the status of its worker."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.addresses import ChannelRef, Destination
from disgram.report import Level
from disgram.workers import lifecycle
from disgram.workers.log_pipe import LogPipe
from disgram.workers.record import WorkerRecord, decoded
from disgram.workers.spec import WorkerSettings, WorkerSpec, WorkerState
from disgram.workers.worker_process import WorkerProcess

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
SPEC = WorkerSpec(
    "job",
    ChannelRef("durov"),
    Destination("https://discord.com", "1", "t", "5"),
    None,
    WorkerSettings(Path("/tmp")),
)


@pytest.fixture
def record() -> WorkerRecord:
    return WorkerRecord(lifecycle.on_start(lifecycle.new_worker(SPEC, 0), SPEC, 0))


def test_facts_stay_in_the_status_until_a_report_changes_them(record: WorkerRecord) -> None:
    record.update(
        {"polled": True, "last_post_id": 9, "gaps": [[1, 3]], "layout_changed": 4, "reason": "r"}, NOON
    )
    record.update({}, NOON)
    status = record.status
    assert (status.last_poll_at, status.last_poll_ok, status.last_post_id) == (NOON, True, 9)
    assert (status.gaps, status.layout_changed, status.reason) == (((1, 3),), 4, "r")
    assert status.script == "threadhook.py"
    record.update({"polled": False, "reason": None, "gaps": []}, NOON)
    assert (record.status.last_poll_ok, record.status.reason, record.status.gaps) == (False, None, ())


@pytest.mark.parametrize(
    ("shortest", "longest", "shown"),
    [(None, 300.0, 300.0), (60.0, 1200.0, 90.0), (120.0, 1200.0, 120.0), (5.0, 60.0, 60.0)],
)
def test_cooldown_of_a_range_that_was_changed_is_not_shown_any_more(
    record: WorkerRecord, shortest: float | None, longest: float, shown: float
) -> None:
    """Once a job that was given a fixed one showed for ever what the range had made of it last."""
    record.update({"cooldown": 90.0}, NOON)
    settings = replace(SPEC.settings, shortest_cooldown=shortest, cooldown=longest)
    record.worker = replace(record.worker, spec=replace(SPEC, settings=settings))
    assert record.status.cooldown == shown


def test_end_of_a_wait_belongs_to_the_reason_it_was_reported_with(record: WorkerRecord) -> None:
    record.update({"reason": "rate_limited", "lasts": 90.5}, NOON)
    record.update({"polled": True}, NOON)
    assert record.status.until == NOON + timedelta(seconds=90.5)
    record.update({"reason": "telegram_unavailable"}, NOON)
    status = record.status
    assert (status.reason, status.until) == ("telegram_unavailable", None)


@pytest.mark.parametrize("lasts", [0, -5, 1e30, float("nan"), float("inf"), "9", [], None])
def test_wait_of_no_sensible_length_has_no_end(record: WorkerRecord, lasts: Any) -> None:
    record.update({"reason": "rate_limited", "lasts": lasts}, NOON)
    assert (record.status.reason, record.status.until) == ("rate_limited", None)


@pytest.mark.parametrize("facts", [{"polled": True}, {"polled": False}, {"last_post_id": 7}])
def test_poll_and_message_are_work_and_a_heartbeat_is_none(
    record: WorkerRecord, facts: dict[str, Any]
) -> None:
    record.worker = lifecycle.on_line(record.worker, 500.0)
    record.update({}, NOON)
    assert record.status.idle_since == 0.0
    record.update(facts, NOON)
    assert record.status.idle_since == 500.0


def test_restart_after_a_crash_is_no_work(record: WorkerRecord) -> None:
    log = LogPipe()
    crashed = lifecycle.on_exit(lifecycle.on_line(record.worker, 5.0), 1, None, 6.0)
    record.worker = lifecycle.on_start(crashed, SPEC, 2000.0)
    record.on_start(WorkerProcess(SPEC, log), 2)
    assert record.status.idle_since == 0.0
    record.worker = lifecycle.on_start(lifecycle.reset_backoff(crashed, 2000.0), SPEC, 2000.0)
    record.on_start(WorkerProcess(SPEC, log), 3)
    assert record.status.idle_since == 2000.0
    log.close()


@pytest.mark.parametrize(
    "facts",
    [
        {"polled": "yes"},
        {"last_post_id": "9"},
        {"gaps": 5},
        {"gaps": [7, [1], [1, "a"]]},
        {"reason": 1},
        {"x": 1},
    ],
)
def test_facts_of_an_unexpected_type_are_ignored(record: WorkerRecord, facts: dict[str, Any]) -> None:
    before = record.status
    record.update(facts, NOON)
    assert record.status == before


def test_reason_of_the_exit_replaces_the_reported_one(record: WorkerRecord) -> None:
    record.update({"reason": "telegram_unavailable"}, NOON)
    record.worker = lifecycle.on_exit(record.worker, 1, record.reported, 5)
    assert (record.status.reason, record.status.next_start_at) == ("crashed", 6)


def test_worker_without_a_pid_is_shown_as_starting(record: WorkerRecord) -> None:
    process = WorkerProcess(SPEC, LogPipe())
    record.on_start(process, 1)
    record.worker = lifecycle.on_line(record.worker, 1)
    assert (record.status.state, record.status.pid) == (WorkerState.STARTING, None)
    process.pid = 77
    assert (record.status.state, record.status.pid) == (WorkerState.RUNNING, 77)
    os.close(process.log.writing)
    process.log.close()


def test_status_is_cached_until_something_changes(record: WorkerRecord) -> None:
    assert record.status is record.status


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_without_an_exception(line: bytes) -> None:
    decoded(line)


def test_json_nested_too_deeply_is_logged_as_an_error() -> None:
    assert decoded(b"[" * 60_000).level is Level.ERROR


def test_trouble_lasts_over_restarts_until_the_worker_reports_that_all_is_well(record: WorkerRecord) -> None:
    assert not record.status.settled
    record.worker = lifecycle.on_exit(record.worker, 1, None, 6.0)
    record.note_trouble(NOON)
    record.worker = lifecycle.on_start(record.worker, SPEC, 7.0)
    assert (record.status.reason, record.status.trouble, record.status.since) == (None, "crashed", NOON)
    record.worker = lifecycle.on_exit(record.worker, 1, None, 8.0)
    record.note_trouble(NOON + timedelta(hours=1))
    assert (record.status.reason, record.status.since, record.status.settled) == ("crashed", NOON, True)
    record.worker = lifecycle.on_start(record.worker, SPEC, 9.0)
    record.update({"reason": None}, NOON + timedelta(hours=2))
    assert (record.status.trouble, record.status.since) == (None, None)


def test_trouble_of_another_kind_begins_anew(record: WorkerRecord) -> None:
    record.update({"reason": "telegram_unavailable"}, NOON)
    record.update({"reason": "telegram_unavailable"}, NOON + timedelta(minutes=5))
    assert record.status.since == NOON
    record.update({"reason": "discord_unavailable"}, NOON + timedelta(minutes=9))
    assert record.status.since == NOON + timedelta(minutes=9)
