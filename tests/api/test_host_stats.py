"""The host is looked at beside the requests, and honestly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from disgram.api.host_stats import HostMonitor


def test_the_host_is_looked_at_in_the_background(tmp_path: Path) -> None:
    watch = HostMonitor(tmp_path, interval=0.01)
    watch.start()
    first = watch.latest
    assert first.memory_available_mb > 0
    assert first.write_error is None
    deadline = time.monotonic() + 10
    while watch.latest is first and time.monotonic() < deadline:
        time.sleep(0.01)
    watch.stop()
    assert watch.latest is not first
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_noticed_and_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".disgram.probe").mkdir()
    watch = HostMonitor(tmp_path)
    watch.look()
    watch.look()
    assert watch.latest.write_error == "Is a directory"
    (tmp_path / ".disgram.probe").rmdir()
    watch.look()
    watch.stop()
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"disgram: the data directory {tmp_path} cannot be written: Is a directory"
    assert second.endswith("can be written again")
