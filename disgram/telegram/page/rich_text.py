"""Inline markup -> `RichText`: nested entities flattened to runs, white space as a browser shows it.

The rules of white space. Outside <pre>, any stretch of it is one blank, and none at the edge of a line
(NBSP is a character like others). A block (<blockquote>, <pre>, <div>) stands on lines of its own: one
newline parts it from what is before and behind, a <br> there already being that newline, since t.me
keeps the line break of the original text next to the element it made of the block.
Never knows where in a post the text stands.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from bs4.element import NavigableString, PageElement, Tag

from disgram.post import (
    RichText,
    Run,
    Style,
    plain,
)
from disgram.telegram.page.dom import attribute, classes, href

_STYLES = {
    "b": Style.BOLD,
    "strong": Style.BOLD,
    "i": Style.ITALIC,
    "em": Style.ITALIC,
    "u": Style.UNDERLINE,
    "ins": Style.UNDERLINE,
    "s": Style.STRIKE,
    "del": Style.STRIKE,
    "strike": Style.STRIKE,
    "tg-spoiler": Style.SPOILER,
    "code": Style.CODE,
    "pre": Style.PRE,
    "blockquote": Style.QUOTE,
}
_BLOCKS = frozenset({"blockquote", "pre", "div", "p", "ul", "ol", "li", "table", "tr", "section"})
_SILENT = frozenset({"script", "style", "svg", "template", "head", "video", "audio", "canvas"})
_BLANK = re.compile(r"[ \t\n\r\f]+")
_RAW_BREAK = re.compile(r"[\n\r]\s*")
_LANGUAGE = re.compile(r"(?:language-)?([\w+#.-]{1,30})")


class _Look(NamedTuple):
    """How a stretch of text looks; the fields of Run but for the text."""

    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None

    @property
    def verbatim(self) -> bool:
        return Style.PRE in self.styles


def rich_text(element: Tag | None, channel: str) -> RichText:
    """What a reader sees of the element. Neighbours differ; the ends are not blank; empty for None."""
    if element is None:
        return ()
    writer = _Writer()
    _read_children(element, _Look(), writer, channel)
    return writer.finish()


def words(element: Tag | None) -> str:
    """The same as one line without formatting: names, titles, captions of buttons."""
    return _BLANK.sub(" ", plain(rich_text(element, "")))


def _read_children(element: Tag, look: _Look, writer: _Writer, channel: str) -> None:
    for child in element.children:
        _read(child, look, writer, channel)


def _read(node: PageElement, look: _Look, writer: _Writer, channel: str) -> None:
    if type(node) is NavigableString:  # not its children: comments, scripts, declarations
        writer.text(str(node), look)
    elif not isinstance(node, Tag) or node.name in _SILENT or "verified-icon" in classes(node):
        return
    elif node.name == "br":
        writer.newline(look)
    elif node.name == "img":
        writer.text(attribute(node, "alt"), look)
    elif "emoji" in classes(node):
        # <i class="emoji"><b>X</b></i> carries a picture: neither italic nor bold.
        writer.text(node.get_text(), look)
    elif node.name in _BLOCKS:
        _read_block(node, look, writer, channel)
    else:
        _read_children(node, _look_of(node, look, channel), writer, channel)


def _read_block(element: Tag, look: _Look, writer: _Writer, channel: str) -> None:
    writer.begin_line(look)
    if element.name == "pre":
        _drop_first_newline(element)
    before = writer.count
    _read_children(element, _look_of(element, look, channel), writer, channel)
    writer.end_block(before, look)


def _drop_first_newline(element: Tag) -> None:
    """HTML does not show a newline right behind <pre>; libxml2 keeps it."""
    first = next(iter(element.strings), "")
    if isinstance(first, NavigableString) and first.startswith("\n"):
        first.replace_with(first[1:])


def _look_of(element: Tag, look: _Look, channel: str) -> _Look:
    if element.name == "a":
        return look._replace(href=href(element, channel) or look.href)
    style = _STYLES.get(element.name)
    if any("spoiler" in name for name in classes(element)):
        style = Style.SPOILER
    if style is Style.PRE or (style is Style.CODE and look.verbatim):
        return look._replace(styles=look.styles | {Style.PRE}, language=_language(element) or look.language)
    return look._replace(styles=look.styles | {style}) if style else look


def _language(element: Tag) -> str | None:
    match = _LANGUAGE.fullmatch(" ".join(classes(element)))
    return match[1] if match else None


class _Writer:
    """Text with its white space settled as it comes."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, _Look]] = []
        self._due: _Look | None = None
        """A block has ended: whatever comes next begins a line, parted by a newline of this look."""

    @property
    def count(self) -> int:
        return len(self._pieces)

    @property
    def _last(self) -> str:
        return self._pieces[-1][0][-1] if self._pieces else "\n"

    def text(self, text: str, look: _Look) -> None:
        if look.verbatim:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        elif Style.CODE in look.styles:
            text = _RAW_BREAK.sub(" ", text)
        else:
            text = _BLANK.sub(" ", text)
            if self._due or self._last in "\n ":
                text = text.removeprefix(" ")
        if text:
            self._settle()
            self._pieces.append((text, look))

    def newline(self, look: _Look) -> None:
        if self._due:
            look, self._due = self._due, None
        self._drop_blank_end()
        self._pieces.append(("\n", look))

    def begin_line(self, look: _Look) -> None:
        self._settle()
        if self._last != "\n":
            self.newline(look)

    def end_block(self, before: int, look: _Look) -> None:
        """`before`: how many pieces there were when the block began. Its own last newline shows nothing."""
        self._settle()
        self._drop_blank_end()
        if self.count > before and self._last == "\n":
            text, style = self._pieces.pop()
            if text != "\n":
                self._pieces.append((text[:-1], style))
        if self.count > before:
            self._due = look

    def finish(self) -> RichText:
        runs = []
        for look, pieces in groupby(self._pieces, key=lambda piece: piece[1]):
            runs.append(Run("".join(text for text, _ in pieces), *look))
        return _trimmed(runs)

    def _settle(self) -> None:
        if self._due:
            self.newline(self._due)

    def _drop_blank_end(self) -> None:
        while self._pieces and not self._pieces[-1][1].verbatim and self._last == " ":
            text, look = self._pieces.pop()
            if text.rstrip(" "):
                self._pieces.append((text.rstrip(" "), look))


def _trimmed(runs: list[Run]) -> RichText:
    """Without newlines in front (blanks there are a program's indentation) and blanks at the end."""
    while runs and not runs[0].text.strip("\n"):
        runs.pop(0)
    while runs and not runs[-1].text.strip("\n "):
        runs.pop()
    if runs:
        runs[0] = _with_text(runs[0], runs[0].text.lstrip("\n"))
        runs[-1] = _with_text(runs[-1], runs[-1].text.rstrip("\n "))
    return tuple(runs)


def _with_text(run: Run, text: str) -> Run:
    return Run(text, run.styles, run.href, run.language)
