"""Stuck where no signal but SIGKILL reaches."""

import signal
import time

from disgram.models import WorkerSpec
from disgram.pulse import Pulse
from disgram.report import Level, Reporter


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    say(Level.STATUS, "up")
    while True:
        time.sleep(60)
