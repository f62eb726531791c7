"""Turns, but neither speaks nor beats after its first line; obeys SIGTERM."""

import time

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    say(Level.STATUS, "up")
    while not pulse.stopping:
        time.sleep(0.02)
    return 0
