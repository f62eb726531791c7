"""Raises as soon as it runs."""

from disgram.models import WorkerSpec
from disgram.pulse import Pulse
from disgram.report import Reporter


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    raise RuntimeError("a bug of ours")
