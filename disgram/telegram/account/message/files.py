"""The file that an address `account:<channel>/<message id>/<which>` names -> where Telegram has it.

`which` is what the readers of media wrote. File references in a message expire: a file is looked for in the
message as it was read last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from telethon.tl import types as tl

from disgram.telegram.account.message import cards, poll, rich_message
from disgram.telegram.account.message.blocks import WEB_PAGE
from disgram.telegram.account.message.media import COVER, FILE, THUMB, largest

_ADDRESS = re.compile(
    r"account:([A-Za-z0-9_]{1,64}|c/[0-9]{1,19})/([1-9][0-9]{0,9})/([a-z0-9-]{1,40})(?:\.tgs)?"
)
_File: TypeAlias = tl.Photo | tl.Document


@dataclass(frozen=True, slots=True)
class FileAddress:
    channel: str
    message_id: int
    which: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """`thumb_size`: the TL type of a picture's size; empty for a document itself. `size`: in bytes, 0 if
    unknown. `content_type`: a media type."""

    media: _File
    thumb_size: str
    size: int
    content_type: str

    @property
    def location(self) -> tl.TypeInputFileLocation:
        """For upload.getFile; `media.dc_id` says where."""
        kind = tl.InputPhotoFileLocation if isinstance(self.media, tl.Photo) else tl.InputDocumentFileLocation
        return kind(self.media.id, self.media.access_hash, self.media.file_reference, self.thumb_size)


def parse_address(url: str) -> FileAddress | None:
    """None for an address that is not of this form."""
    match = _ADDRESS.fullmatch(url)
    return FileAddress(match[1], int(match[2]), match[3]) if match else None


def find_file(message: tl.TypeMessage, which: str) -> FoundFile | None:
    """None if the message has no such file, perhaps any more."""
    name = which.removesuffix(THUMB)
    media = next((media for known, media in _files(message) if known == name), None)
    if media is None:
        return None
    return _whole(media) if name == which else _thumb(media)


def _whole(media: _File) -> FoundFile | None:
    if isinstance(media, tl.Photo):
        return _picture(media, media.sizes)
    return FoundFile(media, "", media.size, media.mime_type)


def _thumb(media: _File) -> FoundFile | None:
    return _picture(media, media.thumbs) if isinstance(media, tl.Document) else None


def _picture(media: _File, sizes: list[tl.TypePhotoSize] | None) -> FoundFile | None:
    size = largest(sizes)
    if size is None:
        return None
    steps = size.sizes if isinstance(size, tl.PhotoSizeProgressive) else [getattr(size, "size", 0)]
    return FoundFile(media, size.type, max(steps, default=0), "image/jpeg")


def _files(message: tl.TypeMessage) -> Iterator[tuple[str, _File]]:
    """Every file of a message with its `which`."""
    media = getattr(message, "media", None)
    yield from _enclosed(media, FILE)
    match media:
        case tl.MessageMediaWebPage():
            yield from _either(WEB_PAGE, getattr(media.webpage, "document", None))
            yield from _either(WEB_PAGE, getattr(media.webpage, "photo", None))
        case tl.MessageMediaPoll():
            yield from _of_poll(media)
        case tl.MessageMediaGame():
            yield from _either(cards.GAME_CLIP, media.game.document)
            yield from _either(cards.GAME, media.game.photo)
        case tl.MessageMediaPaidMedia():
            yield from _extended(media.extended_media)
        case tl.MessageMediaInvoice():
            yield from _extended([media.extended_media])
        case tl.MessageMediaStory():
            yield from _enclosed(getattr(media.story, "media", None), cards.STORY)
    yield from _either(FILE, getattr(getattr(message, "action", None), "photo", None))
    yield from _of_rich_message(getattr(message, "rich_message", None))


def _enclosed(media: tl.TypeMessageMedia | None, which: str) -> Iterator[tuple[str, _File]]:
    if isinstance(media, tl.MessageMediaPhoto):
        yield from _either(which, media.photo)
    elif isinstance(media, tl.MessageMediaDocument):
        yield from _either(which, media.document)
        yield from _either(which + COVER, media.video_cover)


def _either(which: str, file: object) -> Iterator[tuple[str, _File]]:
    if isinstance(file, (tl.Photo, tl.Document)):
        yield which, file


def _of_poll(media: tl.MessageMediaPoll) -> Iterator[tuple[str, _File]]:
    yield from _enclosed(media.attached_media, poll.MEDIA)
    yield from _enclosed(media.results.solution_media, poll.EXPLANATION)
    for index, answer in enumerate(media.poll.answers):
        yield from _enclosed(answer.media, f"{poll.OPTION}{index}")


def _extended(found: list[tl.TypeMessageExtendedMedia | None]) -> Iterator[tuple[str, _File]]:
    for index, each in enumerate(found):
        yield from _enclosed(getattr(each, "media", None), f"{cards.PAID}{index}")


def _of_rich_message(message: tl.RichMessage | None) -> Iterator[tuple[str, _File]]:
    for each in message.photos if message else ():
        yield from _either(f"{rich_message.PHOTO}{each.id}", each)
    for each in message.documents if message else ():
        yield from _either(f"{rich_message.DOCUMENT}{each.id}", each)
