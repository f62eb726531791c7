"""Messages as Telegram's API sends them, made up here, and the blocks that become of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.post import Block
from disgram.telegram.account.message.context import Channel
from disgram.telegram.account.message.peers import Peers
from disgram.telegram.account.message.posts import AccountPost, posts_of
from tests.builders import pages

CHANNEL_ID = 100
PEER = tl.PeerChannel(CHANNEL_ID)
DATE = datetime.fromisoformat(pages.DATE)
PEOPLE: list[Any] = [
    tl.Channel(CHANNEL_ID, pages.TITLE, tl.ChatPhotoEmpty(), None, username=pages.CHANNEL),
    tl.Channel(200, "Pier", tl.ChatPhotoEmpty(), None, username="pier"),
    tl.Channel(300, "Hidden Pier", tl.ChatPhotoEmpty(), None),
    tl.User(1, first_name="Ann", last_name="Lee", username="annlee"),
    tl.User(2, first_name="Bo"),
    tl.User(3, first_name="Bot", username="gifbot", bot=True),
    tl.User(4, deleted=True),
    tl.User(5, first_name=pages.TITLE),
]


def channel(*known: Any, **changed: Any) -> Channel:
    """The channel of `pages`; `known`: messages that others reply to."""
    fields: dict[str, Any] = {"photo_url": f"{pages.CDN}/avatar.jpg", "peers": Peers(PEOPLE)} | changed
    return Channel(pages.CHANNEL, pages.TITLE, messages={each.id: each for each in known}, **fields)


def message(number: int = 5, text: str = "", media: Any = None, **fields: Any) -> Any:
    """A post of the channel; with `post=False` a group's message."""
    fields = {"post": True, "date": DATE} | fields
    return tl.Message(number, PEER, message=text, media=media, **fields)


def service(action: Any, number: int = 5, **fields: Any) -> Any:
    return tl.MessageService(number, PEER, date=DATE, action=action, **({"post": True} | fields))


def read(*messages: Any, **changed: Any) -> list[AccountPost]:
    return posts_of(messages, channel(**changed))


def blocks(one: Any, *known: Any) -> tuple[Block, ...]:
    (found,) = posts_of([one], channel(*known))
    return found.post.blocks


def size(kind: str = "x", width: int = 800, height: int = 600) -> Any:
    return tl.PhotoSize(kind, width, height, 5000)


def photo(number: int = 70, *, sizes: list[Any] | None = None, **fields: Any) -> Any:
    picture = tl.Photo(number, 9, b"reference", DATE, sizes if sizes is not None else [size()], 2)
    return tl.MessageMediaPhoto(photo=picture, **fields)


def file(*attributes: Any, number: int = 80, mime: str = "video/mp4", bytes_: int = 2_200_000) -> Any:
    return tl.Document(
        number, 9, b"reference", DATE, mime, bytes_, 2, list(attributes), thumbs=[size("m", 320, 240)]
    )


def document(*attributes: Any, media: dict[str, Any] | None = None, **fields: Any) -> Any:
    return tl.MessageMediaDocument(document=file(*attributes, **fields), **(media or {}))


def video(seconds: float = 9.6, **fields: Any) -> Any:
    return document(tl.DocumentAttributeVideo(seconds, 800, 600), **fields)


def words(text: str, *entities: Any) -> Any:
    return tl.TextWithEntities(text, list(entities))
