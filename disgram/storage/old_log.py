"""The log of a Disgram that had no database yet, read as a record of what was forwarded.

Owns the reading of its links; what becomes of the numbers is the ledger's.
"""

from __future__ import annotations

import re
from pathlib import Path

_POST_LINK = re.compile(r"https?://t\.me/(?:s/)?([A-Za-z][A-Za-z0-9_]{2,31})/([0-9]{1,10})(?![0-9])")
_NOT_FORWARDED = re.compile(r"[0-9-]{10} [0-9:]{8} \[(?:ERROR|STATUS)\] ")
"""Begins a line about a post that may not have arrived."""


def highest_posts(log: Path) -> dict[str, int]:
    """The highest post number linked in a log (or a list of links) per channel, in lower case.

    Every line counts but those of the levels ERROR and STATUS, which name posts that are still being sent.
    Reads line by line; empty if there is no such file.
    """
    highest: dict[str, int] = {}
    if not log.exists():
        return highest
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if _NOT_FORWARDED.match(line):
                continue
            for name, number in _POST_LINK.findall(line):
                channel = name.lower()
                highest[channel] = max(int(number), highest.get(channel, 0))
    return highest
