"""Sends one line and then neither lines nor heartbeats; obeys SIGTERM."""

import time

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    report(Level.STATUS, "up")
    while not heartbeat.stopping:
        time.sleep(0.02)
    return 0
