"""Telegram's buttons -> Discord's link buttons, as far as Discord takes them.

A webhook that belongs to no application may send link buttons alone (`with_components=true`, since
2025-01-25; discord-api-docs PR #7368). Buttons that are none stay in the post and become text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from disgram.discord import message_limits
from disgram.discord.link_card import one_line
from disgram.discord.markdown import invisible
from disgram.errors import DiscordError, MessageRejected
from disgram.post import Button, Buttons, TelegramPost

Row = dict[str, Any]

_ACTION_ROW, _BUTTON, _LINK_STYLE = 1, 2, 5
"""Component types 1 and 2, and button style 5 (docs, Component Reference)."""


def with_link_buttons(post: TelegramPost) -> tuple[TelegramPost, list[Row]]:
    """The post without the buttons that became link buttons, and those in rows, at most ROWS of ROW_BUTTONS.

    All of its buttons stay in the post if they are too many or too long for one message.
    """
    found = [block for block in post.blocks if isinstance(block, Buttons)]
    rows = [row for block in found for row in _rows(block)]
    if len(rows) > message_limits.BUTTON_ROWS or message_limits.processed_bytes(rows) > _MOST_BYTES:
        return post, []
    blocks = (_other_buttons(block) if isinstance(block, Buttons) else block for block in post.blocks)
    kept = tuple(block for block in blocks if not isinstance(block, Buttons) or block.rows)
    return (replace(post, blocks=kept), rows) if rows else (post, [])


def refuses_buttons(error: DiscordError) -> bool:
    """Whether Discord refused a message for its buttons; they are not left out, but become text."""
    return isinstance(error, MessageRejected) and any(path[:1] == ("components",) for path in error.fields)


_MOST_BYTES = 3_000
"""Of PROCESSED_BYTES; nobody has measured whether buttons count, and they must leave room for the text."""


def _rows(block: Buttons) -> list[Row]:
    rows = []
    for row in block.rows:
        links = [button for button in row if _is_link(button)]
        for start in range(0, len(links), message_limits.ROW_BUTTONS):
            rows.append(_row(links[start : start + message_limits.ROW_BUTTONS]))
    return rows


def _row(buttons: Sequence[Button]) -> Row:
    components = [
        {"type": _BUTTON, "style": _LINK_STYLE, "label": one_line(button.text), "url": button.url}
        for button in buttons
    ]
    return {"type": _ACTION_ROW, "components": components}


def _is_link(button: Button) -> bool:
    label, url = one_line(button.text), message_limits.acceptable_url(button.url)
    return bool(
        url
        and len(url) <= message_limits.BUTTON_URL
        and len(label) <= message_limits.BUTTON_LABEL
        and not invisible(label)
    )


def _other_buttons(block: Buttons) -> Buttons:
    rows = (tuple(button for button in row if not _is_link(button)) for row in block.rows)
    return Buttons(tuple(row for row in rows if row))
