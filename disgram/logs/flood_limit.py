"""A bound on log records of any origin: of many in a short time, some are written and the rest counted.

Owns the counting. Pure: never writes, and time is an argument.
"""

from __future__ import annotations

from disgram.logs.log_file import cut, short
from disgram.report import Level

WINDOW = 60.0
"""Seconds for which repetitions are only counted."""

MAX_TEXTS = 30
"""Different texts written within one window."""


class FloodLimit:
    """Each text is written once in a window; `summaries` says how often it came again."""

    def __init__(self, window: float = WINDOW, max_texts: int = MAX_TEXTS) -> None:
        self._window, self._max_texts = window, max_texts
        self._repeats: dict[tuple[Level, str], int] = {}
        self._left_out = 0
        self.ends_at: float | None = None
        """When the window ends; None while nothing was written lately."""

    def admit(self, level: Level, text: str, now: float) -> bool:
        """Whether to write this record. `now` is in monotonic seconds."""
        if self.ends_at is None:
            self.ends_at = now + self._window
        if (level, text) in self._repeats:
            self._repeats[level, text] += 1
            return False
        if len(self._repeats) >= self._max_texts:
            self._left_out += 1
            return False
        self._repeats[level, text] = 0
        return True

    def summaries(self) -> list[tuple[Level, str]]:
        """What was not written; ends the window."""
        found = [
            (level, f"Repeated {count} times within {self._window:.0f} s: {cut(short(text))}")
            for (level, text), count in self._repeats.items()
            if count
        ]
        if self._left_out:
            text = f"{self._left_out} more log records within {self._window:.0f} s were not written"
            found.append((Level.ERROR, text))
        self._repeats.clear()
        self._left_out, self.ends_at = 0, None
        return found
