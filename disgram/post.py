"""A Telegram post, read from a page. No HTML and no rules of Discord.

A post is a tuple of blocks in their order: telegram/page/parser.py makes them, discord/text.py writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Style(str, Enum):
    """The formatting of a run of text. QUOTE and PRE are blocks: see Run."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Run:
    """Text with the same formatting throughout; line breaks are newlines in `text`.

    Nested and overlapping entities become runs with several styles. A block (QUOTE, PRE) is a sequence of
    runs with that style; two blocks in a row are separated by a newline without it. `language` belongs to
    PRE. `href` is a link of any scheme, absolute and unescaped.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None


RichText = tuple[Run, ...]


def plain(text: RichText) -> str:
    """The text without formatting."""
    return "".join(run.text for run in text)


class MediaKind(str, Enum):
    """Kinds of files; the value is the word that people read."""

    PHOTO = "Photo"
    VIDEO = "Video"
    GIF = "GIF"
    ROUND_VIDEO = "Video message"
    VOICE = "Voice message"
    AUDIO = "Audio"
    DOCUMENT = "File"
    STICKER = "Sticker"


@dataclass(frozen=True, slots=True)
class Media:
    """One file of a post. `url` is None where t.me offers none (documents, music, videos too big for it).
    `link` is the item's page on t.me. `size`, `duration` and `note` are in the page's words. `identity` tells
    whether an edit replaced the file; it has no URL, whose tokens change. `account_url`: where the account's
    process has a file that t.me does not offer (`account:news/12/file`).
    """

    kind: MediaKind
    link: str
    url: str | None = None
    preview_url: str | None = None
    name: str = ""
    size: str = ""
    duration: str = ""
    performer: str = ""
    note: str = ""
    spoiler: bool = False
    identity: str = ""
    account_url: str | None = None


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A downloaded file: its size in bytes, and its media type (`image/jpeg`) as the server gave it."""

    size: int
    content_type: str


# New kind of post, step 1 of 3 (next: telegram/page/parser.py): a dataclass here, and its name in `Block`.


@dataclass(frozen=True, slots=True)
class Text:
    """The post's own text or caption."""

    runs: RichText


@dataclass(frozen=True, slots=True)
class Forward:
    """The line "Forwarded from": a channel (`url` is the post's link), a user, or a hidden user (no link).

    `author`: the signature of the forwarded post.
    """

    name: str
    url: str | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The post this one replies to: its author and the beginning of its text, as the page quotes it.

    `date`: in the page's words, where it gives one.
    """

    url: str | None
    author: str
    runs: RichText
    date: str = ""


@dataclass(frozen=True, slots=True)
class ViaBot:
    """The line "via @bot"."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PollOption:
    text: str
    percent: str
    """As the page writes it ("16%"), empty where the page gives none."""
    correct: bool = False
    """The right answer of a quiz, where the page shows it."""


@dataclass(frozen=True, slots=True)
class Poll:
    """`kind` in the page's words ("Anonymous Quiz"); `voters` is the page's rounded count ("222", "1.2K")."""

    question: str
    kind: str
    options: tuple[PollOption, ...]
    voters: str = ""


@dataclass(frozen=True, slots=True)
class PollVotes:
    """How many voted, in the page's words ("746 votes"), where it stands in the poll itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map; a venue has a title and an address as well."""

    url: str
    title: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """The preview of a link below a text. `media`: its picture and its video, if it has them.

    `large`: with a wide picture, not a thumbnail.
    """

    url: str
    site: str = ""
    title: str = ""
    description: RichText = ()
    media: tuple[Media, ...] = ()
    large: bool = False

    @property
    def only_media(self) -> bool:
        """A picture or a video without a word, as a post has it whose link is hidden in its text: Telegram
        shows it like the post's own, without its address."""
        return bool(self.media) and not any(
            text.strip() for text in (self.site, self.title, plain(self.description))
        )


@dataclass(frozen=True, slots=True)
class Card:
    """Kinds with a heading and a few lines of text: contact, game, invoice, giveaway, paid media, story.

    `kind` is empty for a single line of one, which the page shows by itself.
    """

    kind: str
    runs: RichText
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """`url` is None for a button that only a bot answers."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Buttons:
    """Inline buttons, in rows."""

    rows: tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The preview shows only a label such as "Please open Telegram to view this post"."""

    label: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An element without a reader. Its text is forwarded; its HTML is saved for a bug report.

    `shown`: False if another block has its words already.
    """

    css_class: str
    runs: RichText
    html: str
    shown: bool = True


Block = (
    Text
    | Media
    | Forward
    | Reply
    | ViaBot
    | Poll
    | PollVotes
    | Location
    | LinkPreview
    | Card
    | Buttons
    | Unsupported
    | Unknown
)


@dataclass(frozen=True, slots=True)
class TelegramPost:
    """One parsed post. `ids`: the ids of all its messages (an album of N has N), ascending.

    `photo_url`: the author's picture. `date`: with its zone. `service`: such as "Channel created".
    """

    channel: str
    id: int
    ids: tuple[int, ...]
    author: str
    blocks: tuple[Block, ...]
    photo_url: str | None = None
    signature: str = ""
    date: datetime | None = None
    edited: bool = False
    service: bool = False

    @property
    def url(self) -> str:
        return f"https://t.me/{self.channel}/{self.id}"

    @property
    def last_id(self) -> int:
        return self.ids[-1]

    @property
    def media(self) -> tuple[Media, ...]:
        """Every file of the post in page order, including those of link previews. Other modules refer to a
        file by its index here."""
        found: list[Media] = []
        for block in self.blocks:
            if isinstance(block, Media):
                found.append(block)
            elif isinstance(block, LinkPreview):
                found.extend(block.media)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PostSlice:
    """A post that is not parsed yet. `source`: its HTML on t.me's page, or JSON of the account's process.

    `fingerprint` changes if a reader in Discord could see a difference, but not with view counts, reactions
    or tokens in URLs. `protected`: it must not be forwarded. `published`: seconds since 1970, if known.
    """

    id: int
    ids: tuple[int, ...]
    source: str = field(repr=False)
    fingerprint: str
    service: bool = False
    through_account: bool = False
    protected: bool = False
    published: float | None = None

    @property
    def last_id(self) -> int:
        return self.ids[-1]


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """A page of a channel, split into posts, ascending. `older`: its link to older posts (`?before=`); None
    on the oldest page, and on some others. `description`: the channel's own text about itself. `channel_id`:
    Telegram's own id, if the page tells."""

    channel: str
    title: str
    photo_url: str | None
    slices: tuple[PostSlice, ...]
    older: int | None = None
    description: str = ""
    channel_id: int | None = None
