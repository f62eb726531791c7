"""A time that Telegram shows each reader in his own zone, `tg://time?unix=…&format=…` -> Discord's `<t:…>`.

Telegram: core.telegram.org/bots/api#date-time-entity-formatting. Discord: docs, Reference, Timestamp Styles.
"""

from __future__ import annotations

import re

_LINK = re.compile(r"tg://time\?unix=(-?[0-9]{1,11})&format=(r|w?[dD]?[tT]?)")


def timestamp(href: str) -> str | None:
    """None for any other link."""
    link = _LINK.fullmatch(href)
    return f"<t:{link[1]}:{_style(link[2])}>" if link and link[2] else None


def _style(letters: str) -> str:
    """Discord's style that shows the same; it has a week's day only with date and time, and no combination of
    the short date with a time."""
    if letters == "r":
        return "R"
    date, time = letters.rstrip("tT"), letters.lstrip("wdD")
    if date and time:
        return "F" if "w" in date else "f"
    return time or ("d" if date == "d" else "D")
