"""A message's text and its entities -> runs.

Entities count UTF-16 units, nest, overlap, and may name places outside the text or inside a character: a
character has an entity's style if the entity covers its first unit. A quote and a block of code (PRE) get
lines of their own, as in `Run`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple
from urllib.parse import quote

from telethon.tl import types as tl

from disgram.post import RichText, Run, Style

_STYLES = {
    tl.MessageEntityBold: Style.BOLD,
    tl.MessageEntityItalic: Style.ITALIC,
    tl.MessageEntityUnderline: Style.UNDERLINE,
    tl.MessageEntityStrike: Style.STRIKE,
    tl.MessageEntitySpoiler: Style.SPOILER,
    tl.MessageEntityCode: Style.CODE,
    tl.MessageEntityPre: Style.PRE,
    tl.MessageEntityBlockquote: Style.QUOTE,
    tl.MessageEntityDiffInsert: Style.UNDERLINE,
    tl.MessageEntityDiffReplace: Style.UNDERLINE,
    tl.MessageEntityDiffDelete: Style.STRIKE,
}
_DATE_FORMAT = (
    ("relative", "r"),
    ("day_of_week", "w"),
    ("short_date", "d"),
    ("long_date", "D"),
    ("short_time", "t"),
    ("long_time", "T"),
)
"""The letters of the Bot API's formats ("wDT"), in its order."""
_BLOCKS = frozenset({Style.PRE, Style.QUOTE})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


class _Span(NamedTuple):
    """Where an entity is, in characters, and what it does."""

    start: int
    end: int
    style: Style | None
    href: str | None = None
    language: str | None = None


def rich_text(text: str, entities: Sequence[tl.TypeMessageEntity] | None, channel: str) -> RichText:
    """The text as a reader sees it, without newlines at its start and white space at its end.

    `channel`: the one that hashtags are searched in, as t.me links them. Neighbouring runs differ.
    """
    spans = list(_spans(text, entities or (), channel))
    return trimmed(merged(_separated(_cut(text, spans))))


def merged(runs: Iterable[Run]) -> list[Run]:
    """Neighbours of equal formatting as one run, without empty ones."""
    filled = (run for run in runs if run.text)
    groups = groupby(filled, key=lambda run: replace(run, text=""))
    return [replace(look, text="".join(run.text for run in same)) for look, same in groups]


def trimmed(runs: Sequence[Run]) -> RichText:
    """Without newlines at the start (blanks there may be the indentation of code) and blanks at the end."""
    kept = list(runs)
    while kept and not kept[0].text.strip("\n"):
        kept.pop(0)
    while kept and not kept[-1].text.strip("\n "):
        kept.pop()
    if kept:
        kept[0] = replace(kept[0], text=kept[0].text.lstrip("\n"))
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip("\n "))
    return tuple(kept)


def absolute(url: str) -> str | None:
    """A link's target with a scheme, on one line; None if there is none."""
    target = "".join(url.split("\n")).strip()
    return target if not target or _SCHEME.match(target) else f"http://{target}"


def _spans(text: str, entities: Iterable[tl.TypeMessageEntity], channel: str) -> Iterator[_Span]:
    units = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))[:-1]
    for entity in entities:
        start = bisect_left(units, entity.offset)
        end = bisect_left(units, entity.offset + entity.length)
        if start < end:
            style = _STYLES.get(type(entity))
            href = _href(entity, text[start:end], channel)
            if style or href:
                yield _Span(start, end, style, href or None, _language(entity))


def _href(entity: tl.TypeMessageEntity, words: str, channel: str) -> str | None:
    match entity:
        case tl.MessageEntityTextUrl():
            return absolute(entity.url)
        case tl.MessageEntityUrl():
            return absolute(words)
        case tl.MessageEntityEmail():
            return f"mailto:{words}"
        case tl.MessageEntityPhone():
            return "tel:" + re.sub(r"[^0-9+]", "", words)
        case tl.MessageEntityMention():
            return "https://t.me/" + words.removeprefix("@")
        case tl.MessageEntityHashtag() | tl.MessageEntityCashtag():
            return search_link(words, channel)
        case tl.MessageEntityFormattedDate():
            return timestamp_link(entity)
    return None


def search_link(words: str, channel: str) -> str | None:
    """Where t.me finds a hashtag's other posts; None for a channel that it does not show."""
    return None if "/" in channel else f"https://t.me/s/{channel}?q={quote(words, safe='', errors='replace')}"


def timestamp_link(date: tl.MessageEntityFormattedDate | tl.TextDate) -> str | None:
    """A date that each reader sees in his own zone, as the Bot API links it in Markdown, and as
    discord/markdown/ reads it. None for one without a format: its words are shown as they are."""
    letters = "".join(letter for name, letter in _DATE_FORMAT if getattr(date, name))
    if not letters or date.date is None:
        return None
    return f"tg://time?unix={int(date.date.timestamp())}&format={letters}"


def _language(entity: tl.TypeMessageEntity) -> str | None:
    if not isinstance(entity, tl.MessageEntityPre):
        return None
    return entity.language if _LANGUAGE.fullmatch(entity.language or "") else None


class _Piece(NamedTuple):
    """A run, and the blocks that it is in: the index of each one's span, and its style."""

    run: Run
    blocks: frozenset[tuple[int, Style]]


def _cut(text: str, spans: Sequence[_Span]) -> Iterator[_Piece]:
    """The text in pieces of one formatting; of several links the one that begins last counts, as in HTML."""
    bounds = sorted({0, len(text), *(span.start for span in spans), *(span.end for span in spans)})
    order = sorted(range(len(spans)), key=lambda index: spans[index].start)
    active: list[int] = []
    upcoming = iter(order)
    following = next(upcoming, None)
    for start, end in pairwise(bounds):
        active = [index for index in active if spans[index].end > start]
        while following is not None and spans[following].start == start:
            active.append(following)
            following = next(upcoming, None)
        yield _piece(text[start:end], [(index, spans[index]) for index in active])


def _piece(text: str, active: Sequence[tuple[int, _Span]]) -> _Piece:
    styles = frozenset(span.style for _, span in active if span.style)
    links = [span for _, span in active if span.href]
    link = max(links, key=lambda span: (span.start, -span.end)).href if links else None
    language = next((span.language for _, span in active if span.language), None)
    blocks = frozenset((index, span.style) for index, span in active if span.style in _BLOCKS)
    return _Piece(Run(text, styles, link, language), blocks)


def _separated(pieces: Iterable[_Piece]) -> Iterator[Run]:
    """One newline where a block begins or ends: the text's own if it has one there, else a new one."""
    last: _Piece | None = None
    on_new_line = False
    for piece in pieces:
        current = piece
        crossed = last is not None and last.blocks != piece.blocks
        if last and not crossed:
            yield last.run
        elif last and crossed:
            text = last.run.text
            own = text.endswith("\n")
            yield _with_text(last.run, text[:-1] if own else text)
            if own or text or not on_new_line:
                yield _newline(last, current)
                if not own and current.run.text.startswith("\n"):
                    current = current._replace(run=_with_text(current.run, current.run.text[1:]))
        on_new_line = crossed
        last = current
    if last:
        yield last.run


def _newline(before: _Piece, after: _Piece) -> Run:
    """Between two pieces in different blocks: with what both sides have, and no block that only one is in."""
    around = frozenset(style for _, style in before.blocks & after.blocks)
    inline = (before.run.styles & after.run.styles) - _BLOCKS
    href = before.run.href if before.run.href == after.run.href else None
    return Run("\n", inline | around, href, after.run.language if Style.PRE in around else None)


def _with_text(run: Run, text: str) -> Run:
    return replace(run, text=text)
