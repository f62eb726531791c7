"""Telegram's nested rich text (of rich messages) -> runs, by the same rules as entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from telethon.tl import types as tl

from disgram.post import Run, Style
from disgram.telegram.account.message.entities import absolute, search_link, timestamp_link

PLAIN = Run("")
"""The formatting outside of any element, as a run without text."""

_STYLES = {
    tl.TextBold: Style.BOLD,
    tl.TextItalic: Style.ITALIC,
    tl.TextUnderline: Style.UNDERLINE,
    tl.TextStrike: Style.STRIKE,
    tl.TextFixed: Style.CODE,
    tl.TextSpoiler: Style.SPOILER,
    tl.TextDiff: Style.UNDERLINE,
}


def runs(
    text: tl.TypeRichText | None,
    channel: str,
    look: Run = PLAIN,
    picture: Callable[[int], object] = lambda document_id: None,
) -> Iterator[Run]:
    """`look`: the formatting around the text. `picture` is called with the id of each picture's document."""
    if isinstance(text, tl.TextPlain):
        yield replace(look, text=text.text)
    elif isinstance(text, tl.TextCustomEmoji):
        yield replace(look, text=text.alt)
    elif isinstance(text, tl.TextMath):
        yield replace(look, text=text.source, styles=look.styles | {Style.CODE})
    elif isinstance(text, tl.TextImage):
        picture(text.document_id)
    elif isinstance(text, tl.TextConcat):
        for each in text.texts:
            yield from runs(each, channel, look, picture)
    elif (inner := getattr(text, "text", None)) is not None:
        yield from runs(inner, channel, _formatted(text, look, channel), picture)


def with_style(look: Run, style: Style) -> Run:
    """Code inside a block of code is part of the block."""
    if style is Style.CODE and Style.PRE in look.styles:
        return look
    return replace(look, styles=look.styles | {style})


def _formatted(text: tl.TypeRichText, look: Run, channel: str) -> Run:
    if style := _STYLES.get(type(text)):
        return with_style(look, style)
    href = _href(text, channel)
    return replace(look, href=href) if href else look


def _href(text: tl.TypeRichText, channel: str) -> str | None:
    match text:
        case tl.TextUrl():
            return absolute(text.url)
        case tl.TextEmail():
            return f"mailto:{text.email}"
        case tl.TextPhone():
            return f"tel:{text.phone}"
        case tl.TextDate():
            return timestamp_link(text)
        case tl.TextButton():
            return absolute(text.type.url) if isinstance(text.type, tl.InlineButtonTypeUrl) else None
    return _href_by_words(text, channel)


def _href_by_words(text: tl.TypeRichText, channel: str) -> str | None:
    """Of links that Telegram finds by itself: their words are their target."""
    match text:
        case tl.TextAutoUrl():
            return absolute(_words(text))
        case tl.TextAutoEmail():
            return f"mailto:{_words(text)}"
        case tl.TextAutoPhone():
            return "tel:" + re.sub(r"[^0-9+]", "", _words(text))
        case tl.TextMention():
            return "https://t.me/" + _words(text).removeprefix("@")
        case tl.TextHashtag() | tl.TextCashtag():
            return search_link(_words(text), channel)
    return None


def _words(text: tl.TypeRichText | str) -> str:
    """Without formatting: what is inside is not read as links once more."""
    while not isinstance(text, str):
        if isinstance(text, tl.TextConcat):
            return "".join(map(_words, text.texts)).strip()
        text = getattr(text, "text", None) or getattr(text, "alt", "")
    return text.strip()
