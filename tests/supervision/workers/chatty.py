"""Fills its pipe many times over, with reports, other output and a line of 200 kB; then goes on."""

import os
import sys

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    for number in range(2000):
        report(Level.INFO, f"{number} " + "x" * 300)
    os.write(1, b"y" * 200_000 + b"\n\n")
    os.write(2, b"[" * 60_000 + b"\n")
    print("printed: \N{SNOWMAN}")
    print("warned", file=sys.stderr)
    report(Level.INFO, "all written")
    while True:
        heartbeat.wait(60)
