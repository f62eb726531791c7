"""Raises as soon as it runs."""

from disgram.report import Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    raise RuntimeError("a bug of ours")
