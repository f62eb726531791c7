"""What was told, over restarts."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from disgram.alerts.decision import Memory
from disgram.alerts.memory import FILE, AlertMemory
from disgram.errors import StartRefused
from disgram.health.problems import Key

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
ROW = {"job": "news", "channel": None, "reason": "gap", "since": NOON.isoformat()}


def test_what_was_told_is_there_after_a_restart(tmp_path: Path) -> None:
    memory = Memory({Key("ñews", "durov", "gap"): NOON, Key(None, None, "stale"): NOON}, NOON)
    AlertMemory(tmp_path).save(memory)
    assert AlertMemory(tmp_path).load() == memory
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_no_file_is_an_empty_memory(tmp_path: Path) -> None:
    assert AlertMemory(tmp_path).load() == Memory()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"told": 5, "sent_at": null}',
        json.dumps({"told": [ROW | {"job": 1}], "sent_at": None}),
        json.dumps({"told": [ROW | {"reason": ""}], "sent_at": None}),
        json.dumps({"told": [ROW | {"since": "2026-01-01T00:00:00"}], "sent_at": None}),
        json.dumps({"told": [], "sent_at": "yesterday"}),
    ],
)
def test_damaged_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(StartRefused, match=FILE):
        AlertMemory(tmp_path).load()
