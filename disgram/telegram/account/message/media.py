"""The files of a message -> `Media`. `which` names a file within its message; files.py finds it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from telethon.tl import types as tl

from disgram.post import Media, MediaKind
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.words import duration_words, size_words

FILE = "file"
"""`which` of a message's own photo or document."""

THUMB = "-thumb"
"""After `which`: the still picture of a document."""

COVER = "-cover"
"""After `which`: the picture that was chosen for a video."""

PICTURES = (tl.PhotoSize, tl.PhotoSizeProgressive, tl.PhotoCachedSize)
"""Sizes that can be fetched; the others are outlines and blurs inside the message."""

EXPIRED = "no longer available"
_Attribute = TypeVar("_Attribute")


def attached(media: object, item: Item, which: str = FILE) -> Iterator[Media]:
    """The photo or document of a `MessageMedia…`; nothing for other kinds."""
    if isinstance(media, tl.MessageMediaPhoto):
        yield photo(media.photo, item, which, spoiler=bool(media.spoiler))
    elif isinstance(media, tl.MessageMediaDocument):
        yield document(media.document, item, which, media)


def photo(
    picture: tl.TypePhoto | None, item: Item, which: str, *, spoiler: bool = False, link: str = ""
) -> Media:
    """`picture`: None or PhotoEmpty once it has expired. `link`: instead of the message's own."""
    link = link or item.link
    if not isinstance(picture, tl.Photo):
        return Media(MediaKind.PHOTO, link, note=EXPIRED, identity="photo expired")
    return Media(
        MediaKind.PHOTO,
        link,
        url=item.file(which) if largest(picture.sizes) else None,
        spoiler=spoiler,
        identity=f"photo {picture.id}",
    )


def document(
    file: tl.TypeDocument | None,
    item: Item,
    which: str,
    media: tl.MessageMediaDocument | None = None,
    *,
    link: str = "",
) -> Media:
    """Any other file. `media`: what encloses it; its flags say the kind where the file itself has expired."""
    link = link or item.link
    if not isinstance(file, tl.Document):
        kind = _kind_by_flags(media)
        return Media(kind, link, note=EXPIRED, identity=f"{kind.value.lower()} expired")
    kind = kind_of(file)
    audio, clip = attribute(file, tl.DocumentAttributeAudio), attribute(file, tl.DocumentAttributeVideo)
    timed = None if kind in (MediaKind.GIF, MediaKind.STICKER) else audio or clip
    named = kind in (MediaKind.AUDIO, MediaKind.DOCUMENT)
    return Media(
        kind,
        link,
        url=item.file(which + (".tgs" if file.mime_type == "application/x-tgsticker" else "")),
        preview_url=_preview(file, item, which, media),
        name=_name(file) if named else "",
        size=size_words(file.size) if named or kind is MediaKind.VIDEO else "",
        duration=duration_words(timed.duration) if timed else "",
        performer=(audio.performer or "") if audio and kind is MediaKind.AUDIO else "",
        spoiler=bool(media and media.spoiler),
        identity=f"{kind.value.lower()} {file.id}",
    )


def kind_of(file: tl.Document) -> MediaKind:
    if attribute(file, tl.DocumentAttributeSticker):
        return MediaKind.STICKER
    if attribute(file, tl.DocumentAttributeAnimated):
        return MediaKind.GIF
    if audio := attribute(file, tl.DocumentAttributeAudio):
        return MediaKind.VOICE if audio.voice else MediaKind.AUDIO
    if clip := attribute(file, tl.DocumentAttributeVideo):
        return MediaKind.ROUND_VIDEO if clip.round_message else MediaKind.VIDEO
    return MediaKind.DOCUMENT


def largest(sizes: list[tl.TypePhotoSize] | None) -> tl.TypePhotoSize | None:
    """The largest picture that can be fetched."""
    pictures = [size for size in sizes or () if isinstance(size, PICTURES)]
    return max(pictures, key=lambda size: size.w * size.h, default=None)


def attribute(file: tl.Document | tl.WebDocument, kind: type[_Attribute]) -> _Attribute | None:
    return next((each for each in file.attributes if isinstance(each, kind)), None)


def _kind_by_flags(media: tl.MessageMediaDocument | None) -> MediaKind:
    if media and media.round:
        return MediaKind.ROUND_VIDEO
    if media and media.voice:
        return MediaKind.VOICE
    return MediaKind.VIDEO if media and media.video else MediaKind.DOCUMENT


def _preview(file: tl.Document, item: Item, which: str, media: tl.MessageMediaDocument | None) -> str | None:
    cover = media.video_cover if media else None
    if isinstance(cover, tl.Photo) and largest(cover.sizes):
        return item.file(which + COVER)
    return item.file(which + THUMB) if largest(file.thumbs) else None


def _name(file: tl.Document) -> str:
    """Music has a title, other files have the name they were sent with."""
    audio = attribute(file, tl.DocumentAttributeAudio)
    named = attribute(file, tl.DocumentAttributeFilename)
    return str((audio and audio.title) or (named and named.file_name) or "")
