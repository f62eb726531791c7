"""Has nothing to do and nothing to say."""

from disgram.models import WorkerSpec
from disgram.pulse import Pulse
from disgram.report import Reporter


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    while True:
        pulse.wait(3600)
