"""What a job adds to every post's messages: whom they ping, that they are silent, the thread they open.

Owns where in the messages of a post it stands. Never renders, never decides which posts are sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from disgram.discord.markdown import ZWSP
from disgram.discord.message import DiscordMessage
from disgram.discord.render import CONTENT_ROOM
from disgram.post import TelegramPost
from disgram.rules.mention import Mention
from disgram.rules.texts import RuleTexts
from disgram.rules.thread_title import checked_template, parse_tags, thread_name

SUPPRESS_NOTIFICATIONS = 1 << 12
"""https://discord.com/developers/docs/resources/message#message-object-message-flags"""


@dataclass(frozen=True, slots=True)
class MessageOptions:
    """`thread_title`: the template of THREAD_NAME; then `tags` are the forum's."""

    silent: bool = False
    thread_title: str | None = None
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: RuleTexts) -> MessageOptions:
        """Raises BadInput."""
        tags = parse_tags(texts.tags) if texts.tags else ()
        title = checked_template(texts.thread_name) if texts.thread_name else None
        return cls(texts.silent, title, tags)

    def added_to(
        self, messages: Sequence[DiscordMessage], post: TelegramPost, mention: Mention | None
    ) -> list[DiscordMessage]:
        """The messages of a post as they are sent; `mention` is pinged by the first of them.

        All name the thread: which of them opens it, and which go into it, the sender knows.
        """
        changed = list(messages)
        if mention:
            changed[:1] = _mentioning(changed[0], mention)
        fields = self._fields(post)
        return [_with(message, fields) for message in changed] if fields else changed

    def _fields(self, post: TelegramPost) -> dict[str, Any]:
        fields: dict[str, Any] = {"flags": SUPPRESS_NOTIFICATIONS} if self.silent else {}
        if self.thread_title:
            fields["thread_name"] = thread_name(self.thread_title, post, post.author)
            if self.tags:
                fields["applied_tags"] = list(self.tags)
        return fields


def into_thread(message: DiscordMessage) -> DiscordMessage:
    """The message for a thread that is open already."""
    payload = {
        name: value for name, value in message.payload.items() if name not in {"thread_name", "applied_tags"}
    }
    return replace(message, payload=payload)


def _mentioning(message: DiscordMessage, mention: Mention) -> list[DiscordMessage]:
    """The message with the mention above its text; in a message of its own if there is no room for both.

    Where `@here` may ping, a text's own `@everyone` would, too, escaped or not: it is taken apart.
    """
    text = message.payload.get("content", "")
    if mention.everyone:
        for name in ("everyone", "here"):
            text = text.replace(f"@{name}", f"@{ZWSP}{name}")
    content = f"{mention.content}\n{text}" if text else mention.content
    pinging = {"content": content, "allowed_mentions": mention.allowed}
    if len(content) <= CONTENT_ROOM:
        return [_with(message, pinging)]
    sender = {name: message.payload[name] for name in ("username", "avatar_url") if name in message.payload}
    return [DiscordMessage(sender | pinging | {"content": mention.content}), message]


def _with(message: DiscordMessage, fields: dict[str, Any]) -> DiscordMessage:
    return replace(message, payload=message.payload | fields)
