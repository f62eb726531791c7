"""What a worker reports to its service: one JSON object per line, through the worker's log pipe.

Owns the form of that line, for both ends. The time, masking and the log file are the service's part.
A line without `level` is a heartbeat or carries facts only, and is not logged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Level(str, Enum):
    """The levels of a log line (README, "When something is wrong")."""

    INFO = "INFO"
    ERROR = "ERROR"
    NEW_MESSAGE = "NEW_MESSAGE"
    STATUS = "STATUS"
    SYSTEM = "SYSTEM"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 channel`, `3 channels`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


EXIT_OK = 0
EXIT_CRASH = 1
EXIT_PERMANENT = 78
"""EX_CONFIG of sysexits.h: a restart would not help; the last reported `reason` says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """One line. `facts` are what /health shows of the worker; an absent key leaves its value unchanged.

    Facts used: `reason` (str or None: all is well), `lasts` (number: with a `reason`, the seconds from now
    after which the wait that it names ends), `polled` (bool: a poll ended; True means t.me
    answered with a page we understood), `last_post_id` (int), `gaps` (list of [from, to]),
    `layout_changed` (int: how many different kinds of markup in this channel's posts were not understood).
    """

    level: Level | None = None
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        body: dict[str, Any] = dict(self.facts)
        if self.level:
            body |= {"level": self.level.value, "text": self.text}
        return json.dumps(body, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Report:
        """A line that is no report (of a traceback, a print) becomes an ERROR report with this text."""
        try:
            body = json.loads(line)
            level, text = body.pop("level", None), str(body.pop("text", ""))
            return cls(Level(level) if level else None, text, body)
        except (ValueError, AttributeError, TypeError):
            return cls(Level.ERROR, line.decode("utf-8", "replace").rstrip("\n"))


class Reporter(Protocol):
    """How a worker reports: to its service (`service_reporter`) or on a terminal (worker_cli.py).

    Without a level only the facts are passed on, and nothing is logged.
    """

    def __call__(self, level: Level | None, text: str, **facts: Any) -> None: ...


def service_reporter(write: Callable[[bytes], object]) -> Reporter:
    """A reporter that passes encoded lines to `write`."""

    def report(level: Level | None, text: str, **facts: Any) -> None:
        write(Report(level, text, facts).encode())

    return report
