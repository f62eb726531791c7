"""Exits with code 78 and a reason."""

from disgram.report import EXIT_PERMANENT, Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    report(Level.ERROR, "no preview", reason="no_preview")
    return EXIT_PERMANENT
