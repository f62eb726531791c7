"""Fills its pipe many times over, with lines of ours, others' words and an endless one; then works on."""

import os
import sys

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    for number in range(2000):
        say(Level.INFO, f"{number} " + "x" * 300)
    os.write(1, b"y" * 200_000 + b"\n\n")
    os.write(2, b"[" * 60_000 + b"\n")
    print("printed: \N{SNOWMAN}")
    print("warned", file=sys.stderr)
    say(Level.INFO, "the last")
    while True:
        pulse.wait(60)
