"""Specs of workers that never run."""

from __future__ import annotations

from pathlib import Path

from disgram.addresses import ChannelRef, Destination
from disgram.workers.spec import WorkerSettings, WorkerSpec


def spec_of(channel: str, color: int | None = None, job: str = "job") -> WorkerSpec:
    """A worker of `job` that forwards `channel`."""
    destination = Destination("https://discord.com", "1", "t")
    return WorkerSpec(job, ChannelRef(channel), destination, color, WorkerSettings(Path("/tmp")))
