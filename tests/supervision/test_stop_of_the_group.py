"""pm2's tree kill, Ctrl+C: the workers are told to stop before, or together with, the service."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from standins.stage import eventually, staged
from standins.telegram.text_markup import post, words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_of_all_processes_leaves_no_error_and_no_line_of_a_restart(number: int, tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        for name in ("one_channel", "two_channel"):
            stage.telegram.add_channel(name).add(post(words("first")))
        stage.start()
        stage.add_job("news", "one_channel,two_channel")
        eventually(lambda: len(stage.arrived()) == 2)
        for process in stage.processes():
            if process.pid != stage.pid:
                process.send_signal(number)
        time.sleep(0.2)
        os.kill(stage.pid, number)
        eventually(lambda: not stage.running())
        log = (stage.data / "Disgram.log").read_text("utf-8")
        printed = stage.output.read_text("utf-8")
    assert log.splitlines()[-1].endswith("[SYSTEM] Disgram stopped")
    assert "[ERROR]" not in log and "Worker was told" not in log
    assert "[SYSTEM] Disgram stopped" in printed and "[NEW_MESSAGE]" not in printed
