"""The title of the thread that each post opens in a forum or media channel, and its tags.

https://discord.com/developers/docs/resources/webhook#execute-webhook (thread_name, applied_tags)
"""

from __future__ import annotations

import re
from datetime import datetime

from disgram.errors import BadInput
from disgram.post import TelegramPost
from disgram.rules.rules import searched_text

MOST_CHARACTERS = 100
"""Of a thread's name, as Discord counts them: in UTF-16 units."""

MOST_TAGS = 5
_PLACES = ("title", "date", "first_line")
_PLACE = re.compile(r"\{([^{}]*)\}")
_TAG = re.compile(r"[0-9]{1,20}")


def checked_template(text: str) -> str:
    """A template with `{title}`, `{date}` and `{first_line}`. Raises BadInput."""
    for place in _PLACE.findall(text):
        if place not in _PLACES:
            raise BadInput(
                "Invalid THREAD_NAME",
                f"{{{place[:40]}}} stands for nothing; there are {{title}}, {{date}} and {{first_line}}.",
            )
    if len(text) > MOST_CHARACTERS or not text.isprintable():
        raise BadInput(
            "Invalid THREAD_NAME", f"A thread's name is one line of at most {MOST_CHARACTERS} characters."
        )
    return text


def parse_tags(text: str) -> tuple[str, ...]:
    """Tag ids, a comma between two. Raises BadInput."""
    tags = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not 1 <= len(tags) <= MOST_TAGS or not all(
        _TAG.fullmatch(tag) and 0 < int(tag) < 2**63 for tag in tags
    ):
        raise BadInput(
            "Invalid TAGS",
            f"Name 1 to {MOST_TAGS} tag ids, a comma between two (Discord shows them in developer mode).",
        )
    return tags


def thread_name(template: str, post: TelegramPost, title: str) -> str:
    """The template filled in. `title`: the channel's. Never empty: else it is the post's link."""
    words = {
        "title": title,
        "date": _day(post.date),
        "first_line": next((line.strip() for line in searched_text(post).splitlines() if line.strip()), ""),
    }
    name = " ".join(_PLACE.sub(lambda place: words[place[1]], template).split())
    return _cut(name) or post.url.removeprefix("https://")


def _day(date: datetime | None) -> str:
    return f"{date:%Y-%m-%d}" if date else ""


def _cut(name: str) -> str:
    """At most 100 UTF-16 units, no pair of them torn."""
    units = name.encode("utf-16-le", "replace")
    if len(units) <= 2 * MOST_CHARACTERS:
        return name
    return units[: 2 * (MOST_CHARACTERS - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
