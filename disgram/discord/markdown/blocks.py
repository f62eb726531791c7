"""RichText -> Discord Markdown, whole or in chunks of a given length: blocks (quotes, code) and cuts.

A text is cut before it is rendered. Each chunk is rendered on its own, so that styles and blocks open at the
cut are closed before it and opened again after it, and line starts are escaped as such.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from itertools import groupby, takewhile

from disgram.discord.markdown.escape import can_label, cleaned, code_fence, shown_target, target
from disgram.discord.markdown.inline import inline
from disgram.post import RichText, Run, Style, plain

_BREAKS = (
    (re.compile(r"\n[^\S\n]*\n"), 0.5),
    (re.compile(r"\n"), 0.5),
    (re.compile(r"[.!?…。！？][\"'»”’)\]]*\s"), 0.5),
    (re.compile(r"\s"), 0.2),
)
"""Where to cut, best first, and how much of the room the chunk before the cut must use at least."""

_WINDOW = 2
"""A cut looks at no more than this many times the limit, so that the time grows with the chunks alone."""

_REGIONAL_INDICATORS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""A flag is two of them."""


def render(runs: RichText) -> str:
    """Discord Markdown that shows the same text, styles, links and blocks; stripped of white space."""
    clean = tuple(replace(run, text=cleaned(run.text)) for run in runs)
    return _blocks(tuple(run for run in clean if run.text)).strip()


def take(runs: RichText, limit: int, byte_limit: int | None = None) -> tuple[str, RichText]:
    """The longest beginning that fits and ends at a good place, rendered, and the rest of the text.

    `limit` counts code points, as Discord does; `byte_limit` UTF-8 bytes. ("", runs) if not even one
    character fits.
    """
    text = plain(runs)
    if len(text) <= _WINDOW * limit and _fits(whole := render(runs), limit, byte_limit):
        return whole, ()
    cut = _room(runs, limit, byte_limit)
    while cut:
        at = _good_break(text, cut)
        before, after = _cut(runs, at)
        head = render(before)
        if _fits(head, limit, byte_limit):
            rest = _without_leading_blanks(after)
            return (head, rest) if head else take(rest, limit, byte_limit)
        cut = at - 1
    return "", runs


def split(runs: RichText, limit: int, byte_limit: int | None = None) -> list[str]:
    """The whole text in chunks that fit; [] for an empty text.

    Raises ValueError if a limit is too small for one character; above escape.MAX_TARGET none is.
    """
    chunks: list[str] = []
    while runs:
        chunk, rest = take(runs, limit, byte_limit)
        if rest == runs:
            raise ValueError(f"not one character fits into {limit} code points")
        chunks += [chunk] if chunk else []
        runs = rest
    return chunks


def without_formatting(runs: RichText) -> RichText:
    """The text without styles; a link's target follows its label in brackets."""
    bare: list[Run] = []
    for href, span in groupby(runs, key=lambda run: run.href):
        label = "".join(run.text for run in span)
        shown = href and target(href) and href not in {label, label + "/"}
        bare.append(Run(label + (f" ({target(href or '')})" if shown else shown_target(label, href or ""))))
    return tuple(bare)


# --- blocks -------------------------------------------------------------------------------------


def _blocks(runs: RichText) -> str:
    """Each block on lines of its own; two quotes need an empty line between them."""
    out, last = "", "text"
    for kind, group in groupby(runs, key=_kind):
        block = _block(kind, tuple(group))
        if not block:
            continue
        if kind != "text" or last != "text":
            out += _separator(out, block, both_quotes=kind == "quote" and last == "quote")
        out += block
        last = kind if kind != "text" or block.strip() else last
    return out


def _kind(run: Run) -> str:
    if Style.QUOTE in run.styles:
        return "quote"
    return f"pre {run.language or ''}" if Style.PRE in run.styles else "text"


def _block(kind: str, runs: RichText) -> str:
    if kind == "text" or not plain(runs).strip():
        return inline(runs)
    if kind == "quote":
        inner = _blocks(tuple(replace(run, styles=run.styles - {Style.QUOTE}) for run in runs))
        return "\n".join(f"> {line}" for line in inner.rstrip().lstrip("\n").split("\n"))
    return code_fence(plain(runs), runs[0].language)


def _separator(out: str, block: str, *, both_quotes: bool) -> str:
    wanted = 0 if not out.strip() else 2 if both_quotes else 1
    return "\n" * (wanted - (len(out) - len(out.rstrip("\n"))) - (len(block) - len(block.lstrip("\n"))))


# --- cutting ------------------------------------------------------------------------------------


def _fits(text: str, limit: int, byte_limit: int | None) -> bool:
    return len(text) <= limit and (byte_limit is None or len(text.encode()) <= byte_limit)


def _room(runs: RichText, limit: int, byte_limit: int | None) -> int:
    """About how many characters of the text fit when rendered."""
    low, high = 0, min(len(plain(runs)), _WINDOW * limit)
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(render(_slice(runs, 0, middle)), limit, byte_limit):
            low = middle
        else:
            high = middle - 1
    return low


def _good_break(text: str, cut: int) -> int:
    """The best place at or before `cut`; never 0."""
    for pattern, least in _BREAKS:
        ends = [m.end() for m in pattern.finditer(text, 0, cut) if m.end() >= max(1, cut * least)]
        if ends:
            return ends[-1]
    if text[cut : cut + 1].isspace():
        return cut
    return next((at for at in range(cut, max(0, cut - 32), -1) if not _glued(text, at)), cut)


def _glued(text: str, at: int) -> bool:
    """Whether a cut here would split what is shown as one character."""
    before, after = text[at - 1], text[at : at + 1]
    if not after:
        return False
    joined = (
        "\u200d" in (before, after) or "\ufe00" <= after <= "\ufe0f" or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
    half_flags = len(text[:at]) - len(text[:at].rstrip(_REGIONAL_INDICATORS))
    flag = half_flags % 2 == 1 and after in _REGIONAL_INDICATORS
    return joined or flag or bool(unicodedata.combining(after))


def _cut(runs: RichText, at: int) -> tuple[RichText, RichText]:
    """The runs before and after `at`. A link cut in two is kept on the sides that have a usable label."""
    before, after = _slice(runs, 0, at), _slice(runs, at, None)
    href = before[-1].href if before else None
    if href is None or not after or after[0].href != href:
        return before, after
    end = tuple(takewhile(lambda run: run.href == href, reversed(before)))[::-1]
    start = tuple(takewhile(lambda run: run.href == href, after))
    if not can_label(plain(start)):
        return before, (*_unlinked(start), *after[len(start) :])
    if not can_label(plain(end)):
        return (*before[: -len(end)], *_unlinked(end)), after
    return before, after


def _unlinked(runs: RichText) -> RichText:
    return tuple(replace(run, href=None) for run in runs)


def _slice(runs: RichText, start: int, end: int | None) -> RichText:
    """The characters from `start` to before `end`, with their styles and links."""
    sliced: list[Run] = []
    position = 0
    for run in runs:
        text = run.text[max(0, start - position) : None if end is None else max(0, end - position)]
        sliced += [replace(run, text=text)] if text else []
        position += len(run.text)
    return tuple(sliced)


def _without_leading_blanks(runs: RichText) -> RichText:
    """Without blanks and empty lines after a cut; the indentation of code is kept."""
    blank = 0
    for run in runs:
        kept = run.text.lstrip("\n" if Style.PRE in run.styles else None)
        blank += len(run.text) - len(kept)
        if kept:
            break
    return _slice(runs, blank, None)
