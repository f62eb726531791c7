"""A reader of Discord Markdown: what a person sees of a description, character by character.

Written from the client's known behaviour, not from our writer: a parser that tries its rules at each place,
from left to right, and reads what a rule encloses again. Known quirks are kept, since a writer has to live
with them: `~~` and `||` do not know escapes, markers see into code and links, the longest of several matching
emphasis rules wins, escapes are shown in link labels, a label that looks like a URL undoes its link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

ASCII_WORD = re.compile(r"[A-Za-z0-9_]")


@dataclass(frozen=True)
class Seen:
    """One character as shown: its styles (Telegram's names; anything else is accidental) and its link."""

    char: str
    styles: frozenset[str] = frozenset()
    href: str | None = None


Found = tuple[int, list[Seen]]
"""How many characters a rule took, and what is seen of them."""


@dataclass(frozen=True)
class _Context:
    styles: frozenset[str] = frozenset()
    href: str | None = None
    quoted: bool = False
    inline: bool = False
    label: bool = False
    title: bool = False

    def also(self, style: str, *, inline: bool = True) -> _Context:
        quoted = self.quoted or style == "quote"
        return replace(self, styles=self.styles | {style}, quoted=quoted, inline=inline)

    def show(self, text: str) -> list[Seen]:
        return [Seen(char, self.styles, self.href) for char in text]


def read(markdown: str, *, title: bool = False) -> list[Seen]:
    """All that is shown, in order; Discord trims the text first. A `title` has no blocks, no masked links."""
    return _read(markdown.strip(), _Context(inline=title, title=title))


def text_of(seen: list[Seen]) -> str:
    return "".join(one.char for one in seen)


def _read(source: str, context: _Context) -> list[Seen]:
    seen: list[Seen] = []
    at = 0
    while at < len(source):
        for rule in _RULES:
            found = rule(source, at, context)
            if found:
                break
        else:
            found = 1, context.show(source[at])
        at += found[0]
        seen += found[1]
    return seen


def _line_start(source: str, at: int) -> bool:
    return at == 0 or source[at - 1] == "\n"


# --- blocks ---


def _quote(source: str, at: int, context: _Context) -> Found | None:
    if context.quoted or context.inline or not _line_start(source, at):
        return None
    if rest := re.compile(r" *>>> ").match(source, at):
        return len(source) - at, _read(source[rest.end() :], context.also("quote", inline=False))
    lines = re.compile(r"(?: *> [^\n]*(?:\n|$))+").match(source, at)
    if not lines:
        return None
    inner = re.sub(r"(?m)^ *> ", "", lines[0].removesuffix("\n"))
    shown = _read(inner, context.also("quote", inline=False))
    return len(lines[0]), shown + [Seen("\n")] * lines[0].endswith("\n")


def _line(source: str, at: int, context: _Context) -> Found | None:
    """A heading or subtext: the rest of its line."""
    match = re.compile(r" *(#{1,3}|-#)\s+(\S[^\n]*)").match(source, at)
    if context.inline or not _line_start(source, at) or not match:
        return None
    style = "subtext" if match[1] == "-#" else f"heading:{len(match[1])}"
    return len(match[0]), _read(match[2], context.also(style))


def _list_item(source: str, at: int, context: _Context) -> Found | None:
    """Its marker alone; what follows is read as any text is."""
    match = re.compile(r"( *)([-*+]|[0-9]+\.)\s").match(source, at)
    if context.inline or not _line_start(source, at) or not match:
        return None
    marker = match[2] if match[2][0].isdigit() else "•"
    return len(match[0]), context.also("list").show(f"{match[1]}{marker} ")


def _fence(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(r"```(?:([A-Za-z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```", re.DOTALL).match(source, at)
    if not match:
        return None
    style = f"pre:{match[1]}" if match[1] else "pre"
    return len(match[0]), context.also(style).show(match[2])


# --- leaves ---


def _escape(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(r"\\([^0-9A-Za-z\s])").match(source, at)
    if not match:
        return None
    return len(match[0]), context.show(match[0] if context.label else match[1])


def _autolink(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(r"<([^: >]+:/[^ >\n]+)>").match(source, at)
    if not match:
        return None
    return len(match[0]), replace(context, href=match[1]).show(match[1])


def _url(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(r"https?://[^\s<]+[^<.,:;\"'\])\s]").match(source, at)
    if not match or context.label:
        return None
    return len(match[0]), replace(context, href=match[0]).show(match[0])


def _link(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(
        r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))+)\]\(\s*<?(https?://[^\s)<>]+)>?\s*\)", re.IGNORECASE
    ).match(source, at)
    if not match or context.label or context.title:
        return None
    if re.search(r"https?://[^\s<]{2}", match[1]) or re.search(r"<[@#:/a-z]", match[1]):
        return len(match[0]), context.also("literal link").show(match[0])
    inner = replace(context, href=match[2], inline=True, label=True)
    return len(match[0]), _read(match[1], inner)


def _code(source: str, at: int, context: _Context) -> Found | None:
    match = re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL).match(source, at)
    if not match:
        return None
    return len(match[0]), context.also("code").show(match[2])


def _entity(source: str, at: int, context: _Context) -> Found | None:
    """Mentions, times, custom emoji, command and guide links; `:name:` may be an emoji, `:http:` is none."""
    match = re.compile(
        r"<(?:@[!&]?[0-9]+|#[0-9]+|a?:[^\s:<>]+:[0-9]+|t:-?[0-9]+(?::[A-Za-z])?|/[^\s>]+:[0-9]+|id:[a-z]+)>"
        r"|@everyone|@here|:(?!https?://)[a-z0-9_+-]*[a-z][a-z0-9_+-]*:"
    ).match(source, at)
    return (len(match[0]), context.also("entity").show(match[0])) if match else None


# --- emphasis ---


def _closing(source: str, at: int, marker: str, *, escapes: bool, not_before: str) -> int | None:
    """Where the first possible closing marker stands, with at least one character before it."""
    position = at
    while position < len(source):
        if position > at and source.startswith(marker, position):
            behind = source[position + len(marker) : position + len(marker) + 1]
            if not behind or behind not in not_before:
                return position
        position += 2 if escapes and source[position] == "\\" else 1
    return None


def _star_italic_end(source: str, at: int) -> int | None:
    """`*…*`: no blank behind the opening or before the closing star, `**` pairs belong to the inside."""
    if at >= len(source) or source[at].isspace():
        return None
    position = at
    while position < len(source):
        char = source[position]
        if char == "*" and position > at and source[position + 1 : position + 2] != "*":
            return position
        if char == "\\":
            position += 2
        elif char == "*":
            if source[position + 1 : position + 2] != "*":
                return None
            position += 2
        elif char.isspace():
            rest = source[position:].lstrip()
            position = len(source) - len(rest)
            if not rest or (rest[0] == "*" and not rest.startswith("**")):
                return None
        else:
            position += 1
    return None


def _underscore_italic_end(source: str, at: int) -> int | None:
    """`_…_`, the closing one not followed by an ASCII word character."""
    position = at
    while position < len(source):
        if source[position] == "_" and not source.startswith("__", position):
            word = ASCII_WORD.match(source, position + 1)
            return position if position > at and not word else None
        position += 2 if source[position] == "\\" or source.startswith("__", position) else 1
    return None


def _emphasis(source: str, at: int, context: _Context) -> Found | None:
    """Bold, underline and italic compete: the longest wins, then italic, then bold."""
    found: list[tuple[int, int, int, str]] = []
    if source.startswith("**", at):
        end = _closing(source, at + 2, "**", escapes=True, not_before="*")
        found += [(end + 2, 1, 2, "bold")] if end else []
    if source.startswith("__", at):
        end = _closing(source, at + 2, "__", escapes=True, not_before="_")
        found += [(end + 2, 0, 2, "underline")] if end else []
    if source[at] == "*":
        end = _star_italic_end(source, at + 1)
        found += [(end + 1, 2, 1, "italic")] if end else []
    if source[at] == "_":
        end = _underscore_italic_end(source, at + 1)
        found += [(end + 1, 2, 1, "italic")] if end else []
    if not found:
        return None
    stop, _, width, style = max(found)
    return stop - at, _read(source[at + width : stop - width], context.also(style))


def _paired(marker: str, style: str, not_before: str) -> Callable[[str, int, _Context], Found | None]:
    def rule(source: str, at: int, context: _Context) -> Found | None:
        if not source.startswith(marker, at):
            return None
        end = _closing(source, at + 2, marker, escapes=False, not_before=not_before)
        if end is None:
            return None
        return end + 2 - at, _read(source[at + 2 : end], context.also(style))

    return rule


_RULES = (
    _quote,
    _line,
    _list_item,
    _fence,
    _escape,
    _autolink,
    _entity,
    _url,
    _link,
    _emphasis,
    _paired("~~", "strike", "_"),
    _paired("||", "spoiler", ""),
    _code,
)


def runs_of(seen: list[Seen]) -> Iterator[tuple[str, frozenset[str], str | None]]:
    """Neighbours that look the same, together: for readable failures."""
    text = ""
    for index, one in enumerate(seen):
        text += one.char
        behind = seen[index + 1] if index + 1 < len(seen) else None
        if not behind or (behind.styles, behind.href) != (one.styles, one.href):
            yield text, one.styles, one.href
            text = ""
