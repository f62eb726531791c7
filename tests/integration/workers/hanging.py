"""Stuck where no signal but SIGKILL reaches."""

import signal
import time

from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    say(Level.STATUS, "up")
    while True:
        time.sleep(60)
