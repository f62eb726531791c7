"""Hangs and ignores every signal but SIGKILL."""

import signal
import time

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    report(Level.STATUS, "up")
    while True:
        time.sleep(60)
