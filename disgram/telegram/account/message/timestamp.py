"""A date in a message that each reader sees in his own time zone -> a link `tg://time?unix=…&format=…`.

That is how the Bot API writes it in Markdown, and discord/markdown/ writes such a link as Discord's `<t:…>`.
"""

from __future__ import annotations

from telethon.tl import types as tl

_FORMAT = (
    ("relative", "r"),
    ("day_of_week", "w"),
    ("short_date", "d"),
    ("long_date", "D"),
    ("short_time", "t"),
    ("long_time", "T"),
)
"""The letters of the Bot API's formats ("wDT"), in its order."""


def timestamp_link(date: tl.MessageEntityFormattedDate | tl.TextDate) -> str | None:
    """None for one without a format: its words are shown as they are."""
    letters = "".join(letter for name, letter in _FORMAT if getattr(date, name))
    if not letters or date.date is None:
        return None
    return f"tg://time?unix={int(date.date.timestamp())}&format={letters}"
