"""Posts to render, and messages checked against Discord's rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from hypothesis import settings

from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.message import DiscordMessage
from disgram.discord.render import edited, render
from disgram.post import Block, LinkPreview, Media, MediaFile, MediaKind, Run, Style, TelegramPost, Text
from standins.discord.lint import violations
from standins.discord.markdown import read, text_of

FEW = settings(max_examples=100, deadline=None)
COLOR = 0x2AABEE
LINK = "https://t.me/cats_daily/7"
DATE = datetime(2026, 5, 20, 15, 38, 10, tzinfo=timezone.utc)


def text(words: str, *styles: Style) -> Text:
    return Text((Run(words, frozenset(styles)),))


def media(kind: MediaKind, **fields: Any) -> Media:
    return Media(kind, LINK, url="https://cdn4.telesco.pe/file/x", **fields)


def post(*blocks: Block, **fields: Any) -> TelegramPost:
    base = TelegramPost(
        "cats_daily", 7, (7,), "Cats & Co", blocks, date=DATE, photo_url="https://cdn4.telesco.pe/a.jpg"
    )
    return replace(base, **fields)


CONTENT_TYPES = {
    MediaKind.PHOTO: "image/jpeg",
    MediaKind.VIDEO: "video/mp4",
    MediaKind.GIF: "video/mp4",
    MediaKind.ROUND_VIDEO: "video/mp4",
    MediaKind.VOICE: "audio/ogg",
    MediaKind.AUDIO: "audio/mpeg",
    MediaKind.DOCUMENT: "application/pdf",
    MediaKind.STICKER: "image/webp",
}


def fetched(of: TelegramPost, size: int = 1000) -> dict[int, MediaFile]:
    return {index: MediaFile(size, CONTENT_TYPES[one.kind]) for index, one in enumerate(of.media)}


def problems(messages: list[DiscordMessage], files: dict[int, MediaFile]) -> list[str]:
    """Violations of Discord's rules by the messages, their edits and their deletion marks."""
    found: list[str] = []
    for message in messages:
        names = [upload.filename for upload in message.uploads]
        found += violations(
            message.payload, [(one.filename, files[one.media].size) for one in message.uploads]
        )
        for body in (edited(message), marked_deleted(message.payload), marked_deleted(edited(message))):
            found += violations(body, edit=True, kept_files=names)
    return found


def checked(of: TelegramPost, files: dict[int, MediaFile] | None = None, **how: Any) -> list[DiscordMessage]:
    files = fetched(of) if files is None else files
    messages = render(of, color=COLOR, fetched=files, **how)
    assert messages
    assert problems(messages, files) == []
    return messages


def embeds(messages: list[DiscordMessage]) -> list[dict[str, Any]]:
    return [embed for message in messages for embed in message.payload.get("embeds", [])]


def words(messages: list[DiscordMessage]) -> str:
    """All visible text, from top to bottom."""
    found: list[str] = []
    for message in messages:
        found.append(text_of(read(message.payload.get("content", ""))))
        for embed in message.payload.get("embeds", []):
            found += [embed.get("author", {}).get("name", ""), text_of(read(embed.get("title", "")))]
            found += [text_of(read(embed.get("description", ""))), embed.get("footer", {}).get("text", "")]
        for row in message.payload.get("components", []):
            found += [f"{button['label']} ({button['url']})" for button in row["components"]]
    return "\n".join(part for part in found if part)


PHOTO = media(MediaKind.PHOTO)
PREVIEW = LinkPreview(
    "https://example.com/story",
    "Example",
    "A *story*",
    (Run("About "), Run("cats", frozenset({Style.BOLD}))),
    (media(MediaKind.PHOTO),),
    large=True,
)
