"""The host is measured in the background, and a data directory that cannot be written is noticed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from disgram.health.host_stats import HostMonitor


def test_host_is_measured_in_the_background(tmp_path: Path) -> None:
    monitor = HostMonitor(tmp_path, interval=0.01)
    monitor.start()
    first = monitor.latest
    assert first.system.memory_available_mb > 0
    assert first.write_error is None
    deadline = time.monotonic() + 10
    while monitor.latest is first and time.monotonic() < deadline:
        time.sleep(0.01)
    monitor.stop()
    assert monitor.latest is not first
    assert list(tmp_path.iterdir()) == []


def test_unwritable_data_directory_is_reported_once_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".disgram.probe").mkdir()
    monitor = HostMonitor(tmp_path)
    monitor.measure()
    monitor.measure()
    assert monitor.latest.write_error == "Is a directory"
    (tmp_path / ".disgram.probe").rmdir()
    monitor.measure()
    monitor.stop()
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"disgram: the data directory {tmp_path} cannot be written: Is a directory"
    assert second.endswith("can be written again")
