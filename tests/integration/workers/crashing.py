"""Raises as soon as it runs."""

from disgram.report import Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    raise RuntimeError("a bug of ours")
