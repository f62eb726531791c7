"""Behaves well: reports, sends heartbeats, and writes 200 last lines when asked to stop."""

import os

from disgram.errors import Stopping
from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    report(Level.STATUS, "up", polled=True, last_post_id=7, gaps=[[3, 5]], layout_changed=2, reason=None)
    report(Level.INFO, f"environment {sorted(os.environ)}")
    try:
        while True:
            heartbeat.wait(0.2)
            report(Level.INFO, "working")
    except Stopping:
        for number in range(200):
            report(Level.INFO, f"last line {number}")
        raise
