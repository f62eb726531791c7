"""A post's texts and cards -> drafts of messages, filled in order.

The text of an embed goes as far as it fits, and the rest into the next message: never into a second embed
with the same `url`, since Discord shows only the pictures of such an embed. A card is an embed of its own, in
the next message if there is no room. Files go into the first message that has room for them.

Does not know what the sections say, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from disgram.discord import markdown, message_limits
from disgram.discord.draft import Draft, Embed, Files
from disgram.discord.link_buttons import Row
from disgram.discord.link_card import LinkCard, description_of, link_card, one_line
from disgram.discord.text import Section, preview_lines
from disgram.post import LinkPreview, MediaKind, RichText, Run, TelegramPost

MAX_NAME = 200
"""Characters of a signature or a channel's title; Telegram allows 128 for either."""


def pack(
    post: TelegramPost, sections: Sequence[Section], files: Files, color: int, buttons: Sequence[Row] = ()
) -> list[Draft]:
    """The messages of a post, at least one, each within Discord's limits; each has room for `buttons`."""
    return _Packer(post, files, color, buttons).pack(sections)


def footer_text(post: TelegramPost) -> str:
    """The author's signature and "edited", whichever there are."""
    parts = [one_line(post.signature)[:MAX_NAME].strip(), "edited" if post.edited else ""]
    return " · ".join(part for part in parts if part)


class _Packer:
    """Packs one post. Used once."""

    def __init__(self, post: TelegramPost, files: Files, color: int, buttons: Sequence[Row]) -> None:
        self._post = post
        self._files = files
        self._color = color
        self._footer = _footer(post)
        self._reserved = self._footer | {"components": list(buttons)}
        self._first_embed = _first_embed(post, color)
        self._drafts = [Draft(self._reserved, [self._first_embed])]
        self._last_text = self._first_embed
        """The post's own last embed: a footer below a card would read as the card's."""

    def pack(self, sections: Sequence[Section]) -> list[Draft]:
        contents = self._with_cards(sections)
        in_cards = {index for card in contents if isinstance(card, LinkCard) for index in card.files}
        others = [index for index in self._files.uploads if index not in in_cards]
        remaining = self._attach_to_first(others)
        for content in contents:
            if isinstance(content, LinkCard):
                self._add_card(content)
            else:
                self._add_text(content)
        self._attach_to_later(remaining)
        self._last_text |= self._footer
        return self._drafts

    def _with_cards(self, sections: Sequence[Section]) -> list[RichText | LinkCard]:
        """Link previews as cards; one that does not fit into a card becomes part of the text around it."""
        contents: list[RichText | LinkCard] = []
        for section in sections:
            content = section if isinstance(section, tuple) else self._card_or_lines(section)
            if contents and isinstance(contents[-1], tuple) and isinstance(content, tuple):
                contents[-1] = (*contents[-1], Run("\n\n"), *content)
            else:
                contents.append(content)
        return contents

    def _card_or_lines(self, preview: LinkPreview) -> RichText | LinkCard:
        description = description_of(preview, self._post, self._files)
        card = link_card(preview, description, self._post, self._files, self._color)
        empty = Draft(self._reserved)
        if card and empty.takes_embed(card.embed) and empty.takes_files(*self._sizes(card.files)):
            return card
        return preview_lines(preview, description)

    def _sizes(self, indexes: Iterable[int]) -> list[int]:
        return [self._files.sizes[index] for index in indexes]

    def _add_text(self, runs: RichText) -> None:
        """Into the first embed; after a card into this message if all of it fits; else into new messages."""
        draft = self._drafts[-1]
        if draft.embeds == [self._first_embed]:
            text, runs = markdown.take(runs, *draft.description_room({}))
            self._first_embed |= {"description": text} if text else {}
        elif len(draft.embeds) < message_limits.EMBEDS:
            text, rest = markdown.take(runs, *draft.description_room({"color": self._color}))
            if _is_blank(rest):
                self._append_text(draft, {"color": self._color, "description": text})
                return
        continued = {"color": self._color, "url": self._post.url}
        while not _is_blank(runs):
            draft = self._next_draft()
            text, runs = markdown.take(runs, *draft.description_room(continued))
            self._append_text(draft, continued | {"description": text})

    def _append_text(self, draft: Draft, embed: Embed) -> None:
        draft.embeds.append(embed)
        self._last_text = embed

    def _add_card(self, card: LinkCard) -> None:
        draft = self._drafts[-1]
        url = card.embed.get("url")
        repeated = url is not None and url in [embed.get("url") for embed in draft.embeds]
        fits = draft.takes_embed(card.embed) and draft.takes_files(*self._sizes(card.files))
        if repeated or not fits:
            draft = self._next_draft()
        draft.embeds.append(dict(card.embed))
        for index in card.files:
            draft.attach(self._files.uploads[index], self._files.sizes[index])

    def _attach_to_first(self, indexes: list[int]) -> list[int]:
        """Attach what fits into the first message; returns the files left over."""
        first = self._drafts[0]
        if len(indexes) == 1 and (url := self._single_photo(indexes[0])):
            self._first_embed["image"] = {"url": url}
        for position, index in enumerate(indexes):
            if not first.takes_files(self._files.sizes[index]):
                return indexes[position:]
            first.attach(self._files.uploads[index], self._files.sizes[index])
        return []

    def _single_photo(self, index: int) -> str | None:
        media = self._post.media[index]
        return None if media.spoiler or media.kind is MediaKind.STICKER else self._files.picture(index)

    def _attach_to_later(self, indexes: list[int]) -> None:
        candidates = self._drafts[1:]
        for index in indexes:
            size = self._files.sizes[index]
            while not (candidates and candidates[0].takes_files(size)):
                candidates = candidates[1:] or [self._next_draft()]
            candidates[0].attach(self._files.uploads[index], size)

    def _next_draft(self) -> Draft:
        self._drafts.append(Draft(self._reserved))
        return self._drafts[-1]


def _first_embed(post: TelegramPost, color: int) -> Embed:
    name = one_line(post.author) or post.channel
    author = {"name": name[: message_limits.AUTHOR_NAME].strip(), "url": post.url}
    if photo := message_limits.acceptable_url(post.photo_url):
        author["icon_url"] = photo
    embed: Embed = {"author": author, "url": post.url, "color": color}
    return embed | ({"timestamp": post.date.isoformat()} if post.date else {})


def _footer(post: TelegramPost) -> Embed:
    text = footer_text(post)
    return {"footer": {"text": text}} if text else {}


def _is_blank(runs: RichText) -> bool:
    return not any(markdown.cleaned(run.text).strip() for run in runs)
