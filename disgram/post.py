"""What a post says, as read off a page. No HTML, no Discord rule.

A post is a tuple of blocks in the order of the page: a reader of t.me turns each element of a message into
one block, a writer for Discord turns each block into a piece of the message, and a new kind of post is one
dataclass here, one function there and one function there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Style(str, Enum):
    """The formatting a run of text can carry. QUOTE and PRE are blocks: see Run."""

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
    """A stretch of text with the same formatting throughout; line breaks are newlines in `text`.

    Nested and overlapping entities come out as runs that carry several styles. A block (QUOTE, PRE)
    is a run of neighbours that share the style; two separate blocks are parted by a newline without it.
    `language` belongs to PRE, `href` to links of any scheme, already absolute and unescaped.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None


RichText = tuple[Run, ...]


def plain(text: RichText) -> str:
    """The characters alone."""
    return "".join(run.text for run in text)


class MediaKind(str, Enum):
    """What can come as a file; the value is the word people read."""

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
    """One file of a post. `url` is None where t.me offers none (documents, music, too big videos).

    `identity` names the file for edit detection and never holds a URL, whose tokens rotate.
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


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A media file at hand: its size in bytes and its media type (`image/jpeg`), as the server named it."""

    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Text:
    """The post's own text or caption."""

    runs: RichText


@dataclass(frozen=True, slots=True)
class Forward:
    """The line "Forwarded from": a channel (with the post's link), a user, or a hidden one (no link)."""

    name: str
    url: str | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The post this one answers: its author and the beginning of its text, as the page quotes it."""

    url: str | None
    author: str
    runs: RichText


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


@dataclass(frozen=True, slots=True)
class Poll:
    """`kind` is the page's own words ("Anonymous Quiz"); `voters` its rounded count ("222", "1.2K")."""

    question: str
    kind: str
    options: tuple[PollOption, ...]
    voters: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map; a venue has a title and an address as well."""

    url: str
    title: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """The card under a text. `media` holds its picture and its video, whichever there are."""

    url: str
    site: str = ""
    title: str = ""
    description: RichText = ()
    media: tuple[Media, ...] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """Kinds that are a heading and a few lines: contact, game, invoice, giveaway, paid media, story."""

    kind: str
    runs: RichText
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
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
    """An element no reader knows. What it says is forwarded, its markup goes into the layout report."""

    css_class: str
    runs: RichText
    html: str


Block = (
    Text
    | Media
    | Forward
    | Reply
    | ViaBot
    | Poll
    | Location
    | LinkPreview
    | Card
    | Buttons
    | Unsupported
    | Unknown
)


@dataclass(frozen=True, slots=True)
class TelegramPost:
    """One post, read whole. `ids` are all message numbers it covers (an album of N has N), ascending."""

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
        """Every file of the post in page order, those of a link preview included; the index is its key."""
        found: list[Media] = []
        for block in self.blocks:
            if isinstance(block, Media):
                found.append(block)
            elif isinstance(block, LinkPreview):
                found.extend(block.media)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PostSlice:
    """A post not yet parsed: its numbers and its piece of HTML.

    `fingerprint` changes when something a reader of Discord could see changed, and never with view
    counts, reactions or rotating tokens.
    """

    id: int
    ids: tuple[int, ...]
    html: str = field(repr=False)
    fingerprint: str
    service: bool = False

    @property
    def last_id(self) -> int:
        return self.ids[-1]


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """A preview page split into posts, ascending. `older` is the page's own cursor (`?before=`), None on the
    oldest page."""

    channel: str
    title: str
    photo_url: str | None
    slices: tuple[PostSlice, ...]
    older: int | None = None
