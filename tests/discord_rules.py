"""Every rule by which Discord would refuse, drop or hide something of a webhook message.

Written from Discord's documentation and what others reported, not from our constants, so that a wrong
number of ours shows. For tests of the renderer and for stand-ins of Discord alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

MEBIBYTE = 1024 * 1024
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
FIELDS = {
    *("content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "attachments", "flags"),
    *("thread_name", "applied_tags"),
}
EMBED_FIELDS = {
    *("title", "description", "url", "timestamp", "color", "footer", "image", "thumbnail", "author"),
    *("fields", "type"),
}


def violations(
    payload: dict[str, Any],
    files: Sequence[tuple[str, int]] = (),
    *,
    edit: bool = False,
    kept_files: Sequence[str] = (),
    max_file: int = 20 * MEBIBYTE,
) -> list[str]:
    """What is wrong with a message; [] if Discord takes it and shows all of it.

    `files`: (name, bytes) of each `files[n]`. `edit`: it is the body of a PATCH, which keeps what it does not
    name, and `kept_files` are the names of the files the message has already.
    """
    return [
        *_fields(payload, edit),
        *_emptiness(payload, files, edit),
        *_content(payload.get("content")),
        *_username(payload.get("username")),
        *_mentions(payload.get("allowed_mentions")),
        *_embeds(payload.get("embeds") or [], [name for name, _ in files] + list(kept_files)),
        *_processed_size(payload),
        *_files(payload.get("attachments"), files, max_file),
        *_unicode(payload, "payload"),
    ]


def _fields(payload: dict[str, Any], edit: bool) -> Iterator[str]:
    for name in payload.keys() - FIELDS:
        yield f"unknown field {name}"
    for name in payload.keys() & {"username", "avatar_url", "thread_name"}:
        if edit:
            yield f"{name} cannot be edited"
    if "avatar_url" in payload:
        yield from _url(payload["avatar_url"], "avatar_url", {"http", "https"})


def _emptiness(payload: dict[str, Any], files: Sequence[tuple[str, int]], edit: bool) -> Iterator[str]:
    said = (payload.get("content") or "").strip() or payload.get("embeds") or files
    if not said and not (edit and not {"content", "embeds"} & payload.keys()):
        yield "50006 Cannot send an empty message"


def _content(content: str | None) -> Iterator[str]:
    if content is not None and len(content) > 2000:
        yield f"content: Must be 2000 or fewer in length, is {len(content)}"


def _username(name: str | None) -> Iterator[str]:
    if name is None:
        return
    if not 1 <= len(name.strip()) <= 80 or name != name.strip():
        yield f"username: Must be between 1 and 80 in length: {name!r}"
    for word in ("clyde", "discord", "```", "@", "#", ":"):
        if word in name.lower():
            yield f"username: cannot contain {word}"
    if name.lower() in {"everyone", "here"}:
        yield f"username: cannot be {name}"


def _mentions(mentions: Any) -> Iterator[str]:
    if mentions != {"parse": []}:
        yield "allowed_mentions must be {'parse': []}"


def _embeds(embeds: list[dict[str, Any]], names: list[str]) -> Iterator[str]:
    if len(embeds) > 10:
        yield "embeds: Must be 10 or fewer in length"
    total = sum(_characters(embed) for embed in embeds)
    if total > 6000:
        yield f"MAX_EMBED_SIZE_EXCEEDED: {total}"
    urls = [embed["url"] for embed in embeds if "url" in embed]
    if len(set(urls)) < len(urls):
        yield "embeds with the same url: only the first is shown"
    for number, embed in enumerate(embeds):
        for problem in _embed(embed, names):
            yield f"embeds[{number}].{problem}"


def _characters(embed: dict[str, Any]) -> int:
    texts = [embed.get("title", ""), embed.get("description", "")]
    texts += [embed.get("footer", {}).get("text", ""), embed.get("author", {}).get("name", "")]
    texts += [text for field in embed.get("fields", []) for text in (field["name"], field["value"])]
    return sum(len(text.strip()) for text in texts)


def _embed(embed: dict[str, Any], names: list[str]) -> Iterator[str]:
    for name in embed.keys() - EMBED_FIELDS:
        yield f"{name}: unknown"
    if not embed.keys() & {"title", "description", "footer", "image", "thumbnail", "author", "fields"}:
        yield "empty embed"
    texts = {
        "title": (embed.get("title"), 256),
        "description": (embed.get("description"), 4096),
        "footer.text": (embed.get("footer", {}).get("text"), 2048),
        "author.name": (embed.get("author", {}).get("name"), 256),
    }
    for name, (text, limit) in texts.items():
        if text is not None and not 1 <= len(text.strip()) <= limit:
            yield f"{name}: Must be between 1 and {limit} in length, is {len(text.strip())}"
    if "footer" in embed and "text" not in embed["footer"]:
        yield "footer.text: required"
    if "author" in embed and "name" not in embed["author"]:
        yield "author.name: required"
    if not 0 <= embed.get("color", 0) <= 0xFFFFFF:
        yield "color: out of range"
    if "timestamp" in embed:
        datetime.fromisoformat(embed["timestamp"].replace("Z", "+00:00"))
    yield from _embed_urls(embed, names)
    if "title" in embed and re.search(r"\[[^\]]+\]\(https?://", embed["title"]):
        yield "title: masked links are not shown"


def _embed_urls(embed: dict[str, Any], names: list[str]) -> Iterator[str]:
    linked = {"url": embed.get("url"), "author.url": embed.get("author", {}).get("url")}
    shown = {
        "image.url": embed.get("image", {}).get("url"),
        "thumbnail.url": embed.get("thumbnail", {}).get("url"),
        "author.icon_url": embed.get("author", {}).get("icon_url"),
        "footer.icon_url": embed.get("footer", {}).get("icon_url"),
    }
    for name, url in linked.items():
        yield from _url(url, name, {"http", "https"})
    for name, url in shown.items():
        yield from _url(url, name, {"http", "https", "attachment"})
        attached = (url or "").removeprefix("attachment://")
        if url and attached != url and attached not in names:
            yield f"{name}: no file {attached}"
        if url and attached != url and not attached.lower().endswith(PICTURES):
            yield f"{name}: {attached} is no picture"


def _url(url: str | None, name: str, schemes: set[str]) -> Iterator[str]:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        yield f"{name}: Scheme {parts.scheme!r} is not supported"
    if not parts.netloc or any(char.isspace() for char in url):
        yield f"{name}: Not a well formed URL: {url!r}"
    if len(url) > 2048:
        yield f"{name}: Must be 2048 or fewer in length"


def _processed_size(payload: dict[str, Any]) -> Iterator[str]:
    """About 10 kB of UTF-8 is what is processed; above it the answer is a 500 that no retry heals."""
    texts = list(_strings([payload.get("content") or "", payload.get("embeds") or []]))
    size = sum(len(text.encode("utf-8", "surrogatepass")) + 12 for text in texts)
    if size > 9_964:
        yield f"500 Internal Server Error: {size} bytes of text"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _files(attachments: Any, files: Sequence[tuple[str, int]], max_file: int) -> Iterator[str]:
    names = [name for name, _ in files]
    if len(files) > 10:
        yield "30015: more than 10 files"
    if len(set(names)) < len(names):
        yield "two files with one name"
    for name, size in files:
        if not re.fullmatch(r"(SPOILER_)?[A-Za-z0-9-]+\.[a-z0-9]+", name):
            yield f"file name would be changed: {name!r}"
        if size > max_file:
            yield f"40005 {name} is larger than {max_file}"
    if sum(size for _, size in files) + 64 * 1024 > 25 * MEBIBYTE:
        yield "40005 Request entity too large"
    if files and attachments != [{"id": number, "filename": name} for number, name in enumerate(names)]:
        yield f"attachments do not name the files: {attachments}"
    if attachments and not files:
        yield "attachments without files"


def _unicode(value: Any, where: str) -> Iterator[str]:
    for text in _strings(value):
        if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
            yield f"{where}: lone surrogate"
