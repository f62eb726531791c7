"""The words for what a post consists of, as KINDS takes them.

A post may be of several kinds: a forwarded photo that answers another post is `photo`, `forward` and `reply`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from disgram.errors import BadInput
from disgram.post import (
    Block,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaKind,
    Poll,
    Reply,
    Run,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
)

_OF_MEDIA = {
    MediaKind.PHOTO: "photo",
    MediaKind.VIDEO: "video",
    MediaKind.GIF: "gif",
    MediaKind.ROUND_VIDEO: "round",
    MediaKind.VOICE: "voice",
    MediaKind.AUDIO: "audio",
    MediaKind.DOCUMENT: "document",
    MediaKind.STICKER: "sticker",
}
_OF_CARD = ("contact", "game", "invoice", "giveaway", "paid", "story", "checklist")
"""How a card's own word begins ("Giveaway results", "Paid media")."""

KINDS = (
    *("text", *_OF_MEDIA.values(), "poll", "location", *_OF_CARD),
    *("forward", "reply", "link", "service", "unsupported"),
)
"""All words, in the order of the README."""

_MEDIA_KINDS = frozenset(_OF_MEDIA.values())


@dataclass(frozen=True, slots=True)
class KindsRule:
    """`words`: those of KINDS. `unwanted`: posts that have one of them are left out, the others forwarded."""

    words: frozenset[str]
    unwanted: bool = False

    @classmethod
    def parse(cls, text: str) -> KindsRule:
        """`photo,video`, or `-forward,-service`. Raises BadInput."""
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        signs = {part.startswith("-") for part in parts}
        words = [part.removeprefix("-").strip() for part in parts]
        for word in words:
            if word not in KINDS:
                raise BadInput("Invalid KINDS", f"{word[:40]!r} is no kind of post: {', '.join(KINDS)}.")
        if len(signs) != 1:
            raise BadInput(
                "Invalid KINDS",
                "Name the kinds to forward (photo,video), or those to leave out, each with - in front "
                "(-forward,-service), not both.",
            )
        return cls(frozenset(words), signs.pop())

    def __str__(self) -> str:
        """As it may be parsed again, in the order of KINDS."""
        return ",".join(f"{'-' if self.unwanted else ''}{word}" for word in KINDS if word in self.words)

    def passes(self, kinds: frozenset[str]) -> bool:
        return bool(self.words & kinds) != self.unwanted


def kinds_of(post: TelegramPost) -> frozenset[str]:
    """Every kind that the post is. A service message is that and nothing else."""
    if post.service:
        return frozenset({"service"})
    kinds = {word for block in post.blocks for word in _words(block)}
    if kinds & _MEDIA_KINDS:
        kinds.discard("text")  # a captioned photo is a photo
    return frozenset(kinds)


def _words(block: Block) -> Iterator[str]:
    match block:
        case Media():
            yield _OF_MEDIA[block.kind]
        case Text():
            yield "text"
            if any(map(_is_link, block.runs)):
                yield "link"
        case Card():
            yield from (word for word in _OF_CARD if block.kind.lower().startswith(word))
        case Poll():
            yield "poll"
        case Location():
            yield "location"
        case Forward():
            yield "forward"
        case Reply():
            yield "reply"
        case LinkPreview():
            yield "link"
        case Unsupported() | Unknown():
            yield "unsupported"
        case _:
            pass


def _is_link(run: Run) -> bool:
    """Not a name, a hashtag or a cashtag, which Telegram makes into links to itself."""
    web = (run.href or "").lower().startswith(("http://", "https://"))
    return web and not run.text.lstrip().startswith(("@", "#", "$"))
