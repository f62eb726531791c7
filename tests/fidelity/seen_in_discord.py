"""What a person sees of a post's messages in Discord: their text character by character, links and files.

Reads payloads with the tests' reader of Discord Markdown. The frame of the first embed (channel, time,
footer) is left out, as that of t.me's page is. Never judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from disgram.discord.message import DiscordMessage
from disgram.post import Media
from standins.discord.markdown import Seen, read
from tests.fidelity.seen_in_telegram import Glyph

BORDER = "\x1e"
"""The gap between two embeds, fields of one, or two messages."""


@dataclass
class SeenMessages:
    glyphs: list[Glyph] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    spoilered: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)


def see(messages: Sequence[DiscordMessage], media: Sequence[Media]) -> SeenMessages:
    """All messages of one post, in order; `media` are the post's files, which uploads name by index."""
    seen = SeenMessages()
    for message in messages:
        for text in _texts(message.payload):
            seen.glyphs += _glyphs(text, border=bool(seen.glyphs))
        for upload in message.uploads:
            url = media[upload.media].url or ""
            seen.files[url] += 1
            seen.spoilered |= {url} if upload.filename.startswith("SPOILER_") else set()
    seen.targets = {glyph.href for glyph in seen.glyphs if glyph.href}
    embeds = [embed for message in messages for embed in message.payload.get("embeds", [])]
    seen.targets |= {embed["url"] for embed in embeds if "url" in embed}
    return seen


def _texts(payload: dict[str, Any]) -> Iterator[list[Seen]]:
    yield read(payload.get("content", ""))
    for embed in payload.get("embeds", []):
        author = embed.get("author", {})
        if author and not _is_frame(embed):
            yield [Seen(char, href=author.get("url")) for char in author["name"]]
        title = read(embed.get("title", ""))
        yield [Seen(one.char, one.styles, embed.get("url")) for one in title]
        yield read(embed.get("description", ""))


def _is_frame(embed: dict[str, Any]) -> bool:
    """The channel's own line: it links the post, as the embed does. A card of another page has a title."""
    link = str(embed.get("url", ""))
    return link.startswith("https://t.me/") and link == embed["author"].get("url") and "title" not in embed


def _glyphs(text: list[Seen], *, border: bool) -> Iterator[Glyph]:
    gap = BORDER if border else ""
    for one in text:
        if one.char.isspace():
            gap += one.char
        elif one.char not in "\u200b\ufeff":
            yield Glyph(one.char, one.styles, one.href, gap=gap)
            gap = ""
