"""How long a channel rests between two polls: a number of seconds, or a range within which it follows how
often the channel posts (telegram/poll_interval.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

LEAST, MOST = 0.01, 7 * 86400.0
"""Seconds that make sense."""

_SECONDS = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_FORM = re.compile(rf"{_SECONDS}(?:\s*-\s*{_SECONDS})?")


@dataclass(frozen=True, slots=True)
class Cooldown:
    """In seconds; both are the same where there is no range."""

    shortest: float
    longest: float

    @classmethod
    def parse(cls, value: str | float) -> Cooldown:
        """`300`, `0.5` or `60-300`. Raises ValueError."""
        found = _FORM.fullmatch(str(value).strip())
        if not found:
            raise ValueError("not a number of seconds, or a range")
        cooldown = cls(float(found[1]), float(found[2] or found[1]))
        if not LEAST <= cooldown.shortest <= cooldown.longest <= MOST:
            raise ValueError("out of bounds")
        return cooldown

    def __str__(self) -> str:
        """As it may be parsed again."""
        ends = [f"{seconds:.15g}" for seconds in (self.shortest, self.longest)]
        return ends[0] if ends[0] == ends[1] else "-".join(ends)
