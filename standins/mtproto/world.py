"""What there is at Telegram: the account, other users, channels, files. Never knows who is connected."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from telethon.tl import types

from standins.mtproto import tl
from standins.mtproto.channels import Channel
from standins.mtproto.files import Content, Files

DC = 2
"""The data centre that the stand-in says it is."""


class World:
    """Thread-safe through `lock`, which its channels share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.files = Files()
        self.channels: dict[int, Channel] = {}
        self.users: dict[int, Any] = {}
        self.me = self.user("Reader", phone="15550100", is_self=True)

    # --- what a test builds ---

    def user(self, first_name: str, **fields: Any) -> Any:
        """Another user, to be a message's `sender`; `fields` are Telegram's own (`username`, `bot`, …)."""
        with self.lock:
            number = 700_000_001 + len(self.users)
            fields = {"access_hash": _new_hash(), **fields}
            self.users[number] = types.User(number, first_name=first_name, **fields)
            return self.users[number]

    def channel(
        self,
        title: str,
        *,
        username: str | None = None,
        megagroup: bool = False,
        forum: bool = False,
        member: bool = True,
        noforwards: bool = False,
        restricted: str = "",
        id: int | None = None,
    ) -> Channel:
        """A new channel, or a group; without a username it is private.

        `member`: whether the account is in it. `restricted`: the reason in Telegram's words.
        """
        reasons = [types.RestrictionReason("all", "porn", restricted)] if restricted else None
        with self.lock:
            number = id or 1_500_000_001 + len(self.channels)
            chat = types.Channel(
                number, title, types.ChatPhotoEmpty(), datetime.now(timezone.utc), access_hash=_new_hash(),
                broadcast=not (megagroup or forum), megagroup=megagroup or forum, forum=forum,
                username=username, noforwards=noforwards,
                restricted=bool(restricted), restriction_reason=reasons,
            )  # fmt: skip
            made = Channel(
                chat, member=member, invite=secrets.token_urlsafe(12), lock=self.lock, publish=self._publish
            )
            self.channels[number] = made
            return made

    def photo(
        self,
        content: Content,
        *,
        width: int = 800,
        height: int = 600,
        thumbnail: Content | None = None,
        dc: int = DC,
    ) -> Any:
        """A message's `media`; a photo's size `x` holds the content, `m` the thumbnail.

        `dc`: where it lies; a client fetches from another than its own over a connection of its own.
        """
        with self.lock:
            return types.MessageMediaPhoto(photo=self.files.photo(content, width, height, thumbnail, dc))

    def document(
        self,
        content: Content,
        mime_type: str = "application/octet-stream",
        *,
        name: str | None = None,
        attributes: Iterable[Any] = (),
        thumbnail: Content | None = None,
        dc: int = DC,
    ) -> Any:
        """A message's `media`: a film, music, a sticker by its Telegram `attributes`, otherwise a file."""
        named = [types.DocumentAttributeFilename(name)] if name else []
        with self.lock:
            document = self.files.document(content, mime_type, [*attributes, *named], thumbnail, dc)
            return types.MessageMediaDocument(document=document)

    def expire_references(self) -> None:
        """As after some hours: every file reference handed out so far is refused from now on."""
        with self.lock:
            self.files.expire()

    # --- what the servers' methods read; they hold the lock ---

    def named_in(self, *things: Any) -> tuple[list[Any], list[Any]]:
        """The chats and users that messages name, which Telegram sends along with them."""
        channels: dict[int, Channel] = {}
        users: dict[int, Any] = {}
        for each in tl.parts(list(things)):
            if channel := self.channels.get(getattr(each, "channel_id", 0)):
                channels[channel.id] = channel
            elif user := self.users.get(getattr(each, "user_id", 0)):
                users[user.id] = user
        return [channel.as_chat() for channel in channels.values()], list(users.values())

    def _publish(self, channel: Channel, update: Any) -> None:
        """Nobody is connected to a world by itself; the server overrides this."""


def _new_hash() -> int:
    return secrets.randbits(62) | 1
