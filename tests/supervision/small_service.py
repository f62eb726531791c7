"""A service in miniature, to be killed: `python -m tests.supervision.small_service DATA_DIR CHANNEL...`

Prints the pids of its fork server and its workers as a JSON line whenever they change; SIGTERM stops it.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from disgram.addresses import ChannelRef, Destination
from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.spec import WorkerSettings, WorkerSpec
from disgram.workers.supervisor import Supervisor

BEHAVIOURS = ("obedient", "crashing", "hanging", "silent", "permanent", "chatty", "waiting")


def spec_of(data_dir: Path, channel: str, job: str = "job", color: int | None = None) -> WorkerSpec:
    """A worker that behaves as its channel's name begins."""
    destination = Destination("https://discord.com", "1", "token-never-shown")
    return WorkerSpec(job, ChannelRef(channel), destination, color, WorkerSettings(data_dir))


def forkserver() -> ForkServerProcess:
    return ForkServerProcess(
        [f"tests.supervision.workers.{name}" for name in BEHAVIOURS],
        module_of=lambda spec: f"tests.supervision.workers.{spec.channel.name.split('_')[0]}",
    )


def main(data_dir: Path, channels: list[str]) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    specs = {spec.key: spec for spec in (spec_of(data_dir, channel) for channel in channels)}
    server = forkserver()
    supervisor = Supervisor(lambda: specs, lambda spec, report: None, server)
    supervisor.start()
    shown = ""
    while not stop.wait(0.01):
        pids = [worker.pid for worker in supervisor.snapshot().workers if worker.pid]
        line = json.dumps({"forkserver": server.pid, "workers": pids})
        if line != shown:
            print(line, flush=True)
            shown = line
    supervisor.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
