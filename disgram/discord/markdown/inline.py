"""The runs of one block as inline Markdown: links, code and nested styles.

Styles of runs may overlap, but markers must nest. So the leaves (spans with one set of styles) are written
from left to right with a stack of open styles: a style that the next leaf lacks is closed, with all styles
opened inside it, and the styles it needs are opened, the one that lasts longest first. Markers that would
merge or be misread side by side are separated by a zero-width space. White space at the edge of a style is
left outside its markers, as Discord requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from disgram.discord.markdown import escape
from disgram.discord.markdown.escape import ZWSP
from disgram.discord.markdown.timestamp import timestamp
from disgram.post import RichText, Run, Style

MARKERS = {
    Style.SPOILER: "||",
    Style.UNDERLINE: "__",
    Style.STRIKE: "~~",
    Style.BOLD: "**",
    Style.ITALIC: "*",
}
"""In the order in which styles of equal length are nested, outermost first."""

_RANK = {style: rank for rank, style in enumerate(MARKERS)}
Styles = frozenset[Style]


@dataclass(frozen=True, slots=True)
class _Leaf:
    """`text` is what a reader sees; `markdown`, if set, is how it is written, and is not escaped."""

    text: str
    styles: Styles
    markdown: str | None = None

    @property
    def blank(self) -> bool:
        return self.markdown is None and not self.text.replace("\ufeff", " ").strip()


def inline(runs: RichText) -> str:
    """The runs in Discord Markdown. Block styles (QUOTE, PRE) are ignored: the caller writes them."""
    separated = [each for leaf in _merged(_leaves(runs)) for each in _without_outer_blanks(leaf)]
    return _Writer().write(_restyled_blanks(separated))


# --- leaves -------------------------------------------------------------------------------------


def _leaves(runs: RichText) -> Iterator[_Leaf]:
    end = 0
    for href, span in groupby(runs, key=lambda run: run.href):
        linked = tuple(span)
        end += len(linked)
        yield from _link(linked, href, _first_character(runs[end:])) if href else _plain(linked)


def _first_character(runs: RichText) -> str:
    """The first character of the runs as written; code begins with a backtick."""
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
    """One link; its label may consist of several runs with different styles."""
    label = "".join(run.text for run in runs)
    code = any(Style.CODE in run.styles for run in runs)
    if (time := timestamp(href)) and not code:
        yield _raw(label, runs[0].styles & MARKERS.keys(), time)
        return
    bare = escape.bare_url(label, href, follower) if len(runs) == 1 else None
    if bare and not code:
        yield _raw(label, runs[0].styles & MARKERS.keys(), bare)
        return
    linked = escape.target(href) is not None
    leaves = [leaf for run in runs for leaf in _labelled(run)] if linked else list(_plain(runs))
    yield from leaves
    if linked and not escape.invisible(label) and not any(leaf.markdown for leaf in leaves):
        yield _raw("", frozenset(), f" ({escape.masked_link('link', escape.target(href) or '')})")
    yield _Leaf("" if linked else escape.shown_target(label, href), frozenset())


def _labelled(run: Run) -> Iterator[_Leaf]:
    """The part of a label that is one run, line by line; characters not allowed in a label go beside it."""
    styles = run.styles & MARKERS.keys()
    target = escape.target(run.href or "", styled=bool(styles)) or ""
    for line in run.text.splitlines(keepends=True):
        for span, linkable in escape.label_spans(line):
            if not linkable:
                yield _Leaf(span, styles)
                continue
            label = escape.code_span(span) if Style.CODE in run.styles else span
            yield _raw(span, styles, escape.masked_link(label, target))


def _raw(text: str, styles: Styles, markdown: str) -> _Leaf:
    """Markdown as it is. A style whose marker it contains would end inside it, so it is dropped."""
    return _Leaf(text, frozenset(style for style in styles if MARKERS[style] not in markdown), markdown)


def _merged(leaves: Iterable[_Leaf]) -> list[_Leaf]:
    """Neighbours of equal styles as one leaf, so that escaping sees their whole text."""
    merged: list[_Leaf] = []
    for leaf in leaves:
        if not leaf.text and not leaf.markdown:
            continue
        last = merged[-1] if merged else None
        if last and last.markdown is None and leaf.markdown is None and last.styles == leaf.styles:
            merged[-1] = replace(last, text=last.text + leaf.text)
        else:
            merged.append(leaf)
    return merged


def _without_outer_blanks(leaf: _Leaf) -> Iterator[_Leaf]:
    """White space at both ends becomes leaves of its own."""
    if leaf.markdown is not None or leaf.blank or not leaf.styles:
        yield leaf
        return
    core = leaf.text.strip().strip("\ufeff").strip()
    start = leaf.text.index(core)
    for text in (leaf.text[:start], core, leaf.text[start + len(core) :]):
        if text:
            yield replace(leaf, text=text)


def _restyled_blanks(leaves: list[_Leaf]) -> list[_Leaf]:
    """White space keeps only the styles that both its neighbours have."""
    forward = _with_previous_styles(leaves)
    return _with_previous_styles(forward[::-1])[::-1]


def _with_previous_styles(leaves: list[_Leaf]) -> list[_Leaf]:
    """White space without the styles that the leaf before it does not have."""
    restyled: list[_Leaf] = []
    before: Styles = frozenset()
    for leaf in leaves:
        restyled.append(replace(leaf, styles=leaf.styles & before) if leaf.blank else leaf)
        before = restyled[-1].styles
    return restyled


# --- markers ------------------------------------------------------------------------------------


class _Writer:
    """Writes leaves in order. Used once."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[Style] = []
        self._after_close = False
        self._line_blank = True

    def write(self, leaves: Sequence[_Leaf]) -> str:
        for index, leaf in enumerate(leaves):
            self._close(leaf.styles)
            if not leaf.blank:  # Discord takes no marker before white space
                self._begin(leaves, index)
            after = leaves[index + 1] if index + 1 < len(leaves) else None
            self._leaf(leaf, (after.markdown or after.text)[:1] if after else "")
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
        """Separate it from text that ends with its own character: not all Markdown readers see the escape."""
        if self._out and self._out[-1].endswith("\\" + marker[0]):
            self._out.append(ZWSP)
        self._out.append(marker)

    def _leaf(self, leaf: _Leaf, follower: str) -> None:
        text = leaf.markdown
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
