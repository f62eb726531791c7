"""Spans of text -> runs, with white space as a browser shows it.

White space: outside <pre>, any sequence of it becomes one blank, and none is left at the start or end of a
line (NBSP counts as a letter). A block element (<blockquote>, <pre>, <div>) has lines of its own: one newline
separates it from what comes before and after. A <br> next to it already is that newline, since t.me keeps
the line break of the original text beside the element.

Does not know HTML's elements.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from disgram.post import RichText, Run, Style

BLANK = re.compile(r"[ \t\n\r\f]+")
_RAW_BREAK = re.compile(r"[\n\r]\s*")


class Formatting(NamedTuple):
    """The fields of Run except its text."""

    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None

    @property
    def verbatim(self) -> bool:
        return Style.PRE in self.styles


class TextWriter:
    """Collects spans of text and normalizes their white space."""

    def __init__(self) -> None:
        self._spans: list[tuple[str, Formatting]] = []
        self._pending_newline: Formatting | None = None
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

    def text(self, text: str, formatting: Formatting) -> None:
        if formatting.verbatim:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        elif Style.CODE in formatting.styles:
            text = _RAW_BREAK.sub(" ", text)
        else:
            text = BLANK.sub(" ", text)
            if self._pending_newline or self._last in "\n ":
                text = text.removeprefix(" ")
        if text:
            self._write_pending_newline()
            self._spans.append((text, formatting))

    def newline(self, formatting: Formatting) -> None:
        if self._pending_newline:
            formatting, self._pending_newline = self._pending_newline, None
        self._drop_trailing_blanks()
        self._spans.append(("\n", formatting))

    def mark(self, text: str, formatting: Formatting) -> None:
        """The mark before an item of a list."""
        self.text(text, formatting)
        self._marked = self.count

    def begin_line(self, formatting: Formatting) -> None:
        self._write_pending_newline()
        if self._last != "\n" and self.count != self._marked:
            self.newline(formatting)

    def end_block(self, before: int, formatting: Formatting) -> None:
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
