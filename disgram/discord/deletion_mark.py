"""A sent message, marked: its post is deleted in Telegram.

Owns striking through Markdown of our own making. Never changes what was said, except where there is no room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from disgram.discord import message_limits as limits
from disgram.discord.markdown.escape import ZWSP

NOTICE = "*deleted in Telegram*"

_STRIKE = re.compile(
    r"(?P<escape>\\.)|(?P<code>(`+).*?[^`]\3(?!`))|(?P<target>\]\(https?://[^)\s]*\)|<https?://[^>\s]*>)|~~"
)


def marked_deleted(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The body that marks a message: the notice at its head, its text struck through as far as there is room.

    Takes what was sent or `edited`; marking twice is marking once.
    """
    fixed = {"username", "avatar_url", "attachments", "thread_name"}
    body = {key: value for key, value in payload.items() if key not in fixed}
    content = body.get("content") or ""
    if content.startswith(NOTICE):
        return body
    marked = body | {"content": _headed(_struck(content))}
    if "embeds" in body:
        marked["embeds"] = [_struck_embed(embed) for embed in body["embeds"]]
    return marked if _fits(marked) else body | {"content": _headed(content)[: limits.CONTENT].rstrip()}


def _headed(content: str) -> str:
    return f"{NOTICE}\n{content}".rstrip()


def _fits(body: Mapping[str, Any]) -> bool:
    embeds = body.get("embeds", [])
    in_message = sum(map(limits.embed_text, embeds)) <= limits.MESSAGE_TEXT
    in_embeds = all(
        len(embed.get("description", "")) <= limits.DESCRIPTION
        and len(embed.get("title", "")) <= limits.TITLE
        for embed in embeds
    )
    small = limits.processed_bytes([body["content"], embeds]) <= limits.PROCESSED_BYTES
    return len(body["content"]) <= limits.CONTENT and in_message and in_embeds and small


def _struck_embed(embed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _struck(value) if key in {"title", "description"} else value for key, value in embed.items()}


def _struck(markdown: str) -> str:
    """Each stretch of plain or quoted lines struck through; code blocks stay, for nothing can be inside."""
    fenced = False
    lines: list[tuple[str, str]] = []
    for line in markdown.split("\n"):
        prefix = "> " if line.startswith("> ") else ""
        border = line.removeprefix(prefix).startswith("```")
        lines.append(("code" if fenced or border else prefix, line))
        fenced ^= border
    stretches = groupby(lines, key=lambda pair: pair[0])
    return "\n".join(_stretch(kind, "\n".join(line for _, line in pairs)) for kind, pairs in stretches)


def _stretch(kind: str, text: str) -> str:
    if kind == "code":
        return text
    inner = text.replace(f"\n{kind}", "\n").removeprefix(kind) if kind else text
    core = _STRIKE.sub(_without_strike, inner.strip()).strip()
    if not core:
        return text
    start = len(inner) - len(inner.lstrip())
    end = len(inner.rstrip())
    gap = ZWSP if core.endswith("~") else ""
    struck = f"{inner[:start]}~~{core}{gap}~~{inner[end:]}"
    return "\n".join(kind + line for line in struck.split("\n"))


def _without_strike(match: re.Match[str]) -> str:
    """No `~~` may be left inside: markers become separators, code is parted, link targets are encoded."""
    if match["escape"]:
        return match[0]
    if match["code"]:
        return match[0].replace("~~", f"~{ZWSP}~")
    return match[0].replace("~~", "%7E%7E") if match["target"] else ZWSP
