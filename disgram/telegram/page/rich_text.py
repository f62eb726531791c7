"""Inline markup -> `RichText`: nested elements flattened to runs, white space as a browser shows it.

White space: outside <pre>, any sequence of it becomes one blank, and none is left at the start or end of a
line (NBSP counts as a letter). A block element (<blockquote>, <pre>, <div>) has lines of its own: one newline
separates it from what comes before and after. A <br> next to it already is that newline, since t.me keeps
the line break of the original text beside the element.

Headings, lists, tables and rules (rich messages, Bot API 10.1 of 2026-06) are read as plain HTML: how t.me
shows them was not seen yet. A table has one line for each row, since Discord has no tables.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from bs4.element import NavigableString, PageElement, Tag

from disgram.post import RichText, Run, Style, plain
from disgram.telegram.list_marks import BULLET, CELL_SEPARATOR, CHECKED, INDENT, RULE, UNCHECKED
from disgram.telegram.page.dom import attribute, classes, href, is_picture

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
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt"), Style.BOLD),
}
_BLOCK_TAGS = frozenset(
    ["address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "fieldset",
     "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main",
     "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
     "ul"]
)  # fmt: skip
_CELL_TAGS = frozenset({"td", "th"})
_HIDDEN_TAGS = frozenset({"script", "style", "svg", "template", "head", "video", "audio", "canvas"})
_BLANK = re.compile(r"[ \t\n\r\f]+")
_RAW_BREAK = re.compile(r"[\n\r]\s*")
_LANGUAGE = re.compile(r"(?:language-)?([\w+#.-]{1,30})")


class _Formatting(NamedTuple):
    """The fields of Run except its text."""

    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None

    @property
    def verbatim(self) -> bool:
        return Style.PRE in self.styles


def rich_text(element: Tag | None, channel: str) -> RichText:
    """The element's text as a reader sees it; empty for None.

    Neighbouring runs differ in formatting, and there is no white space at either end.
    """
    if element is None:
        return ()
    writer = _Writer()
    _read_children(element, _Formatting(), writer, channel)
    return writer.finish()


def plain_text(element: Tag | None) -> str:
    """The element's text as one line without formatting: for names, titles, labels of buttons."""
    return _BLANK.sub(" ", plain(rich_text(element, "")))


def _read_children(element: Tag, formatting: _Formatting, writer: _Writer, channel: str) -> None:
    for child in element.children:
        _read(child, formatting, writer, channel)


def _read(node: PageElement, formatting: _Formatting, writer: _Writer, channel: str) -> None:
    if type(node) is NavigableString:  # not its children: comments, scripts, declarations
        writer.text(str(node), formatting)
    elif not isinstance(node, Tag) or node.name in _HIDDEN_TAGS or "verified-icon" in classes(node):
        return
    elif node.name == "br":
        writer.newline(formatting)
    elif node.name == "hr":
        _write_rule(writer, formatting)
    elif node.name == "img":
        # The words for a picture that is not shown; those of a file (media.py) are not the post's text.
        writer.text("" if is_picture(node) else attribute(node, "alt"), formatting)
    elif node.name == "input":
        writer.text(_checkbox(node), formatting)
    elif "emoji" in classes(node):
        # <i class="emoji"><b>X</b></i> shows a picture: it is neither italic nor bold.
        writer.text(node.get_text(), formatting)
    elif node.name in _BLOCK_TAGS:
        _read_block(node, formatting, writer, channel)
    else:
        _read_children(node, _formatting_of(node, formatting, channel), writer, channel)


def _read_block(element: Tag, formatting: _Formatting, writer: _Writer, channel: str) -> None:
    writer.begin_line(formatting)
    if element.name == "pre":
        _drop_first_newline(element)
    if element.name == "ol":
        _number_items(element)
    before = writer.count
    inner = _formatting_of(element, formatting, channel)
    if element.name == "tr":
        _read_row(element, inner, writer, channel)
    else:
        if element.name == "li":
            writer.mark(_mark(element), inner)
        _read_children(element, inner, writer, channel)
    writer.end_block(before, formatting)


def _read_row(row: Tag, formatting: _Formatting, writer: _Writer, channel: str) -> None:
    cells = [child for child in row.children if isinstance(child, Tag) and child.name in _CELL_TAGS]
    for index, cell in enumerate(cells):
        writer.text(CELL_SEPARATOR if index else "", formatting)
        for run in rich_text(cell, channel):
            styles = formatting.styles | _inline(run.styles)
            writer.text(run.text.replace("\n", " "), _Formatting(styles, run.href or formatting.href))


def _inline(styles: frozenset[Style]) -> frozenset[Style]:
    """The styles of a cell, which has one line: a quote and a block of code have lines of their own."""
    code = {Style.CODE} if Style.PRE in styles else set()
    return (styles | code) - {Style.PRE, Style.QUOTE}


def _mark(item: Tag) -> str:
    """What stands before an item of a list: a bullet, its number, or nothing before a checkbox."""
    depth = len(item.find_parents(["ul", "ol"]))
    indent = INDENT * (depth - 1)
    if item.find("input", type="checkbox") in item.contents[:2]:
        return indent
    number = attribute(item, "value")
    return indent + (f"{number}. " if number and item.parent and item.parent.name == "ol" else BULLET)


def _number_items(ordered: Tag) -> None:
    """Write its number into each item's `value`. As HTML counts: from `start`, on from the last `value`, and
    downwards in a `reversed` list."""
    items = ordered.find_all("li", recursive=False)
    step = -1 if ordered.has_attr("reversed") else 1
    number = _integer(attribute(ordered, "start"), 1 if step == 1 else len(items))
    for item in items:
        number = _integer(attribute(item, "value"), number)
        item["value"] = str(number)
        number += step


def _integer(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else otherwise


def _checkbox(element: Tag) -> str:
    if attribute(element, "type").lower() != "checkbox":
        return ""
    return CHECKED if element.has_attr("checked") else UNCHECKED


def _write_rule(writer: _Writer, formatting: _Formatting) -> None:
    writer.begin_line(formatting)
    before = writer.count
    writer.text(RULE, formatting)
    writer.end_block(before, formatting)


def _drop_first_newline(element: Tag) -> None:
    """HTML ignores a newline right after <pre>, but libxml2 keeps it."""
    first = next(iter(element.strings), "")
    if isinstance(first, NavigableString) and first.startswith("\n"):
        first.replace_with(first[1:])


def _formatting_of(element: Tag, formatting: _Formatting, channel: str) -> _Formatting:
    if element.name == "a":
        return formatting._replace(href=href(element, channel) or formatting.href)
    style = _STYLES.get(element.name)
    if any("spoiler" in name for name in classes(element)):
        style = Style.SPOILER
    if style is Style.PRE or (style is Style.CODE and formatting.verbatim):
        language = _language(element) or formatting.language
        return formatting._replace(styles=formatting.styles | {Style.PRE}, language=language)
    return formatting._replace(styles=formatting.styles | {style}) if style else formatting


def _language(element: Tag) -> str | None:
    match = _LANGUAGE.fullmatch(" ".join(classes(element)))
    return match[1] if match else None


class _Writer:
    """Collects spans of text and normalizes their white space."""

    def __init__(self) -> None:
        self._spans: list[tuple[str, _Formatting]] = []
        self._pending_newline: _Formatting | None = None
        """Set when a block has ended: whatever comes next starts on a new line, and the newline has this
        formatting."""
        self._marked = 0
        """The count of spans right after the mark of a list's item: its first block stays on that line."""

    @property
    def count(self) -> int:
        return len(self._spans)

    @property
    def _last(self) -> str:
        return self._spans[-1][0][-1] if self._spans else "\n"

    def text(self, text: str, formatting: _Formatting) -> None:
        if formatting.verbatim:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        elif Style.CODE in formatting.styles:
            text = _RAW_BREAK.sub(" ", text)
        else:
            text = _BLANK.sub(" ", text)
            if self._pending_newline or self._last in "\n ":
                text = text.removeprefix(" ")
        if text:
            self._write_pending_newline()
            self._spans.append((text, formatting))

    def newline(self, formatting: _Formatting) -> None:
        if self._pending_newline:
            formatting, self._pending_newline = self._pending_newline, None
        self._drop_trailing_blanks()
        self._spans.append(("\n", formatting))

    def mark(self, text: str, formatting: _Formatting) -> None:
        """The mark before an item of a list."""
        self.text(text, formatting)
        self._marked = self.count

    def begin_line(self, formatting: _Formatting) -> None:
        self._write_pending_newline()
        if self._last != "\n" and self.count != self._marked:
            self.newline(formatting)

    def end_block(self, before: int, formatting: _Formatting) -> None:
        """`before`: the number of spans when the block began. A newline at the block's end is dropped."""
        self._write_pending_newline()
        self._drop_trailing_blanks()
        if self.count > before and self._last == "\n":
            text, style = self._spans.pop()
            if text != "\n":
                self._spans.append((text[:-1], style))
        if self.count > before:
            self._pending_newline = formatting

    def finish(self) -> RichText:
        runs = []
        for formatting, spans in groupby(self._spans, key=lambda span: span[1]):
            runs.append(Run("".join(text for text, _ in spans), *formatting))
        return _trimmed(runs)

    def _write_pending_newline(self) -> None:
        if self._pending_newline:
            self.newline(self._pending_newline)

    def _drop_trailing_blanks(self) -> None:
        while self._spans and not self._spans[-1][1].verbatim and self._last == " ":
            text, formatting = self._spans.pop()
            if text.rstrip(" "):
                self._spans.append((text.rstrip(" "), formatting))


def _trimmed(runs: list[Run]) -> RichText:
    """Without newlines at the start (blanks there may be the indentation of code) and blanks at the end."""
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
