"""What is seen of a post on t.me's page against what is seen of its messages in Discord, counted.

Owns the comparison: words in order, formatting, links, line breaks and blanks, files. Never renders and
never reads a page itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from urllib.parse import unquote

from disgram.discord.message import DiscordMessage
from disgram.post import TelegramPost
from tests.fidelity import seen_in_discord
from tests.fidelity.seen_in_discord import BORDER, SeenMessages
from tests.fidelity.seen_in_telegram import Glyph, SeenPost

MASK = "\x1f"
OUR_WORDS = re.compile(
    r"[\x1f▰▱│·📊📍🖼🎬🎞🎥🎤🎵📎🏷▫\ufe0f:•]|(?:Open|Watch)in(?:Telegram)|-?[0-9.]+,-?[0-9.]+|Inreplyto|[0-9.KM]+voters?|\(link\)|Forwardedfrom|via"
    r"|Location|Contact|Game|Invoice|Giveaway|Paidmedia|Story|Photo|GIF|Videomessage|Voicemessage|Video|Audio"
    r"|File|Animatedsticker|Sticker|animatedsticker"
)
"""What Disgram may add to a post's words, white space left out."""


ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]+"
)
"""A word of these alone: nobody sees it, and Discord refuses a text of nothing else."""


@dataclass
class Figures:
    """Of `x_kept` of `x`, the more the better; the last group should be 0."""

    posts: int = 0
    messages: int = 0
    words: int = 0
    words_kept: int = 0
    styles: int = 0
    styles_kept: int = 0
    links: int = 0
    links_kept: int = 0
    line_breaks: int = 0
    line_breaks_kept: int = 0
    blanks: int = 0
    blanks_kept: int = 0
    media: int = 0
    media_kept: int = 0
    accidental: int = 0
    """Characters with formatting or links that the post has not."""
    surplus: int = 0
    """Characters that are neither the post's nor Disgram's own words: said twice, mostly."""
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def lost(self, kind: str, expected: int, kept: int, detail: str) -> None:
        """Count, and keep the detail where something is missing."""
        setattr(self, kind, getattr(self, kind) + expected)
        setattr(self, f"{kind}_kept", getattr(self, f"{kind}_kept") + kept)
        if kept != expected:
            self.describe(kind, detail)

    def describe(self, kind: str, detail: str) -> None:
        """The first of each kind says enough of a post."""
        if not any(problem.startswith(kind) for problem in self.problems):
            self.problems.append(f"{kind}: {detail}")


# --- one post -----------------------------------------------------------------------------------


def judge(before: SeenPost, post: TelegramPost, messages: Sequence[DiscordMessage]) -> Figures:
    """Compare what is seen of a post with what is seen of its messages."""
    after = seen_in_discord.see(messages, post.media)
    figures = Figures(posts=1, messages=len(messages))
    places = _words(figures, before, after)
    _generations(figures, before.glyphs, after.glyphs, places)
    _gaps(figures, before.glyphs, after.glyphs, places)
    _links(figures, before, after)
    for url in before.files | after.files:
        right = before.files[url] == after.files[url] and (url in before.spoilered) == (
            url in after.spoilered
        )
        figures.lost("media", 1, right, f"{url[-60:]}: {before.files[url]} there, {after.files[url]} here")
    return figures


Places = dict[int, int]
"""Where each character of the post is found in the messages."""


def _words(figures: Figures, before: SeenPost, after: SeenMessages) -> Places:
    text = _without_written_targets("".join(glyph.char for glyph in after.glyphs), before.targets)
    places, skipped = _aligned(before.glyphs, text)
    for word in _stretches(before.glyphs, bool):
        shown = "".join(before.glyphs[index].char for index in word)
        kept = all(index in places for index in word)
        if kept or not ZERO_WIDTH.fullmatch(shown):
            figures.lost("words", 1, kept, repr(shown))
    shown = "".join(glyph.char for glyph in before.glyphs)
    for target in before.targets:
        # A link that has no words shows its address.
        skipped = skipped if target in shown else skipped.replace(target, "", 1)
    rest = OUR_WORDS.sub("", skipped)
    figures.surplus += len(rest)
    if rest:
        figures.describe("surplus", repr(rest[:200]))
    return places


def _without_written_targets(text: str, targets: set[str]) -> str:
    """What Discord cannot link is written behind its label: those characters are masked."""
    for target in targets:
        if not target.startswith("http"):
            text = text.replace(f"({target})", MASK * (len(target) + 2))
    return text


def _aligned(glyphs: list[Glyph], text: str) -> tuple[Places, str]:
    """Each line of the post is looked for right behind the one before, and if it is not there, each word."""
    places: Places = {}
    skipped, at = "", 0
    for line in _stretches(glyphs, lambda gap: BORDER in gap or "\n" in gap):
        whole = "".join(glyphs[index].char for index in line)
        found = text.find(whole, at)
        words = [line] if found >= 0 and not OUR_WORDS.sub("", text[at:found]) else _split(glyphs, line)
        for word in words:
            found = text.find("".join(glyphs[index].char for index in word), at)
            if found >= 0:
                places |= {index: found + offset for offset, index in enumerate(word)}
                skipped += text[at:found]
                at = found + len(word)
    return places, skipped + text[at:]


def _split(glyphs: list[Glyph], line: list[int]) -> list[list[int]]:
    words: list[list[int]] = []
    for index in line:
        if glyphs[index].gap or glyphs[index].href != glyphs[index - 1].href or not words:
            words.append([])
        words[-1].append(index)
    return words


def _stretches(glyphs: list[Glyph], parts: Callable[[str], bool]) -> Iterator[list[int]]:
    """Indexes of neighbours with no gap of that kind between them."""
    stretch: list[int] = []
    for index, glyph in enumerate(glyphs):
        if stretch and parts(glyph.gap):
            yield stretch
            stretch = []
        stretch.append(index)
    if stretch:
        yield stretch


def _generations(figures: Figures, before: list[Glyph], after: list[Glyph], places: Places) -> None:
    """Formatting of the post's own text, style by style and character by character."""
    shown = "".join(glyph.char for glyph in before)
    for index, place in places.items():
        there, here = before[index], after[place]
        if not there.own:
            continue
        wanted, has = _possible(there), {style.partition(":")[0] for style in here.styles}
        figures.lost("styles", len(wanted), len(wanted & has), f"{there} is shown as {here}")
        if has - wanted or not _led_right(there, here, shown):
            figures.accidental += 1
            figures.describe("accidental", f"{there} is shown as {here}")


def _led_right(there: Glyph, here: Glyph, shown: str) -> bool:
    """To where it leads in Telegram, if anywhere; Discord also links every address that is shown."""
    href = (here.href or "").replace("\u200b", "")
    return _same(href) in ("", _same(there.href or "")) or href in shown


def _possible(glyph: Glyph) -> frozenset[str]:
    """Discord formats nothing inside a block of code."""
    return glyph.styles & {"pre", "quote"} if "pre" in glyph.styles else glyph.styles


def _gaps(figures: Figures, before: list[Glyph], after: list[Glyph], places: Places) -> None:
    """Line breaks and blanks between characters that are neighbours there and here."""
    for index, glyph in enumerate(before):
        if index == 0 or not glyph.own or glyph.own != before[index - 1].own:
            continue
        if index not in places or places.get(index - 1, -2) + 1 != places[index]:
            continue
        here = after[places[index]].gap
        kind = "line_breaks" if "\n" in glyph.gap + here else "blanks"
        right = _same_gap(before[index - 1], glyph, here)
        if glyph.gap or not right:
            around = "".join(one.gap + one.char for one in before[max(0, index - 15) : index + 15])
            figures.lost(kind, 1, right, f"{glyph.gap!r} has become {here!r} in {around!r}")


def _same_gap(last: Glyph, glyph: Glyph, here: str) -> bool:
    """Two quotes need an empty line between them; a message may end anywhere."""
    if BORDER in here:
        return True
    if "\n" not in glyph.gap:
        return bool(glyph.gap) == bool(here) and "\n" not in here
    two_quotes = "quote" in last.styles and "quote" in glyph.styles
    return here.count("\n") - len(glyph.gap) in ({0, 1} if two_quotes else {0})


def _links(figures: Figures, before: SeenPost, after: SeenMessages) -> None:
    found = {_same(target) for target in after.targets}
    text = "".join(glyph.char for glyph in after.glyphs)
    for target in before.targets:
        figures.lost("links", 1, _same(target) in found or target in text, target)


def _same(target: str) -> str:
    """Addresses that differ in escapes alone, or in the slash behind a host, lead to the same place."""
    return unquote(target).rstrip("/")
