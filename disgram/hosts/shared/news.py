"""What is worth a line of the log: hosts that come and go, and this one losing and finding the database.

Owns the words. For one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from disgram.hosts.view import HostSeen
from disgram.report import Level


class HostNews:
    """`write` is the log's."""

    def __init__(self, write: Callable[[Level, str], object]) -> None:
        self._write = write
        self._alive: frozenset[str] | None = None
        self._problem: str | None = None

    def look(self, hosts: Iterable[HostSeen], problem: str | None) -> None:
        """Write what has changed since the last look. While there is a problem, nobody is seen to go."""
        if problem != self._problem:
            self._tell_problem(problem)
        alive = frozenset(host.name for host in hosts if host.valid and not host.is_this)
        if problem or alive == self._alive:
            return
        for name in sorted(alive - (self._alive or frozenset())):
            self._write(Level.SYSTEM, f"Host {name} is there")
        for name in sorted((self._alive or frozenset()) - alive):
            self._write(Level.SYSTEM, f"Host {name} is gone; what it had is divided among the others")
        self._alive = alive

    def _tell_problem(self, problem: str | None) -> None:
        if problem and not self._problem:
            self._write(Level.ERROR, problem)
        elif not problem:
            self._write(Level.STATUS, "The database answers again; this host goes on")
        self._problem = problem
