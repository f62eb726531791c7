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
    `layout_changed` (int: how many different kinds of markup in this channel's posts were not understood),
    `cooldown` (number: seconds until the next poll, where COOLDOWN is a range),
    `newest_post_id` (int: seen at Telegram), `waiting` (int: posts seen there and not dealt with yet),
    `forwarded` (True: Discord has just confirmed a post), `discord_asked` (True: by this process),
    `lag` (number: seconds from that post's publication to the confirmation),
    `counts` (what happened since the last report, for /metrics: see CountingReporter).
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


class Count(Protocol):
    """Counts what happened: the counter's name and the values of its labels, words without spaces."""

    def __call__(self, name: str, /, *labels: str, by: float = 1) -> None: ...


def no_count(name: str, /, *labels: str, by: float = 1) -> None:
    """For a part that nobody measures."""


class CountingReporter:
    """A reporter whose lines carry what was counted since the last one, so that counting costs no line.

    The fact `counts` is {"<name> <label> …": how much more}; a report may bring some itself.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._counts: dict[str, float] = {}

    def count(self, name: str, /, *labels: str, by: float = 1) -> None:
        key = " ".join((name, *labels))
        self._counts[key] = self._counts.get(key, 0) + by

    def __call__(self, level: Level | None, text: str, **facts: Any) -> None:
        for key, by in facts.pop("counts", {}).items():
            self.count(key, by=by)
        if self._counts:
            facts["counts"], self._counts = self._counts, {}
        self._report(level, text, **facts)

    def flush(self) -> None:
        """Call at the end: no other report may follow."""
        if self._counts:
            self(None, "")


class Notice:
    """A state that lasts for many polls, in two INFO lines: when it begins, and when it is over."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._lasts = False

    def begins(self, text: str) -> None:
        """The state is there; reported unless it was there before."""
        if not self._lasts:
            self._report(Level.INFO, text)
        self._lasts = True

    def ends(self, text: str) -> None:
        """The state is not there; reported if it was."""
        if self._lasts:
            self._report(Level.INFO, text)
        self._lasts = False


def service_reporter(write: Callable[[bytes], object]) -> Reporter:
    """A reporter that passes encoded lines to `write`."""

    def report(level: Level | None, text: str, **facts: Any) -> None:
        write(Report(level, text, facts).encode())

    return report
