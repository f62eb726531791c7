"""The fork server's process, from outside: started, watched, and started again when it dies.

Owns its command line, environment and backoff. Never reads or writes its socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from disgram.backoff import RESTART_BACKOFF_MAX, STABLE_AFTER, backoff
from disgram.workers.lifecycle import describe_exit
from disgram.workers.spec import WorkerSpec

_SECRETS = {
    "AUTH_PASSWORD", "DISCORD_WEBHOOK_URL", "ALERT_WEBHOOK_URL",
    "TG_API_ID", "TG_API_HASH", "TG_SESSION_STRING",
    "DATABASE_URL", "PGPASSWORD",  # the latter is what libpq takes where the address has none
}  # fmt: skip
"""Variables of the service that no child needs: what it needs travels over a socket or its standard input."""
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
"""Give the memory of a page or a file back at once; glibc would learn to keep it (mallopt(3))."""
OPTIONS = ("-u", "-X", "utf8", "-X", "no_debug_ranges")
"""-u and utf8: what a worker prints goes down its pipe at once, whatever the locale.
no_debug_ranges: code objects without columns are a third smaller (PEP 657)."""
ROOT = Path(__file__).resolve().parents[2]
"""The folder `disgram/` is in."""


def child_environment() -> dict[str, str]:
    """The service's own, without its secrets."""
    return {name: value for name, value in os.environ.items() if name not in _SECRETS} | _MALLOC


def script_module(spec: WorkerSpec) -> str:
    """The module at the project's root that runs this worker."""
    return spec.script.removesuffix(".py")


class ForkServerProcess:
    """One process at a time. `modules` are imported from the folder `disgram/` is in.

    `module_of` says which of them runs a worker. Times are monotonic seconds. For one thread alone.
    """

    def __init__(
        self, modules: Sequence[str], *, module_of: Callable[[WorkerSpec], str] = script_module
    ) -> None:
        self.module_of = module_of
        self._modules = list(modules)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._due_at = float("-inf")
        self._failures = 0
        self.error = ""
        """Why it died or could not be started; empty again once a new one has answered."""

    @property
    def alive(self) -> bool:
        """Started, and its end not yet seen."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process else None

    @property
    def due_at(self) -> float:
        """When to call `ensure_running` next."""
        return float("inf") if self.alive else self._due_at

    def ensure_running(self, now: float) -> socket.socket | None:
        """Start it unless it runs or waits in backoff; returns our end of its socket if it was started."""
        if self.alive or now < self._due_at:
            return None
        self._started_at = now
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = self._spawn(theirs.fileno())
            except OSError as error:
                ours.close()
                self._schedule_restart(f"cannot be started: {error.strerror}", now)
                return None
        return ours

    def _spawn(self, control: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *OPTIONS, "-m", "disgram.workers.forkserver", *self._modules],
            stdin=control,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=child_environment(),
            start_new_session=True,  # Ctrl+C reaches the service alone, and it decides
        )

    def kill(self) -> None:
        """SIGKILL; the end of its socket then shows that it is gone."""
        if self._process:
            self._process.kill()

    def on_exit(self, now: float, timeout: float = 1.0) -> None:
        """Its socket has ended: reap it (SIGKILL after `timeout` seconds) and plan its restart."""
        if not self._process:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self._process.kill()
        code, self._process = self._process.wait(), None
        self._schedule_restart(describe_exit(code), now)

    def _schedule_restart(self, error: str, now: float) -> None:
        """The first failure, and the first after a stable minute, costs no time."""
        stable = now - self._started_at >= STABLE_AFTER
        self._failures = 1 if stable else self._failures + 1
        wait = backoff(self._failures - 1, RESTART_BACKOFF_MAX) if self._failures > 1 else 0.0
        self._due_at = now + wait
        self.error = f"The fork server {error}"


def worker_modules(*, several_hosts: bool) -> list[str]:
    """What is loaded before the first fork. The client of the ledger's socket would cost each worker 2 MB of
    its own, and nothing is loaded that one host alone does not use."""
    return ["webhook", "threadhook", *(["disgram.storage.remote.client"] if several_hosts else [])]
