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

from disgram.api.schemas import System
from disgram.logs.stderr import warn_stderr

_NOT_MEASURED = System()


@dataclass(frozen=True)
class HostStats:
    """The machine as last measured. `write_error`: why DATA_DIR cannot be written; None if it can."""

    system: System = _NOT_MEASURED
    write_error: str | None = None


class HostMonitor:
    """Measures the host every `interval` seconds, in a thread of its own; `latest` is always there."""

    def __init__(self, data_dir: Path, interval: float = 5.0) -> None:
        self._data_dir, self._interval = data_dir, interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="host monitor", daemon=True)
        self.latest = HostStats()

    def start(self) -> None:
        """Measure once before returning, then in the background."""
        self.measure()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def measure(self) -> None:
        """Read the figures; if that fails (no file descriptors left), the last ones stay."""
        with contextlib.suppress(OSError, psutil.Error):
            memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(self._data_dir))
            system = System(
                cpu_percent=psutil.cpu_percent(interval=None),
                memory_percent=memory.percent,
                memory_available_mb=round(memory.available / 2**20, 2),
                disk_percent=disk.percent,
                disk_free_gb=round(disk.free / 2**30, 2),
            )
            self.latest = HostStats(system, self._check_writable())

    def _check_writable(self) -> str | None:
        """A change goes to stderr: the log is on the disk in question."""
        error = _write_error(self._data_dir)
        if error != self.latest.write_error:
            state = f"cannot be written: {error}" if error else "can be written again"
            warn_stderr(f"the data directory {self._data_dir} {state}")
        return error

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.measure()


def _write_error(folder: Path) -> str | None:
    """Write a file: neither permissions nor free space are enough to know."""
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
