"""The log of a Disgram that had no database yet, read as a record of what was forwarded.

Owns the reading of its links; what becomes of the numbers is the ledger's.
"""

from __future__ import annotations

import re
from pathlib import Path

_POST_LINK = re.compile(r"https?://t\.me/(?:s/)?([A-Za-z][A-Za-z0-9_]{2,31})/([0-9]{1,10})(?![0-9])")


def highest_posts(log: Path) -> dict[str, int]:
    """The highest post number linked in a log (or a list of links) per channel, in lower case.

    Whatever a line says, its link counts. Reads line by line; empty if there is no such file.
    """
    highest: dict[str, int] = {}
    if not log.exists():
        return highest
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            for name, number in _POST_LINK.findall(line):
                channel = name.lower()
                highest[channel] = max(int(number), highest.get(channel, 0))
    return highest
