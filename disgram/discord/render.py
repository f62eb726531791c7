"""TelegramPost -> [DiscordMessage], and simpler forms of it for when Discord refuses the full one.

The texts of a post are in text.py, the layout of embeds and files in packing.py, Discord's limits in
message_limits.py. Opens no connection, reads no HTML and does not decide when to send.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from disgram.discord import markdown, message_limits
from disgram.discord.draft import Draft, Files, files_of
from disgram.discord.link_buttons import Row, with_link_buttons
from disgram.discord.link_card import description_of, one_line
from disgram.discord.message import FIXED_FIELDS, DiscordMessage
from disgram.discord.names import username
from disgram.discord.packing import MAX_NAME, footer_text, pack
from disgram.discord.text import Section, open_in_telegram, preview_lines, sections
from disgram.post import LinkPreview, MediaFile, Run, TelegramPost

CONTENT_ROOM = message_limits.CONTENT - 50
"""Leaves room for the line that marks a message as deleted."""


class Fallback(IntEnum):
    """Forms of a post, each simpler than the one before; only the last one drops text."""

    FILES = 0
    """With uploads of the files at hand."""
    LINKS = 1
    """No uploads; a line with a link for each file."""
    TEXT = 2
    """No embeds; text without formatting."""
    LINK_ONLY = 3
    """One message with the channel's name and a link to the post, under the webhook's own name."""


def render(
    post: TelegramPost,
    *,
    color: int,
    fetched: Mapping[int, MediaFile],
    fallback: Fallback = Fallback.FILES,
    reply_link: str | None = None,
    link_buttons: bool = True,
) -> list[DiscordMessage]:
    """The messages of a post, in order; at least one, each within Discord's limits.

    `fetched`: the files at hand, by index in `post.media`; the others become a line with a link.
    `reply_link`: the Discord message of the post this one replies to, linked instead of Telegram's.
    `link_buttons`: False shows the post's buttons as text.
    """
    if fallback is Fallback.LINK_ONLY:
        return [_link_only(post)]
    buttons: list[Row] = []
    if link_buttons and fallback is not Fallback.TEXT:
        post, buttons = with_link_buttons(post)
    files = files_of(post, fetched if fallback is Fallback.FILES else {})
    content = sections(post, lines_for=files.lines_for, reply_link=reply_link)
    if not content and not files.uploads:
        content = [open_in_telegram(post)]
    if fallback is Fallback.TEXT:
        return _text_only(post, content, files)
    messages = [_message(post, draft) for draft in pack(post, content, files, color, buttons)]
    if buttons:
        last = [message for message in messages if "embeds" in message.payload][-1]
        last.payload["components"] = buttons
    return messages


def has_buttons(messages: Sequence[DiscordMessage]) -> bool:
    """Whether any of them has link buttons."""
    return any(message.payload.get("components") for message in messages)


def without_old_buttons(messages: Sequence[DiscordMessage]) -> list[DiscordMessage]:
    """For a post that was sent with link buttons: each message names its own, or that it has none, since
    Discord keeps what PATCH does not name."""
    return [
        DiscordMessage({"components": []} | message.payload, message.uploads)
        if "embeds" in message.payload
        else message
        for message in messages
    ]


def edited(message: DiscordMessage) -> dict[str, Any]:
    """The PATCH body that turns a message sent before into this one, keeping its files.

    `content` and `embeds` are named even if empty: Discord keeps what PATCH does not name.
    """
    body = {key: value for key, value in message.payload.items() if key not in FIXED_FIELDS}
    return body if message.uploads and len(body) == 1 else {"content": "", "embeds": [], **body}


def edit_request(message: DiscordMessage, *, with_files: bool) -> DiscordMessage:
    """The PATCH for a message sent before. `with_files`: its files are replaced by those of `message`."""
    body = edited(message)
    if not with_files:
        return DiscordMessage(body)
    # A list of attachments without the old files removes them (Edit Webhook Message).
    attachments = message.payload.get("attachments", [])
    return DiscordMessage(body | {"attachments": attachments}, message.uploads)


def digest(message: DiscordMessage) -> str:
    """A hash that changes if a reader would see a different message.

    The author's link and icon and the sender's avatar do not count, since their addresses change by
    themselves; nor do file names, which only a new upload changes.
    """
    shown = {key: value for key, value in edited(message).items() if key != "components" or value}
    shown["embeds"] = [
        embed | {"author": {"name": embed["author"]["name"]}} if "author" in embed else embed
        for embed in shown.get("embeds", [])
    ]
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _message(post: TelegramPost, draft: Draft) -> DiscordMessage:
    payload = _sender(post)
    if draft.embeds:
        payload["embeds"] = draft.embeds
    if draft.uploads:
        payload["attachments"] = [
            {"id": index, "filename": upload.filename} for index, upload in enumerate(draft.uploads)
        ]
    return DiscordMessage(payload, tuple(draft.uploads))


def _sender(post: TelegramPost) -> dict[str, Any]:
    sender: dict[str, Any] = {"username": username(post.author, post.channel)}
    if photo := message_limits.acceptable_url(post.photo_url):
        sender["avatar_url"] = photo
    return sender | {"allowed_mentions": {"parse": []}}


def _text_only(post: TelegramPost, content: Sequence[Section], files: Files) -> list[DiscordMessage]:
    runs: list[Run] = []
    for section in content:
        if isinstance(section, LinkPreview):
            section = preview_lines(section, description_of(section, post, files))
        runs += [*section, Run("\n\n")]
    footer = footer_text(post)
    runs += [Run(f"{footer}\n" if footer else ""), Run(post.url)]
    chunks = markdown.split(markdown.without_formatting(tuple(runs)), CONTENT_ROOM)
    return [DiscordMessage(_sender(post) | {"content": chunk}) for chunk in chunks]


def _link_only(post: TelegramPost) -> DiscordMessage:
    name = markdown.render((Run(one_line(post.author)[:MAX_NAME] or post.channel),))
    return DiscordMessage({"content": f"{name}\n{post.url}", "allowed_mentions": {"parse": []}})
