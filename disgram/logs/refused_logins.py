"""Refused logins in the log: a line for each of the first, and one for all the others of a minute.

So whoever guesses, or calls without a token, cannot fill the disk. Owns the counting and the texts. Never
decides who is refused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from disgram.errors import AccessRefused, TooManyFailures

WINDOW = 60.0
"""Seconds that are summed up."""

MAX_LINES = 30
"""Lines within one window."""

_MAX_CLIENTS = 1000
_CLIENTS_NAMED = 3


class RefusedLogins:
    """Thread-safe. `write` gets the texts. Close it to write what is only counted so far."""

    def __init__(self, write: Callable[[str], None], window: float = WINDOW) -> None:
        self._write, self._window = write, window
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._lines = 0
        self._counted: Counter[str] = Counter()

    def add(self, client: str, refusal: AccessRefused) -> None:
        """One refusal. A client that has to wait is only counted: what made it wait is in the log."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(self._window, self.close)
                self._timer.daemon = True
                self._timer.start()
            if self._lines < MAX_LINES and not isinstance(refusal, TooManyFailures):
                self._lines += 1
                self._write(f"Login refused for {client}: {refusal.error}")
            else:
                known = client in self._counted or len(self._counted) < _MAX_CLIENTS
                self._counted[client if known else "others"] += 1

    def close(self) -> None:
        """End the window, and write its summary if there is anything to sum up."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._timer, self._lines = None, 0
            counted, self._counted = self._counted, Counter()
            if counted:
                self._write(_summary(counted, self._window))


def _summary(counted: Counter[str], window: float) -> str:
    named = [f"{client} ({count})" for client, count in counted.most_common(_CLIENTS_NAMED)]
    if len(counted) > _CLIENTS_NAMED:
        named.append(f"{len(counted) - _CLIENTS_NAMED} more addresses")
    return f"{counted.total()} more logins were refused within {window:.0f} s, for {', '.join(named)}"
