"""Has nothing to forward until somebody changes something."""

from disgram.report import EXIT_PERMANENT, Level, Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    say(Level.ERROR, "no preview", reason="no_preview")
    return EXIT_PERMANENT
