"""Everything that is wrong with a webhook message: what Discord refuses, and what it takes and then hides.

Written from Discord's documentation and what others reported, not from Disgram's constants, so that a wrong
number there shows. Owns what is dropped, renamed or not shown; what is refused is in rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from standins.discord import rules
from standins.discord.errors import EMPTY
from standins.discord.messages import PICTURE_FIELDS

FIELDS = {
    *("content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "attachments", "flags"),
    *("thread_name", "applied_tags", "components"),
}
NOT_EDITABLE = {"username", "avatar_url", "thread_name"}
EMBED_FIELDS = {*rules.VISIBLE, "url", "timestamp", "color", "type"}
BESIDE_FILES = 64 * 1024
"""Bytes of a request with files that are not the files'."""

Upload = tuple[str, int]
"""Name and bytes of a file."""


def violations(
    payload: dict[str, Any],
    files: Sequence[Upload] = (),
    *,
    edit: bool = False,
    kept_files: Sequence[str] = (),
    upload_limit: int = rules.UPLOAD_LIMIT,
) -> list[str]:
    """What is wrong with a message; [] if Discord takes it and shows all of it.

    `files`: each `files[n]`. `edit`: it is the body of a PATCH, which keeps what it does not name, and
    `kept_files` are the names of the files the message has already.
    """
    names = [name for name, _ in files]
    refused = rules.check(payload, filenames=names, sends=not edit)
    if edit and {"content", "embeds"} & payload.keys() and rules.is_empty(payload, len(files)):
        refused = refused or EMPTY
    return [
        *([str(refused)] if refused else []),
        *_ignored(payload, edit),
        *_username(str(payload.get("username", "-"))),
        *_embeds(payload.get("embeds") or [], {*names, *kept_files}),
        *_texts(payload),
        *_files(payload.get("attachments"), files, upload_limit),
    ]


def _ignored(payload: dict[str, Any], edit: bool) -> Iterator[str]:
    yield from (f"unknown field {name}" for name in payload.keys() - FIELDS)
    if edit:
        yield from (f"{name} cannot be edited" for name in payload.keys() & NOT_EDITABLE)
    if not _pings_as_named(payload):
        yield "allowed_mentions must be {'parse': []}, or name the roles or @everyone that stand in content"


def _pings_as_named(payload: dict[str, Any]) -> bool:
    allowed, content = payload.get("allowed_mentions"), str(payload.get("content") or "")
    match allowed:
        case {"parse": [], "roles": list(roles), **rest}:
            return bool(roles) and not rest and all(f"<@&{role}>" in content for role in roles)
        case {"parse": ["everyone"], **rest}:
            return not rest and ("@everyone" in content) != ("@here" in content)
        case _:
            return bool(allowed == {"parse": []})


def _username(name: str) -> Iterator[str]:
    """The documented rules for the names of users and webhooks."""
    if name != name.strip():
        yield f"username would be changed: {name!r}"
    yield from (f"username: cannot contain {word}" for word in ("```", "@", "#", ":") if word in name)


def _embeds(embeds: list[dict[str, Any]], names: set[str]) -> Iterator[str]:
    urls = [embed["url"] for embed in embeds if "url" in embed]
    if len(set(urls)) < len(urls):
        yield "embeds with the same url: only the first is shown"
    for number, embed in enumerate(embeds):
        yield from (f"embeds.{number}.{problem}" for problem in _embed(embed, names))


def _embed(embed: dict[str, Any], names: set[str]) -> Iterator[str]:
    yield from (f"{name}: unknown" for name in embed.keys() - EMBED_FIELDS)
    for name in ("title", "description"):
        if name in embed and not embed[name].strip():
            yield f"{name}: empty, not shown"
    if re.search(r"\[[^\]]+\]\(https?://", embed.get("title", "")):
        yield "title: masked links are not shown"
    for holder, key in PICTURE_FIELDS:
        scheme, _, name = str(embed.get(holder, {}).get(key, "")).partition("://")
        if scheme == "attachment" and name not in names:
            yield f"{holder}.{key}: no file {name}"
        if scheme == "attachment" and not name.lower().endswith(rules.PICTURES):
            yield f"{holder}.{key}: {name} is no picture"


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """About 10 kB of UTF-8 are processed; here, where nobody knows what else counts, everything does."""
    texts = _strings([payload.get("content"), payload.get("embeds")])
    size = sum(len(text.encode("utf-8", "surrogatepass")) + 12 for text in texts)
    if size > rules.BYTES:
        yield f"500 Internal Server Error: {size} bytes of text"
    if any("\ud800" <= char <= "\udfff" for text in _strings(payload) for char in text):
        yield "lone surrogate"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for one in inner:
            yield from _strings(one)


def _files(attachments: Any, files: Sequence[Upload], upload_limit: int) -> Iterator[str]:
    names = [name for name, _ in files]
    if len(set(names)) < len(names):
        yield "two files with one name"
    for name, size in files:
        if not re.fullmatch(r"(SPOILER_)?[A-Za-z0-9-][A-Za-z0-9_-]*\.[a-z0-9]+", name):
            yield f"file name would be changed: {name!r}"
        if size > upload_limit:
            yield f"40005 {name} is larger than {upload_limit}"
    if sum(size for _, size in files) + BESIDE_FILES > rules.REQUEST_LIMIT:
        yield "40005 Request entity too large"
    if (files or attachments) and attachments != [
        {"id": n, "filename": name} for n, name in enumerate(names)
    ]:
        yield f"attachments do not name the files: {attachments}"
