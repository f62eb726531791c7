"""Runs of one block as one stretch of inline Markdown: links, code and nested styles.

Owns leaves (pieces with one set of styles) and the order in which markers open and close. Never knows of
quotes, code blocks or limits.

Runs may overlap as they like; markers must nest. So the leaves are walked from left to right with a stack of
open styles: whatever the next leaf lacks is closed, with all that was opened inside it, and what it needs is
opened, the style that lasts longest first. Markers that would merge or be misread side by side are parted by
a zero-width space, and white space at the border of a style is left outside, where Discord needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from disgram.discord.markdown import escape
from disgram.discord.markdown.escape import ZWSP
from disgram.post import RichText, Run, Style

MARKERS = {
    Style.SPOILER: "||",
    Style.UNDERLINE: "__",
    Style.STRIKE: "~~",
    Style.BOLD: "**",
    Style.ITALIC: "*",
}
"""In the order in which styles of equal length nest, outermost first."""

_RANK = {style: rank for rank, style in enumerate(MARKERS)}
Styles = frozenset[Style]


@dataclass(frozen=True, slots=True)
class _Leaf:
    """`text` is what a reader sees; `markup`, where set, is how it is written and must not be escaped."""

    text: str
    styles: Styles
    markup: str | None = None

    @property
    def blank(self) -> bool:
        return self.markup is None and not self.text.replace("\ufeff", " ").strip()


def inline(runs: RichText) -> str:
    """The runs in Discord Markdown. Block styles are ignored: the caller has dealt with them."""
    parts = [part for leaf in _merged(_leaves(runs)) for part in _parted(leaf)]
    return _Writer().write(_at_ease(parts))


# --- leaves -------------------------------------------------------------------------------------


def _leaves(runs: RichText) -> Iterator[_Leaf]:
    end = 0
    for href, span in groupby(runs, key=lambda run: run.href):
        linked = tuple(span)
        end += len(linked)
        yield from _link(linked, href, _first_character(runs[end:])) if href else _plain(linked)


def _first_character(runs: RichText) -> str:
    """What stands first when the runs are written; code begins with a backtick, whatever is in it."""
    return "`" if runs and Style.CODE in runs[0].styles else runs[0].text[:1] if runs else ""


def _plain(runs: Iterable[Run]) -> Iterator[_Leaf]:
    for run in runs:
        styles = run.styles & MARKERS.keys()
        for line in run.text.splitlines(keepends=True) if Style.CODE in run.styles else [run.text]:
            yield from _code(line, styles) if Style.CODE in run.styles else [_Leaf(line, styles)]


def _code(line: str, styles: Styles) -> Iterator[_Leaf]:
    text = line.rstrip("\n")
    if text.strip():
        yield _raw(text, styles, escape.code_span(text))
    else:
        yield _Leaf(text, styles)
    yield _Leaf(line[len(text) :], styles)


def _link(runs: Sequence[Run], href: str, follower: str) -> Iterator[_Leaf]:
    """One link, whose label may change its style on the way."""
    label = "".join(run.text for run in runs)
    bare = escape.bare_url(label, href, follower) if len(runs) == 1 else None
    if bare and Style.CODE not in runs[0].styles:
        yield _raw(label, runs[0].styles & MARKERS.keys(), bare)
        return
    linked = escape.target(href) is not None
    leaves = [leaf for run in runs for leaf in _labelled(run)] if linked else list(_plain(runs))
    yield from leaves
    if linked and not escape.invisible(label) and not any(leaf.markup for leaf in leaves):
        yield _raw("", frozenset(), f" ({escape.masked_link('link', escape.target(href) or '')})")
    yield _Leaf("" if linked else escape.shown_target(label, href), frozenset())


def _labelled(run: Run) -> Iterator[_Leaf]:
    """A stretch of label in one style, line by line; what a label cannot hold stands beside it."""
    styles = run.styles & MARKERS.keys()
    where = escape.target(run.href or "", styled=bool(styles)) or ""
    for line in run.text.splitlines(keepends=True):
        for piece, linkable in escape.label_pieces(line):
            if not linkable:
                yield _Leaf(piece, styles)
                continue
            label = escape.code_span(piece) if Style.CODE in run.styles else piece
            yield _raw(piece, styles, escape.masked_link(label, where))


def _raw(text: str, styles: Styles, markup: str) -> _Leaf:
    """Markup cannot be escaped, so a style whose marker it contains would end inside: it goes without."""
    return _Leaf(text, frozenset(style for style in styles if MARKERS[style] not in markup), markup)


def _merged(leaves: Iterable[_Leaf]) -> list[_Leaf]:
    """Neighbours that look the same as one, so that escaping sees the whole."""
    merged: list[_Leaf] = []
    for leaf in leaves:
        if not leaf.text and not leaf.markup:
            continue
        last = merged[-1] if merged else None
        if last and last.markup is None and leaf.markup is None and last.styles == leaf.styles:
            merged[-1] = replace(last, text=last.text + leaf.text)
        else:
            merged.append(leaf)
    return merged


def _parted(leaf: _Leaf) -> Iterator[_Leaf]:
    """White space at both ends becomes leaves of its own."""
    if leaf.markup is not None or leaf.blank or not leaf.styles:
        yield leaf
        return
    core = leaf.text.strip().strip("\ufeff").strip()
    start = leaf.text.index(core)
    for text in (leaf.text[:start], core, leaf.text[start + len(core) :]):
        if text:
            yield replace(leaf, text=text)


def _at_ease(leaves: list[_Leaf]) -> list[_Leaf]:
    """White space keeps only the styles that go on behind it as well as before it, through all of it."""
    there = _narrowed(leaves)
    return _narrowed(there[::-1])[::-1]


def _narrowed(leaves: list[_Leaf]) -> list[_Leaf]:
    """White space without the styles that the leaf before it has not."""
    narrowed: list[_Leaf] = []
    before: Styles = frozenset()
    for leaf in leaves:
        narrowed.append(replace(leaf, styles=leaf.styles & before) if leaf.blank else leaf)
        before = narrowed[-1].styles
    return narrowed


# --- markers ------------------------------------------------------------------------------------


class _Writer:
    """Writes leaves one after the other. Used once."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[Style] = []
        self._after_close = False
        self._line_blank = True

    def write(self, leaves: Sequence[_Leaf]) -> str:
        for index, leaf in enumerate(leaves):
            self._close(leaf.styles)
            if not leaf.blank:  # a marker before white space is no marker
                self._begin(leaves, index)
            behind = leaves[index + 1] if index + 1 < len(leaves) else None
            self._leaf(leaf, (behind.markup or behind.text)[:1] if behind else "")
        self._close(frozenset())
        return "".join(self._out)

    def _close(self, wanted: Styles) -> None:
        kept = next((i for i, style in enumerate(self._open) if style not in wanted), len(self._open))
        while len(self._open) > kept:
            self._marker(MARKERS[self._open.pop()])
            self._after_close = True

    def _begin(self, leaves: Sequence[_Leaf], index: int) -> None:
        lengths = {style: _extent(leaves, index, style) for style in leaves[index].styles - set(self._open)}
        if lengths and self._after_close:
            self._out.append(ZWSP)
        last: Style | None = None
        for style in sorted(lengths, key=lambda style: (-lengths[style], _RANK[style])):
            if last and {last, style} == {Style.BOLD, Style.ITALIC} and lengths[last] != lengths[style]:
                self._out.append(ZWSP)
            self._marker(MARKERS[style])
            self._open.append(style)
            last = style

    def _marker(self, marker: str) -> None:
        """After text that ends with the marker's own character (escaped, but not all readers see that)."""
        if self._out and self._out[-1].endswith("\\" + marker[0]):
            self._out.append(ZWSP)
        self._out.append(marker)

    def _leaf(self, leaf: _Leaf, follower: str) -> None:
        text = leaf.markup
        if text is None:
            underlined = MARKERS[Style.UNDERLINE] if Style.UNDERLINE in leaf.styles else ""
            text = escape.escape_text(
                leaf.text, line_start=self._line_blank, follower=follower, keep=underlined
            )
        if text.startswith("`") and self._out and self._out[-1].endswith("`"):
            self._out.append(ZWSP)
        self._out.append(text)
        self._after_close = False
        last_line = leaf.text.rpartition("\n")
        self._line_blank = (self._line_blank or bool(last_line[1])) and not last_line[2].strip()


def _extent(leaves: Sequence[_Leaf], start: int, style: Style) -> int:
    """How many leaves from `start` on carry the style."""
    return next((i for i in range(start, len(leaves)) if style not in leaves[i].styles), len(leaves)) - start
