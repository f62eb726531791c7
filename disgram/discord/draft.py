"""A message that is being filled: how much room it has for embeds and files; and a post's files at hand.

Does not know what a post says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from disgram.discord import message_limits, names
from disgram.discord.message import Upload
from disgram.post import Media, MediaFile, MediaKind, TelegramPost

MARGIN_BYTES = 400
"""Left free of PROCESSED_BYTES, so that a message can later be marked as deleted."""

_NAMED = frozenset({MediaKind.DOCUMENT, MediaKind.AUDIO})
"""Files whose name says something to people."""

Embed = dict[str, Any]


@dataclass
class Draft:
    """One message being filled. `reserved`: what may still be added (the footer, buttons).

    `size`: bytes of its uploads together.
    """

    reserved: Embed
    embeds: list[Embed] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    size: int = 0

    @property
    def room(self) -> tuple[int, int]:
        """How many code points and processed bytes of text another embed may have."""
        embeds = [*self.embeds, self.reserved]
        text = message_limits.MESSAGE_TEXT - sum(map(message_limits.embed_text, embeds))
        overhead = MARGIN_BYTES + message_limits.STRING_OVERHEAD
        return text, message_limits.PROCESSED_BYTES - overhead - message_limits.processed_bytes(embeds)

    def description_room(self, embed: Embed) -> tuple[int, int]:
        """How long the description of another embed with these other fields may be: code points, bytes."""
        text, size = self.room
        return min(message_limits.DESCRIPTION, text), size - message_limits.processed_bytes(embed)

    def takes_embed(self, embed: Embed) -> bool:
        text, size = self.room
        fits = message_limits.embed_text(embed) <= text and message_limits.processed_bytes(embed) <= size
        return fits and len(self.embeds) < message_limits.EMBEDS

    def takes_files(self, *sizes: int) -> bool:
        enough = len(self.uploads) + len(sizes) <= message_limits.FILES
        return enough and self.size + sum(sizes) <= message_limits.REQUEST_FILES

    def attach(self, upload: Upload, size: int) -> None:
        self.uploads.append(upload)
        self.size += size


@dataclass(frozen=True)
class Files:
    """The files at hand for a post, by their index in `post.media`."""

    uploads: dict[int, Upload]
    sizes: dict[int, int]
    lines_for: frozenset[int]
    """Media that need a line of text: not at hand, or only as a still picture."""

    def picture(self, index: int) -> str | None:
        """`attachment://…` if an embed can show this file as its image, else None."""
        upload = self.uploads.get(index)
        embeddable = upload and upload.filename.rpartition(".")[2] in names.EMBEDDABLE
        return f"attachment://{upload.filename}" if upload and embeddable else None


def files_of(post: TelegramPost, fetched: Mapping[int, MediaFile]) -> Files:
    """Which of the `fetched` files (by index in `post.media`) are uploaded, and under which names."""
    uploads: dict[int, Upload] = {}
    lines = set(range(len(post.media)))
    for index, media in enumerate(post.media):
        file = fetched.get(index)
        if not file or file.size > message_limits.REQUEST_FILES:
            continue
        extension, content_type = names.file_type(media.kind, file.content_type)
        substitute = _is_substitute(media.kind, content_type)
        name = _name_of(post, media, extension, len(uploads) + 1, keep_own=not substitute)
        uploads[index] = Upload(index, name, content_type)
        if not substitute:
            lines.discard(index)
    sizes = {index: fetched[index].size for index in uploads}
    return Files(uploads, sizes, frozenset(lines))


def _name_of(post: TelegramPost, media: Media, extension: str, position: int, *, keep_own: bool) -> str:
    if keep_own and media.kind in _NAMED and media.name and not media.spoiler:
        own = names.own_file_name(media.name, extension, position)
        if own:
            return own
    return names.file_name(post.channel, post.id, position, extension, spoiler=media.spoiler)


def _is_substitute(kind: MediaKind, content_type: str) -> bool:
    """The file is only a picture of a video or a document, or a kind of sticker Discord does not play."""
    picture = kind in {MediaKind.PHOTO, MediaKind.STICKER}
    still = not picture and content_type.startswith("image/") and content_type != "image/gif"
    return still or content_type == "application/x-tgsticker"
