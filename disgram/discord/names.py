"""Names that Discord accepts: of the sender of a message, and of files."""

from __future__ import annotations

import re
import unicodedata

from disgram.discord.message_limits import USERNAME
from disgram.post import MediaKind

_SUBSTITUTES = str.maketrans({"@": "＠", "#": "＃", ":": "："})
"""Characters refused or stripped in names (Discord docs, resources/user) -> ones that look the same."""

_FORBIDDEN_WORDS = (
    (re.compile("(disc)(ord)", re.IGNORECASE), r"\1·\2"),
    (re.compile("(cl)(yde)", re.IGNORECASE), r"\1·\2"),
    (re.compile("```"), "'''"),
)
"""Refused anywhere in a name, in any case (Discord docs, Execute Webhook)."""

_FORBIDDEN_NAMES = frozenset({"everyone", "here", "system message"})
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "application/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/x-tgsticker": "tgs",
    "text/plain": "txt",
}
_DEFAULTS = {
    MediaKind.PHOTO: ("jpg", "image/jpeg"),
    MediaKind.VIDEO: ("mp4", "video/mp4"),
    MediaKind.GIF: ("mp4", "video/mp4"),
    MediaKind.ROUND_VIDEO: ("mp4", "video/mp4"),
    MediaKind.VOICE: ("ogg", "audio/ogg"),
    MediaKind.AUDIO: ("mp3", "audio/mpeg"),
    MediaKind.STICKER: ("webp", "image/webp"),
    MediaKind.DOCUMENT: ("bin", "application/octet-stream"),
}

EMBEDDABLE = frozenset({"jpg", "png", "webp", "gif"})
"""Extensions that `attachment://` may have (Discord docs, Using Attachments within Embeds)."""

SPOILER_PREFIX = "SPOILER_"

_UNKNOWN = "bin"
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,8}")
_LONGEST_STEM = 100


def username(title: str, fallback: str) -> str:
    """The channel's title as a webhook's name: 1 to 80 characters, without what Discord refuses."""
    return next((name for name in map(_accepted, (title, fallback)) if name), "Telegram")


def _accepted(text: str) -> str:
    line = " ".join(text.split())
    visible = "".join(char for char in line if char == "\u200d" or unicodedata.category(char)[0] != "C")
    name = " ".join(visible.split()).translate(_SUBSTITUTES)
    for pattern, substitute in _FORBIDDEN_WORDS:
        name = pattern.sub(substitute, name)
    name = name[:USERNAME].strip("\u200d ")
    return f"{name}·" if name.lower() in _FORBIDDEN_NAMES else name


def file_type(kind: MediaKind, content_type: str) -> tuple[str, str]:
    """(extension, media type) of a file; by its kind if the server's media type is missing or unknown."""
    bare = content_type.partition(";")[0].strip().lower()
    return (_EXTENSIONS[bare], bare) if bare in _EXTENSIONS else _DEFAULTS[kind]


def file_name(channel: str, post_id: int, position: int, extension: str, *, spoiler: bool) -> str:
    """Such as `channel-123-1.jpg`: only characters that Discord keeps; `position` makes it unique."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", channel).strip("-") or "telegram"
    return f"{SPOILER_PREFIX if spoiler else ''}{stem}-{post_id}-{position}.{extension}"


def own_file_name(name: str, extension: str, position: int) -> str | None:
    """A document's or a song's own name, as far as Discord keeps it; None if nothing of it is left.

    `extension`: by what the file is; one that says nothing (`bin`) leaves the name's own. The second file of
    a message and later ones have their `position`, so that each name is there once.
    """
    stem, dot, own = name.rpartition(".")
    if not (dot and _EXTENSION.fullmatch(own)):
        stem, own = name, ""
    ascii_words = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9-]+", "_", ascii_words).strip("_-")[:_LONGEST_STEM]
    if not kept:
        return None
    known = extension if extension != _UNKNOWN or own.lower() in EMBEDDABLE else own.lower() or extension
    return f"{kept}.{known}" if position == 1 else f"{kept}-{position}.{known}"
