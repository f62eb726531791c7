"""What a reader of one message must know beside it: its channel, who is who, and what it replies to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from telethon.tl import types as tl

from disgram.post import RichText
from disgram.telegram.account.message.entities import rich_text
from disgram.telegram.account.message.peers import Peers


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or group, for the messages of one page.

    `name`: as in its address, "news" or "c/123". `protected`: its owner forbids saving (`noforwards`).
    `messages`: those that others reply to, by id, as far as they are known.
    """

    name: str
    title: str
    photo_url: str | None = None
    protected: bool = False
    peers: Peers = field(default_factory=Peers)
    messages: Mapping[int, tl.Message] = field(default_factory=dict)

    def link(self, message_id: int) -> str:
        return f"https://t.me/{self.name}/{message_id}"


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a channel; an album has several."""

    message: tl.Message
    channel: Channel

    @property
    def link(self) -> str:
        return self.channel.link(self.message.id)

    def file(self, which: str) -> str:
        """The address of one of the message's files, for the account's process (see files.py)."""
        return f"account:{self.channel.name}/{self.message.id}/{which}"

    def runs(self, text: str | None, entities: Sequence[tl.TypeMessageEntity] | None) -> RichText:
        return rich_text(text or "", entities, self.channel.name)

    def text_of(self, text: tl.TextWithEntities | None) -> RichText:
        return self.runs(text.text, text.entities) if text else ()
