"""Inline markup -> `RichText`: nested elements flattened to runs, as a browser shows them.

A block element (<blockquote>, <pre>, <div>) has lines of its own; white space is text_writer.py's.

Headings, lists, tables and rules (rich messages, Bot API 10.1 of 2026-06) are read as plain HTML: how t.me
shows them was not seen yet. A table has one line for each row, since Discord has no tables. The reading of
ruby text follows it in brackets; an embedded page is its link.
"""

from __future__ import annotations

import re

from bs4.element import NavigableString, PageElement, Tag

from disgram.post import RichText, Style, plain
from disgram.telegram.list_marks import BULLET, CELL_SEPARATOR, CHECKED, INDENT, RULE, UNCHECKED
from disgram.telegram.page.dom import attribute, classes, file_url, href, is_picture, is_text, words_of
from disgram.telegram.page.tables import CELL_TAGS, column, place_cells
from disgram.telegram.page.text_writer import BLANK, Formatting, TextWriter

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
    ["address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "dialog", "div", "dl",
     "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
     "hgroup", "iframe", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre",
     "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"]
)  # fmt: skip
_HIDDEN_TAGS = frozenset({"script", "style", "svg", "template", "head", "video", "audio", "canvas"})
_LANGUAGE = re.compile(r"(?:language-)?([\w+#.-]{1,30})")


def rich_text(element: Tag | None, channel: str) -> RichText:
    """The element's text as a reader sees it; empty for None.

    Neighbouring runs differ in formatting, and there is no white space at either end.
    """
    if element is None:
        return ()
    writer = TextWriter()
    _read_children(element, Formatting(), writer, channel)
    return writer.finish()


def plain_text(element: Tag | None) -> str:
    """The element's text as one line without formatting: for names, titles, labels of buttons."""
    return BLANK.sub(" ", plain(rich_text(element, "")))


def _read_children(element: Tag, formatting: Formatting, writer: TextWriter, channel: str) -> None:
    for child in element.children:
        _read(child, formatting, writer, channel)


def _read(node: PageElement, formatting: Formatting, writer: TextWriter, channel: str) -> None:
    if is_text(node):
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
    elif node.name == "rp" and not _has_letters(node):
        return  # the brackets of a browser that shows no ruby text
    elif node.name == "rt" and _has_letters(node):
        writer.text(" (", formatting)
        _read_children(node, formatting, writer, channel)
        writer.text(")", formatting)
    elif node.name in _BLOCK_TAGS:
        _read_block(node, formatting, writer, channel)
    else:
        _read_children(node, _formatting_of(node, formatting, channel), writer, channel)


def _has_letters(element: Tag) -> bool:
    return any(map(str.isalnum, words_of(element)))


def _write_frame(frame: Tag, formatting: Formatting, writer: TextWriter) -> None:
    """A page within the page, as a link."""
    address = file_url(attribute(frame, "src"))
    writer.text(attribute(frame, "title") or address or "", formatting._replace(href=address))
    writer.text(" ", formatting)


def _read_block(element: Tag, formatting: Formatting, writer: TextWriter, channel: str) -> None:
    writer.begin_line(formatting)
    if element.name == "pre":
        _drop_first_newline(element)
    if element.name == "ol":
        _number_items(element)
    if element.name == "table":
        place_cells(element)
    before = writer.count
    inner = _formatting_of(element, formatting, channel)
    if element.name == "tr":
        _read_row(element, inner, writer, channel)
    else:
        if element.name == "li":
            writer.mark(_mark(element), inner)
        if element.name == "iframe":
            _write_frame(element, inner, writer)
        _read_children(element, inner, writer, channel)
    writer.end_block(before, formatting)


def _read_row(row: Tag, formatting: Formatting, writer: TextWriter, channel: str) -> None:
    """A separator for each column from one cell to the next. Words beside the cells, where HTML has none, are
    read, too."""
    place, following = 0, 0
    for child in row.children:
        if isinstance(child, Tag) and child.name in CELL_TAGS:
            before, place = place, column(child, following)
            for _ in range(before, place):
                writer.text(CELL_SEPARATOR, formatting)
            following = place + 1
            _write_cell(child, formatting, writer, channel)
        else:
            writer.text(" ", formatting)
            _read(child, formatting, writer, channel)
            writer.text(" ", formatting)


def _write_cell(cell: Tag, formatting: Formatting, writer: TextWriter, channel: str) -> None:
    for run in rich_text(cell, channel):
        styles = formatting.styles | _inline(run.styles)
        writer.text(run.text.replace("\n", " "), Formatting(styles, run.href or formatting.href))


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


def _write_rule(writer: TextWriter, formatting: Formatting) -> None:
    writer.begin_line(formatting)
    before = writer.count
    writer.text(RULE, formatting)
    writer.end_block(before, formatting)


def _drop_first_newline(element: Tag) -> None:
    """HTML ignores a newline right after <pre>, but libxml2 keeps it."""
    first = next(iter(element.strings), "")
    if isinstance(first, NavigableString) and first.startswith("\n"):
        first.replace_with(first[1:])


def _formatting_of(element: Tag, formatting: Formatting, channel: str) -> Formatting:
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
