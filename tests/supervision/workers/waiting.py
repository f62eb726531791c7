"""Waits, and sends heartbeats only."""

from disgram.report import Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    while True:
        heartbeat.wait(3600)
