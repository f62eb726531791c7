"""Messages to systemd for a unit of Type=notify: READY, STATUS, WATCHDOG and STOPPING (sd_notify(3)).

Owns the datagrams and how often they go out. Without NOTIFY_SOCKET it does nothing. Never decides whether
the service is well: it is called by the thread whose life the watchdog is about, or it is not.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping

STATUS_EVERY = 30.0
"""Seconds between two STATUS lines if the unit sets no WatchdogSec."""
_SEND_SECONDS = 5.0


class Notifier:
    """`address` is NOTIFY_SOCKET ("" for none), `watchdog` is WatchdogSec in seconds (0 for none)."""

    def __init__(
        self, address: str = "", watchdog: float = 0.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self.interval = (watchdog / 4 or STATUS_EVERY) if address else float("inf")
        """`turn` must be called at least this often, in seconds; the watchdog then hears of it in time."""
        self._clock = clock
        self._due = clock()
        self._status: Callable[[], str] | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Notifier:
        """As systemd started this process; a watchdog meant for another process (WATCHDOG_PID) is none."""
        microseconds = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog = int(microseconds) / 1_000_000 if ours and microseconds.isdecimal() else 0.0
        return cls(environ.get("NOTIFY_SOCKET", ""), watchdog)

    def ready(self, status: Callable[[], str]) -> None:
        """The service can be reached. `status` returns one line; each later `turn` asks it again."""
        if self._address:
            self._send("READY=1", f"STATUS={status()}")
            self._status = status

    def turn(self) -> None:
        """The monitor works. Sends nothing before `ready`, and not at every call."""
        if self._status and self._clock() >= self._due:
            # Calls within half an interval are passed over: three eighths of `watchdog` without a message.
            self._due = self._clock() + self.interval / 2
            self._send("WATCHDOG=1", f"STATUS={self._status()}")

    def stopping(self) -> None:
        """The service has begun to stop."""
        if self._address:
            self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        # "@" stands for the zero byte of an abstract socket. A message that cannot be sent is only missed.
        address = self._address.replace("@", "\0", 1) if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto("\n".join(lines).encode(), address)
