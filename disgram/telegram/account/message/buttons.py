"""Inline buttons, below a message or inside a rich one -> `Buttons`: which of them lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from telethon.tl import types as tl

from disgram.post import Button, Buttons

_WITH_URL = (tl.InlineButtonTypeUrl, tl.InlineButtonTypeUrlAuth)


def buttons(markup: tl.TypeReplyMarkup | None) -> Iterator[Buttons]:
    """Nothing for the keyboards that replace a writer's own, which belong to no message."""
    if isinstance(markup, tl.ReplyInlineMarkup):
        rows = tuple(tuple(button(each.text, each.type) for each in row.buttons) for row in markup.rows)
        if any(rows):
            yield Buttons(tuple(row for row in rows if row))


def button(text: str, kind: tl.TypeInlineButtonType) -> Button:
    """With a URL if it opens one; whatever else a button does, only Telegram's applications can do."""
    return Button(text, kind.url if isinstance(kind, _WITH_URL) else None)
