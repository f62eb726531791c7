"""The text of a post: each block becomes a few lines of rich text, in the order of the page.

All words and signs that Disgram adds to a post ("Forwarded from", bars of a poll) are here. Knows no
Markdown, no embed and no limit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import singledispatch

from disgram.discord.markdown import invisible, too_long
from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaKind,
    Poll,
    PollOption,
    PollVotes,
    Reply,
    RichText,
    Run,
    Style,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
    plain,
)

OPEN_IN_TELEGRAM = "Open in Telegram"
WATCH_IN_TELEGRAM = "Watch in Telegram"

_BOLD = frozenset({Style.BOLD})
_ITALIC = frozenset({Style.ITALIC})
_SIGNS = {
    MediaKind.PHOTO: "🖼️",
    MediaKind.VIDEO: "🎬",
    MediaKind.GIF: "🎞️",
    MediaKind.ROUND_VIDEO: "🎥",
    MediaKind.VOICE: "🎤",
    MediaKind.AUDIO: "🎵",
    MediaKind.DOCUMENT: "📎",
    MediaKind.STICKER: "🏷️",
}
_FILMS = frozenset({MediaKind.VIDEO, MediaKind.GIF, MediaKind.ROUND_VIDEO})
_BAR_LENGTH = 10
_COORDINATES = re.compile(
    r"[?&](?:q|ll)=(-?[0-9]{1,3}(?:\.[0-9]{1,15})?),(-?[0-9]{1,3}(?:\.[0-9]{1,15})?)(?![0-9.])"
)
"""In the address of a map; latitude first."""

Section = RichText | LinkPreview
"""Text, or a link preview, which may become a card."""


def sections(post: TelegramPost, *, lines_for: Collection[int], reply_link: str | None) -> list[Section]:
    """The post from top to bottom. `lines_for`: the media, by index in `post.media`, to show as text.

    Texts are not empty, and there are no two texts in a row.
    """
    found: list[Section] = []
    last: Block | None = None
    for block in _shown_as_text(post, lines_for):
        if isinstance(block, LinkPreview):
            found.append(block)
            last = block
        elif not invisible(plain(text := _linked(_text_of(block, post, reply_link), post))):
            if found and isinstance(found[-1], tuple):
                found[-1] = (*found[-1], Run(_gap(last, block)), *text)
            else:
                found.append(text)
            last = block
    return found


def open_in_telegram(post: TelegramPost) -> RichText:
    """The text of a post of which nothing else can be shown."""
    return (Run(OPEN_IN_TELEGRAM, href=post.url),)


def preview_lines(preview: LinkPreview, description: RichText) -> RichText:
    """A link preview as lines of text: site, title, description; the link is on the title or the site."""
    url = preview.url or None
    head = [text for text in (preview.site, preview.title) if text.strip()]
    runs: list[Run] = []
    for text in head:
        runs += [Run(text, _BOLD, url if text is head[-1] else None), Run("\n")]
    if not head and url:
        runs += [Run(url, href=url), Run("\n")]
    return (*runs, *description)


def _shown_as_text(post: TelegramPost, lines_for: Collection[int]) -> Iterator[Block]:
    """The blocks except media that are sent as files. Of a preview without words only its media count."""
    index = 0
    for block in post.blocks:
        media = (
            (block,) if isinstance(block, Media) else block.media if isinstance(block, LinkPreview) else ()
        )
        if isinstance(block, Media) or (isinstance(block, LinkPreview) and block.only_media):
            yield from (each for offset, each in enumerate(media) if index + offset in lines_for)
        else:
            yield block
        index += len(media)


def _gap(before: Block | None, block: Block) -> str:
    close = isinstance(before, (Forward, Reply)) or isinstance(block, (ViaBot, PollVotes))
    close = close or (_is_line(before) and _is_line(block))
    return "\n" if close or (isinstance(before, Media) and isinstance(block, Media)) else "\n\n"


def _is_line(block: Block | None) -> bool:
    """A line of a card whose other lines stand before or behind it."""
    return isinstance(block, Card) and not block.kind


def _linked(runs: RichText, post: TelegramPost) -> RichText:
    """A link too long for a message leads to the post, where the long one can be followed."""
    return tuple(replace(run, href=post.url) if run.href and too_long(run.href) else run for run in runs)


def _text_of(block: Block, post: TelegramPost, reply_link: str | None) -> RichText:
    if isinstance(block, Reply):
        return _write_reply(block, reply_link)
    if isinstance(block, (Unsupported, Unknown)):
        return _write_unreadable(block, post)
    return _write(block)


def _write_reply(block: Reply, reply_link: str | None) -> RichText:
    """A quote: the author replied to, linked to the post's Discord message if there is one, and its text."""
    author = Run(block.author or "In reply to", _BOLD, reply_link or block.url)
    head = (author, Run(f" · {block.date}")) if block.date else (author,)
    runs = (*head, Run("\n"), *block.runs) if plain(block.runs).strip() else head
    return _quoted(runs)


def _quoted(runs: RichText) -> RichText:
    return tuple(replace(run, styles=run.styles | {Style.QUOTE}) for run in runs)


def _write_unreadable(block: Unsupported | Unknown, post: TelegramPost) -> RichText:
    if isinstance(block, Unknown):
        if not block.shown:
            return ()
        return block.runs or open_in_telegram(post)
    label = [Run(block.label, _ITALIC), Run("\n")] if block.label.strip() else []
    return (*label, *open_in_telegram(post))


# New kind of post, step 3 of 3 (before: telegram/page/parser.py): register a writer for its block here.
@singledispatch
def _write(block: Block) -> RichText:
    raise TypeError(f"no writer for {type(block).__name__}")


@_write.register
def _write_text(block: Text) -> RichText:
    return block.runs


@_write.register
def _write_forward(block: Forward) -> RichText:
    author = (Run(f" ({block.author})"),) if block.author else ()
    return _quoted((Run("Forwarded from "), Run(block.name, _BOLD, block.url), *author))


@_write.register
def _write_via_bot(block: ViaBot) -> RichText:
    return (Run("via "), Run(block.name, href=block.url))


@_write.register
def media_line(block: Media) -> RichText:
    """A file that is not uploaded: its kind or name, linked, and what is known of it."""
    label = block.name or _label(block)
    sign = Run(f"{_SIGNS[block.kind]} " + (f"{block.kind.value}: " if block.name else ""))
    details = [text for text in (block.performer, block.size, block.duration, block.note) if text.strip()]
    return (sign, Run(label, _BOLD, block.link or None), Run("".join(f" · {text}" for text in details)))


def _label(block: Media) -> str:
    if block.kind is MediaKind.STICKER and _is_tgs(block):
        return "Animated sticker"
    if block.kind in _FILMS and block.url is None and block.link.startswith("https://t.me/"):
        return WATCH_IN_TELEGRAM  # too big for the preview
    return block.kind.value


def _is_tgs(block: Media) -> bool:
    return ".tgs" in (block.url or "")


@_write.register
def _write_poll(block: Poll) -> RichText:
    runs = [Run("📊 "), Run(block.question, _BOLD)]
    runs += [Run("\n"), Run(block.kind, _ITALIC)] if block.kind else []
    for option in block.options:
        runs.append(Run("\n" + _option(option)))
    runs += [Run("\n"), Run(_voters(block.voters), _ITALIC)] if block.voters else []
    return tuple(runs)


def _option(option: PollOption) -> str:
    """A bar of ten signs, the percentage as the page has it, the answer, and a sign behind the right one."""
    text = f"{option.text} ✅" if option.correct else option.text
    if not option.percent:
        return f"▫️ {text}"
    digits = "".join(char for char in option.percent.partition(".")[0] if char in "0123456789")
    filled = round(min(int(digits or 0), 100) * _BAR_LENGTH / 100)
    return f"{'▰' * filled}{'▱' * (_BAR_LENGTH - filled)} {option.percent} {text}"


def _voters(count: str) -> str:
    """The page writes a count, or a count with its word ("746 votes")."""
    if " " in count.strip():
        return count
    return f"{count} {'voter' if count.strip() == '1' else 'voters'}"


@_write.register
def _write_votes(block: PollVotes) -> RichText:
    return (Run(block.text, _ITALIC),)


@_write.register
def _write_location(block: Location) -> RichText:
    address = (Run(f"\n{block.address}"),) if block.address else ()
    point = None if block.title else _COORDINATES.search(block.url)
    behind = (Run(f" · {point[1]}, {point[2]}"),) if point else ()
    return (Run("📍 "), Run(block.title or "Location", _BOLD, block.url), *behind, *address)


@_write.register
def _write_card(block: Card) -> RichText:
    heading = (Run(block.kind, _BOLD, block.url), Run("\n")) if block.kind else ()
    return (*heading, *block.runs)


@_write.register
def _write_buttons(block: Buttons) -> RichText:
    runs: list[Run] = []
    for row in block.rows:
        runs += [Run("\n")] if runs else []
        for index, button in enumerate(row):
            runs += [Run(" │ "), _button(button)] if index else [_button(button)]
    return tuple(runs)


def _button(button: Button) -> Run:
    return Run(button.text, href=button.url)
