"""Turns, but neither speaks nor beats after its first line; obeys SIGTERM."""

import time

from disgram.models import WorkerSpec
from disgram.pulse import Pulse
from disgram.report import Level, Reporter


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    say(Level.STATUS, "up")
    while not pulse.stopping:
        time.sleep(0.02)
    return 0
