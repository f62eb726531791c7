"""The machine: processor, memory, disk, and whether the data directory can be written.

Owns the reading of these figures, in a thread of its own, so that no request waits for them. Never judges.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

from disgram.logs.stderr import warn_stderr


@dataclass(frozen=True)
class HostStats:
    """The machine as it was last looked at; percentages, MB and GB as /health names them."""

    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    memory_available_mb: float = 0.0
    disk_percent: float = 0.0
    disk_free_gb: float = 0.0
    write_error: str | None = None
    """Why the data directory cannot be written; None if it can."""


class HostMonitor:
    """Looks at the host every `interval` seconds, in a thread of its own; `latest` is always at hand."""

    def __init__(self, data_dir: Path, interval: float = 5.0) -> None:
        self._data_dir, self._interval = data_dir, interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="host watch", daemon=True)
        self.latest = HostStats()

    def start(self) -> None:
        """Look once at once, then in the background."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Read the figures; what cannot be read just now (no descriptors left) stays as it was."""
        with contextlib.suppress(OSError, psutil.Error):
            memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(self._data_dir))
            self.latest = HostStats(
                cpu_percent=psutil.cpu_percent(interval=None),
                memory_percent=memory.percent,
                memory_available_mb=round(memory.available / 2**20, 2),
                disk_percent=disk.percent,
                disk_free_gb=round(disk.free / 2**30, 2),
                write_error=self._tried(),
            )

    def _tried(self) -> str | None:
        """Standard error hears of a change: the log is on the disk in question."""
        error = _write_error(self._data_dir)
        if error != self.latest.write_error:
            told = f"cannot be written: {error}" if error else "can be written again"
            warn_stderr(f"the data directory {self._data_dir} {told}")
        return error

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()


def _write_error(folder: Path) -> str | None:
    """Try it: neither permissions nor free space tell the whole truth."""
    probe = folder / ".disgram.probe"
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, b"\0" * 4096)
        finally:
            os.close(fd)
            probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return None
