"""Sends one line and then neither lines nor heartbeats; ends at SIGTERM."""

import signal

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    heartbeat.check()  # raises Stopping if SIGTERM came before
    report(Level.STATUS, "up")
    while True:
        signal.pause()
