"""TelegramPost -> [DiscordMessage]: embeds, files, and what to do when Discord refuses them.

Owns the form of a message and the ladder of ever simpler forms. Never opens a connection, reads HTML or
decides when to send. The numbers are in `discord_limits`, the words in `post_text`, the room in
`message_parts`.

A post is one text with cards in between. It is poured into messages from the first on: the text of an embed
as far as it fits, the rest into the next message (never into a second embed with the same `url`, of which
Discord shows only the pictures), each card as an embed of its own where there is room, else in the next
message. Files come with the first message that has room for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from disgram.discord import message_limits as limits
from disgram.discord import text as post_text
from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.draft import (
    Draft,
    Embed,
    Files,
    files_of,
    rest_is_empty,
)
from disgram.discord.link_card import (
    Card,
    card_of,
    described,
    one_line,
)
from disgram.discord.markdown import blocks as markdown
from disgram.discord.message import DiscordMessage
from disgram.discord.names import username
from disgram.post import (
    LinkPreview,
    MediaFile,
    MediaKind,
    RichText,
    Run,
    TelegramPost,
)

__all__ = ["Fallback", "digest", "edited", "marked_deleted", "render"]

CONTENT_ROOM = limits.CONTENT - 50
"""Leaves room for the line that marks a message as deleted."""

_NAME_ROOM = 200
"""Of a signature, a channel's title in BARE: Telegram allows 128 characters for either."""


class Fallback(IntEnum):
    """The ladder: each step loses decoration, only the last one text."""

    FILES = 0
    """Uploads what was fetched."""
    LINKS = 1
    """No uploads, a line with a link for each."""
    TEXT = 2
    """No embeds: the text without formatting."""
    LINK_ONLY = 3
    """One message that names the channel and links the post, under the webhook's own name."""


def render(
    post: TelegramPost,
    *,
    color: int,
    fetched: Mapping[int, MediaFile],
    fallback: Fallback = Fallback.FILES,
    reply_link: str | None = None,
) -> list[DiscordMessage]:
    """The messages of a post, in order; at least one, each inside Discord's limits.

    `fetched`: which of `post.media` are at hand as files; the others become a line with a link.
    `reply_link`: the Discord copy of the post this one answers, linked instead of Telegram's.
    """
    if fallback is Fallback.LINK_ONLY:
        return [_bare(post)]
    files = files_of(post, fetched if fallback is Fallback.FILES else {})
    sections = post_text.sections(post, lines_for=files.lines_for, reply_link=reply_link)
    if not sections and not files.uploads:
        sections = [post_text.open_in_telegram(post)]
    if fallback is Fallback.TEXT:
        return _as_text(post, sections, files)
    drafts = _Pouring(post, color, files).pour(sections)
    return [_message(post, draft) for draft in drafts]


def edited(message: DiscordMessage) -> dict[str, Any]:
    """The body that turns a message sent before into this one; its files stay as they are.

    `content` and `embeds` are named even when empty: what PATCH does not name, Discord keeps.
    """
    fixed = {"username", "avatar_url", "attachments"}
    body = {key: value for key, value in message.payload.items() if key not in fixed}
    return body if message.uploads and len(body) == 1 else {"content": "", "embeds": [], **body}


def digest(message: DiscordMessage) -> str:
    """Changes when a reader would see another message. Names and pictures of the sender, whose addresses
    rotate, and the names of files, which only a new upload changes, do not count."""
    shown = edited(message)
    shown["embeds"] = [
        embed | {"author": {"name": embed["author"]["name"]}} if "author" in embed else embed
        for embed in shown.get("embeds", [])
    ]
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


# --- with embeds --------------------------------------------------------------------------------


class _Pouring:
    """Fills drafts with one post. Used once."""

    def __init__(self, post: TelegramPost, color: int, files: Files) -> None:
        self._post = post
        self._color = color
        self._files = files
        self._footer = _footer(post)
        self._head = _first_embed(post, color)
        self._drafts = [Draft(self._footer, [self._head])]

    def pour(self, sections: list[post_text.Section]) -> list[Draft]:
        pieces = self._planned(sections)
        in_cards = {index for piece in pieces if isinstance(piece, Card) for index in piece.files}
        own = [index for index in self._files.uploads if index not in in_cards]
        later = self._attach_first(own)
        for piece in pieces:
            if isinstance(piece, Card):
                self._card(piece)
            else:
                self._text(piece)
        self._attach_later(later)
        last = next(draft for draft in reversed(self._drafts) if draft.embeds)
        last.embeds[-1] |= self._footer
        return self._drafts

    def _planned(self, sections: list[post_text.Section]) -> list[RichText | Card]:
        """Previews as cards, or where a card cannot hold them as lines of the text around them."""
        planned: list[RichText | Card] = []
        for section in sections:
            piece: RichText | Card = section if isinstance(section, tuple) else self._card_or_lines(section)
            if planned and isinstance(planned[-1], tuple) and isinstance(piece, tuple):
                planned[-1] = (*planned[-1], Run("\n\n"), *piece)
            else:
                planned.append(piece)
        return planned

    def _card_or_lines(self, preview: LinkPreview) -> RichText | Card:
        said = described(preview, self._post, self._files)
        card = card_of(preview, said, self._post, self._files, self._color)
        alone = Draft(self._footer)
        if card and alone.takes_embed(card.embed) and alone.takes_files(*self._sizes(card.files)):
            return card
        return post_text.preview_lines(preview, said)

    def _sizes(self, indexes: Iterable[int]) -> list[int]:
        return [self._files.sizes[index] for index in indexes]

    def _text(self, runs: RichText) -> None:
        """Into the first embed, behind a card if there is room for all of it, or into further messages."""
        draft = self._drafts[-1]
        if draft.embeds == [self._head]:
            text, runs = markdown.take(runs, *draft.description_room({}))
            self._head |= {"description": text} if text else {}
        elif len(draft.embeds) < limits.EMBEDS:
            text, rest = markdown.take(runs, *draft.description_room({"color": self._color}))
            if rest_is_empty(rest):
                draft.embeds.append({"color": self._color, "description": text})
                return
        continued = {"color": self._color, "url": self._post.url}
        while not rest_is_empty(runs):
            draft = self._next()
            text, runs = markdown.take(runs, *draft.description_room(continued))
            draft.embeds.append(continued | {"description": text})

    def _card(self, card: Card) -> None:
        draft = self._drafts[-1]
        url = card.embed.get("url")
        taken = url is not None and url in [other.get("url") for other in draft.embeds]
        if taken or not draft.takes_embed(card.embed) or not draft.takes_files(*self._sizes(card.files)):
            draft = self._next()
        draft.embeds.append(dict(card.embed))
        for index in card.files:
            draft.attach(self._files.uploads[index], self._files.sizes[index])

    def _attach_first(self, own: list[int]) -> list[int]:
        """Attaches what fits into the first message; returns the files that have to follow."""
        first = self._drafts[0]
        if len(own) == 1 and (url := self._single_photo(own[0])):
            self._head["image"] = {"url": url}
        for position, index in enumerate(own):
            if not first.takes_files(self._files.sizes[index]):
                return own[position:]
            first.attach(self._files.uploads[index], self._files.sizes[index])
        return []

    def _single_photo(self, index: int) -> str | None:
        media = self._post.media[index]
        return None if media.spoiler or media.kind is MediaKind.STICKER else self._files.picture(index)

    def _attach_later(self, indexes: list[int]) -> None:
        candidates = self._drafts[1:]
        for index in indexes:
            size = self._files.sizes[index]
            while not (candidates and candidates[0].takes_files(size)):
                candidates = candidates[1:] or [self._next()]
            candidates[0].attach(self._files.uploads[index], size)

    def _next(self) -> Draft:
        self._drafts.append(Draft(self._footer))
        return self._drafts[-1]


def _message(post: TelegramPost, draft: Draft) -> DiscordMessage:
    payload = _sender(post)
    if draft.embeds:
        payload["embeds"] = draft.embeds
    if draft.uploads:
        payload["attachments"] = [
            {"id": number, "filename": upload.filename} for number, upload in enumerate(draft.uploads)
        ]
    return DiscordMessage(payload, tuple(draft.uploads))


def _sender(post: TelegramPost) -> dict[str, Any]:
    sender: dict[str, Any] = {"username": username(post.author, post.channel)}
    if photo := limits.acceptable_url(post.photo_url):
        sender["avatar_url"] = photo
    return sender | {"allowed_mentions": {"parse": []}}


def _first_embed(post: TelegramPost, color: int) -> Embed:
    name = one_line(post.author) or post.channel
    author = {"name": name[: limits.AUTHOR_NAME].strip(), "url": post.url}
    if photo := limits.acceptable_url(post.photo_url):
        author["icon_url"] = photo
    embed: Embed = {"author": author, "url": post.url, "color": color}
    return embed | ({"timestamp": post.date.isoformat()} if post.date else {})


def _footer(post: TelegramPost) -> Embed:
    words = [one_line(post.signature)[:_NAME_ROOM].strip(), "edited" if post.edited else ""]
    text = " · ".join(word for word in words if word)
    return {"footer": {"text": text}} if text else {}


# --- without ------------------------------------------------------------------------------------


def _as_text(post: TelegramPost, sections: list[post_text.Section], files: Files) -> list[DiscordMessage]:
    runs: list[Run] = []
    for section in sections:
        if isinstance(section, LinkPreview):
            section = post_text.preview_lines(section, described(section, post, files))
        runs += [*section, Run("\n\n")]
    footer = _footer(post).get("footer", {}).get("text", "")
    runs += [Run(f"{footer}\n" if footer else ""), Run(post.url)]
    pieces = markdown.split(markdown.without_formatting(tuple(runs)), CONTENT_ROOM)
    return [DiscordMessage(_sender(post) | {"content": piece}) for piece in pieces]


def _bare(post: TelegramPost) -> DiscordMessage:
    name = markdown.render((Run(one_line(post.author)[:_NAME_ROOM] or post.channel),))
    return DiscordMessage({"content": f"{name}\n{post.url}", "allowed_mentions": {"parse": []}})
