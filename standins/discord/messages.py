"""Messages, channels, threads and webhooks as Discord keeps them.

Owns the state and what an accepted payload becomes: cleaned file names, attachments that embeds swallow,
trimmed texts. Never refuses anything (rules.py) and never answers a request (server.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from standins.discord.rules import PICTURES


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of a channel. `url` is what people copy from the client: without an API version."""

    id: str
    token: str = field(repr=False)
    channel_id: str
    name: str
    url: str = field(repr=False)


@dataclass(slots=True)
class Channel:
    """A text channel, a forum, or (with `parent_id`) a thread."""

    id: str
    name: str
    parent_id: str | None = None
    forum: bool = False
    locked: bool = False
    archived: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message; `sent_as` is the name before Discord cleaned it."""

    id: str
    filename: str
    body: bytes = field(repr=False)
    content_type: str = "application/octet-stream"
    sent_as: str = ""
    description: str = ""
    spoiler: bool = False


@dataclass(slots=True)
class Message:
    """A message as it stands now. `edits` are the payloads of its PATCHes, oldest first."""

    id: str
    channel_id: str
    webhook_id: str
    payload: dict[str, Any]
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    username: str = ""
    avatar_url: str | None = None
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    edited: datetime | None = None
    deleted: bool = False
    edits: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    components: list[dict[str, Any]] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    @property
    def attachments(self) -> list[File]:
        """Files that no embed shows (discord-api-docs #7434)."""
        swallowed = {name for embed in self.embeds for name in _references(embed)}
        return [file for file in self.files if file.filename not in swallowed]


PICTURE_FIELDS = (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url"))
"""Where an embed may name a picture by `attachment://`."""


def clean_name(filename: str) -> str:
    """As Discord stores a file's name (#4292, #7754)."""
    name = re.sub(r"\s+", "_", filename.rpartition("/")[2])
    name = re.sub(r"[^A-Za-z0-9_.-]", "", name).lstrip("_.")
    return name or "unknown"


def apply(message: Message, payload: dict[str, Any], files: list[File]) -> None:
    """Carry out a body: a field that is absent stays as it was. Files are added to those kept."""
    if "content" in payload:
        message.content = str(payload["content"] or "").strip()
    if payload.get("attachments") is not None and message.files:
        kept = {str(one.get("id")) for one in payload["attachments"]}
        message.files = [file for file in message.files if file.id in kept]
    message.files = message.files + files
    if "embeds" in payload:
        message.embeds = [_trimmed(embed) for embed in payload["embeds"] or []]
    if "flags" in payload:
        message.flags = payload["flags"] or 0
    message.oddities += _drop_lost_pictures(message)


def _trimmed(embed: dict[str, Any]) -> dict[str, Any]:
    copy = deepcopy(embed)
    for name in ("title", "description"):
        if isinstance(copy.get(name), str):
            copy[name] = copy[name].strip()
    for holder, key in PICTURE_FIELDS:
        part = copy.get(holder) or {}
        if str(part.get(key, "")).startswith("attachment://"):
            part[key] = "attachment://" + clean_name(part[key].removeprefix("attachment://"))
    return copy


def _references(embed: dict[str, Any]) -> Iterable[str]:
    for holder, key in PICTURE_FIELDS:
        url = str((embed.get(holder) or {}).get(key) or "")
        if url.startswith("attachment://"):
            yield url.removeprefix("attachment://")


def _drop_lost_pictures(message: Message) -> list[str]:
    """A picture that is no file of the message, or of no kind embeds show, disappears silently (#4847)."""
    names = {file.filename for file in message.files if file.filename.lower().endswith(PICTURES)}
    odd = []
    for embed in message.embeds:
        lost = [name for name in _references(embed) if name not in names]
        odd += [f"attachment://{name} is no picture of this message" for name in lost]
        for holder in ("image", "thumbnail"):
            if str((embed.get(holder) or {}).get("url") or "").removeprefix("attachment://") in lost:
                del embed[holder]
    return odd


def as_json(message: Message, base: str) -> dict[str, Any]:
    """The message object of an answer; files are served below `base`."""
    place = f"{base}/attachments/{message.channel_id}"
    places = {file.filename: f"{place}/{file.id}/{file.filename}" for file in message.files}
    author = {"id": message.webhook_id, "username": message.username, "avatar": None, "bot": True}
    return {
        "type": 0,
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "components": message.components,
        "pinned": False,
        "tts": False,
        "flags": message.flags,
        "webhook_id": message.webhook_id,
        "id": message.id,
        "content": message.content,
        "channel_id": message.channel_id,
        "author": author | {"discriminator": "0000", "public_flags": 0, "flags": 0, "global_name": None},
        "attachments": [_attachment(file, places[file.filename]) for file in message.attachments],
        "embeds": [_resolved(embed, places) for embed in message.embeds],
        "timestamp": message.created.isoformat(),
        "edited_timestamp": message.edited.isoformat() if message.edited else None,
    }


def _attachment(file: File, url: str) -> dict[str, Any]:
    whole = {"id": file.id, "filename": file.filename, "size": len(file.body), "url": url, "proxy_url": url}
    whole["content_type"] = file.content_type
    return whole | ({"description": file.description} if file.description else {})


def _resolved(embed: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    copy = deepcopy(embed) | {"type": "rich"}
    for holder, key in PICTURE_FIELDS:
        part = copy.get(holder)
        if part and str(part.get(key) or "").startswith("attachment://"):
            part[key] = places.get(part[key].removeprefix("attachment://"), "")
    return copy
