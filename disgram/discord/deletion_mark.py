"""Marks a sent message whose post was deleted in Telegram: a notice, and the text struck through.

Reads only Markdown that Disgram has written. Cuts text only where there is no room for the notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from disgram.discord import message_limits
from disgram.discord.markdown import ZWSP
from disgram.discord.message import FIXED_FIELDS

NOTICE = "*deleted in Telegram*"

_STRIKE = re.compile(
    r"(?P<escape>\\.)|(?P<code>(`+).*?[^`]\3(?!`))|(?P<target>\]\(https?://[^)\s]*\)|<https?://[^>\s]*>)|~~"
)


def marked_deleted(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The PATCH body that marks a message: the notice first, and its text struck through if there is room.

    `payload` is what was sent, or the result of `edited`; a marked one is returned as it is.
    """
    body = {key: value for key, value in payload.items() if key not in FIXED_FIELDS}
    content = body.get("content") or ""
    if content.startswith(NOTICE):
        return body
    marked = body | {"content": _with_notice(_struck(content))}
    if "embeds" in body:
        marked["embeds"] = [_struck_embed(embed) for embed in body["embeds"]]
    if _fits(marked):
        return marked
    return body | {"content": _with_notice(content)[: message_limits.CONTENT].rstrip()}


def _with_notice(content: str) -> str:
    return f"{NOTICE}\n{content}".rstrip()


def _fits(body: Mapping[str, Any]) -> bool:
    embeds = body.get("embeds", [])
    in_message = sum(map(message_limits.embed_text, embeds)) <= message_limits.MESSAGE_TEXT
    in_embeds = all(
        len(embed.get("description", "")) <= message_limits.DESCRIPTION
        and len(embed.get("title", "")) <= message_limits.TITLE
        for embed in embeds
    )
    small = message_limits.processed_bytes([body["content"], embeds]) <= message_limits.PROCESSED_BYTES
    return len(body["content"]) <= message_limits.CONTENT and in_message and in_embeds and small


def _struck_embed(embed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _struck(value) if key in {"title", "description"} else value for key, value in embed.items()}


def _struck(markdown: str) -> str:
    """Each group of plain or quoted lines struck through; code blocks stay, since they cannot be styled."""
    fenced = False
    lines: list[tuple[str, str]] = []
    for line in markdown.split("\n"):
        prefix = "> " if line.startswith("> ") else ""
        border = line.removeprefix(prefix).startswith("```")
        lines.append(("code" if fenced or border else prefix, line))
        fenced ^= border
    groups = groupby(lines, key=lambda pair: pair[0])
    return "\n".join(_struck_group(kind, "\n".join(line for _, line in pairs)) for kind, pairs in groups)


def _struck_group(kind: str, text: str) -> str:
    if kind == "code":
        return text
    inner = text.replace(f"\n{kind}", "\n").removeprefix(kind) if kind else text
    core = _STRIKE.sub(_without_markers, inner.strip()).strip()
    if not core:
        return text
    start = len(inner) - len(inner.lstrip())
    end = len(inner.rstrip())
    gap = ZWSP if core.endswith("~") else ""
    struck = f"{inner[:start]}~~{core}{gap}~~{inner[end:]}"
    return "\n".join(kind + line for line in struck.split("\n"))


def _without_markers(match: re.Match[str]) -> str:
    """No `~~` may be left inside: markers become zero-width spaces, which also split `~~` in code; in link
    targets it is percent-encoded."""
    if match["escape"]:
        return match[0]
    if match["code"]:
        return match[0].replace("~~", f"~{ZWSP}~")
    return match[0].replace("~~", "%7E%7E") if match["target"] else ZWSP
