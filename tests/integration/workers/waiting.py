"""Has nothing to do and nothing to say."""

from disgram.report import Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    while True:
        pulse.wait(3600)
