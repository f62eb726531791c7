"""Has nothing to forward until somebody changes something."""

from disgram.models import WorkerSpec
from disgram.pulse import Pulse
from disgram.report import EXIT_PERMANENT, Level, Reporter


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    say(Level.ERROR, "no preview", reason="no_preview")
    return EXIT_PERMANENT
