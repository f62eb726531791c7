"""The wire from a worker to its service: one JSON object per line, through the worker's log pipe.

Owns the form of that line, both ends. Never stamps, masks or writes a log: the service does.
A line without `text` is a beat: it proves that the work loop turns and is not logged.
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


EXIT_OK = 0
EXIT_CRASH = 1
EXIT_PERMANENT = 78
"""sysexits.h EX_CONFIG: no restart helps; the last `reason` reported says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """One line. `facts` are what /health shows of the worker; absent keys leave the last word standing.

    Facts used: `reason` (str or None: all is well), `polled` (bool: a poll ended; True means t.me
    answered with a page we understood), `last_post_id` (int), `gaps` (list of [from, to]),
    `layout_changed` (int: how many different pieces of this channel's posts were not understood).
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
        """Anything that is not ours (a traceback, a library's print) becomes an ERROR line of its own."""
        try:
            body = json.loads(line)
            level, text = body.pop("level", None), str(body.pop("text", ""))
            return cls(Level(level) if level else None, text, body)
        except (ValueError, AttributeError, TypeError):
            return cls(Level.ERROR, line.decode("utf-8", "replace").rstrip("\n"))


class Reporter(Protocol):
    """What the work loop speaks through; `service_reporter` and a terminal printer are the two kinds.

    Without a level only the facts are told, and nothing is logged.
    """

    def __call__(self, level: Level | None, text: str, **facts: Any) -> None: ...


def service_reporter(write: Callable[[bytes], object]) -> Reporter:
    """A reporter whose lines go down the log pipe."""

    def report(level: Level | None, text: str, **facts: Any) -> None:
        write(Report(level, text, facts).encode())

    return report
