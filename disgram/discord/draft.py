"""The messages of one post while they are being filled: how much room each has, and which files go where.

Owns drafts and the room in them. Never knows what a post says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from disgram.discord import message_limits as limits
from disgram.discord import names
from disgram.discord.markdown.escape import cleaned
from disgram.discord.message import Upload
from disgram.post import (
    MediaFile,
    MediaKind,
    RichText,
    TelegramPost,
)

MARGIN_BYTES = 400
"""Left free of PROCESSED_BYTES, so that a message can still be marked as deleted."""

Embed = dict[str, Any]


@dataclass
class Draft:
    """One message to be. `reserved`: embed with what will still be added (the footer)."""

    reserved: Embed
    embeds: list[Embed] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    size: int = 0

    @property
    def room(self) -> tuple[int, int]:
        """How many code points and UTF-8 bytes of text another embed may have."""
        embeds = [*self.embeds, self.reserved]
        text = limits.MESSAGE_TEXT - sum(map(limits.embed_text, embeds))
        overhead = MARGIN_BYTES + limits.PIECE_OVERHEAD
        return text, limits.PROCESSED_BYTES - overhead - limits.processed_bytes(embeds)

    def description_room(self, embed: Embed) -> tuple[int, int]:
        """How long a description may be in one more embed with these other fields."""
        text, size = self.room
        return min(limits.DESCRIPTION, text), size - limits.processed_bytes(embed)

    def takes_embed(self, embed: Embed) -> bool:
        text, size = self.room
        fits = limits.embed_text(embed) <= text and limits.processed_bytes(embed) <= size
        return fits and len(self.embeds) < limits.EMBEDS

    def takes_files(self, *sizes: int) -> bool:
        enough = len(self.uploads) + len(sizes) <= limits.FILES
        return enough and self.size + sum(sizes) <= limits.REQUEST_FILES

    def attach(self, upload: Upload, size: int) -> None:
        self.uploads.append(upload)
        self.size += size


@dataclass(frozen=True)
class Files:
    """The files at hand for a post, by their index in `post.media`."""

    uploads: dict[int, Upload]
    sizes: dict[int, int]
    lines_for: frozenset[int]
    """Media that need a line of text: not at hand, or only as a picture of themselves."""

    def picture(self, index: int) -> str | None:
        """`attachment://…` if an embed can show this file as its image."""
        upload = self.uploads.get(index)
        shown = upload and upload.filename.rpartition(".")[2] in names.EMBEDDABLE
        return f"attachment://{upload.filename}" if upload and shown else None


def files_of(post: TelegramPost, fetched: Mapping[int, MediaFile]) -> Files:
    """What of `fetched` is uploaded, under which names."""
    uploads: dict[int, Upload] = {}
    lines = set(range(len(post.media)))
    for index, media in enumerate(post.media):
        file = fetched.get(index)
        if not file or file.size > limits.REQUEST_FILES:
            continue
        extension, content_type = names.file_type(media.kind, file.content_type)
        name = names.file_name(post.channel, post.id, len(uploads) + 1, extension, spoiler=media.spoiler)
        uploads[index] = Upload(index, name, content_type)
        if not _stands_in(media.kind, content_type):
            lines.discard(index)
    sizes = {index: fetched[index].size for index in uploads}
    return Files(uploads, sizes, frozenset(lines))


def _stands_in(kind: MediaKind, content_type: str) -> bool:
    """The file is only a picture of a video or a document, or a kind of sticker Discord does not play."""
    shown = kind in {MediaKind.PHOTO, MediaKind.STICKER}
    still = not shown and content_type.startswith("image/") and content_type != "image/gif"
    return still or content_type == "application/x-tgsticker"


def rest_is_empty(rest: RichText) -> bool:
    """Nothing but white space is left of a text."""
    return not any(cleaned(run.text).strip() for run in rest)
