"""What a report's facts change, and that odd ones change nothing."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.addresses import ChannelRef, Destination
from disgram.report import Level
from disgram.workers import lifecycle
from disgram.workers.forkserver_client import WorkerProcess
from disgram.workers.log_pipe import LogPipe
from disgram.workers.record import WorkerRecord, decoded
from disgram.workers.spec import WorkerSettings, WorkerSpec, WorkerState

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
    return WorkerRecord(lifecycle.began(lifecycle.wanted(SPEC, 0), SPEC, 0))


def test_facts_arrive_and_stay_until_the_next_word(record: WorkerRecord) -> None:
    record.take(
        {"polled": True, "last_post_id": 9, "gaps": [[1, 3]], "layout_changed": 4, "reason": "r"}, NOON
    )
    record.take({}, NOON)
    status = record.status
    assert (status.last_poll_at, status.last_poll_ok, status.last_post_id) == (NOON, True, 9)
    assert (status.gaps, status.layout_changed, status.reason) == (((1, 3),), 4, "r")
    assert status.script == "threadhook.py"
    record.take({"polled": False, "reason": None, "gaps": []}, NOON)
    assert (record.status.last_poll_ok, record.status.reason, record.status.gaps) == (False, None, ())


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
def test_facts_of_another_kind_change_nothing(record: WorkerRecord, facts: dict[str, Any]) -> None:
    before = record.status
    record.take(facts, NOON)
    assert record.status == before


def test_the_state_has_its_own_reason_and_an_idle_worker_no_other(record: WorkerRecord) -> None:
    record.take({"reason": "telegram_unavailable"}, NOON)
    record.worker = lifecycle.ended(record.worker, 1, record.reported, 5)
    assert (record.status.reason, record.status.next_start_at) == ("crashed", 6)


def test_a_running_worker_has_a_pid(record: WorkerRecord) -> None:
    process = WorkerProcess(SPEC, LogPipe())
    record.began(process, 1)
    record.worker = lifecycle.spoke(record.worker, 1)
    assert (record.status.state, record.status.pid) == (WorkerState.STARTING, None)
    process.pid = 77
    assert (record.status.state, record.status.pid) == (WorkerState.RUNNING, 77)
    os.close(process.log.writing)
    process.log.close()


def test_a_status_is_made_once(record: WorkerRecord) -> None:
    assert record.status is record.status


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report(line: bytes) -> None:
    decoded(line)


def test_json_nested_beyond_reason_is_somebody_elses_line() -> None:
    assert decoded(b"[" * 60_000).level is Level.ERROR
