"""What a person sees of a post on t.me's page, read by means of its own: lxml, and nothing of Disgram's.

Words, their looks and links, line breaks, files. What every post has around it (name and picture of the
channel, views, reactions, date) is left out, and so is what a player's fallback says when there is a file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import html as lxml_html  # type: ignore[import-untyped]

FRAME = frozenset({
    "tgme_widget_message_user", "tgme_widget_message_bubble_logo", "tgme_widget_message_owner_name",
    "tgme_widget_message_reactions", "tgme_widget_message_footer", "tgme_widget_message_centered",
    "tgme_widget_message_service_date_wrap", "message_media_view_in_telegram", "verified-icon",
})  # fmt: skip
PLAYERS = frozenset({
    "tgme_widget_message_video_player", "tgme_widget_message_roundvideo_player",
    "tgme_widget_message_voice_player", "link_preview_video_player",
})  # fmt: skip
FILE_LINKS = PLAYERS | {
    "tgme_widget_message_photo_wrap", "tgme_widget_message_document_wrap",
    "tgme_widget_message_service_photo", "tgme_widget_message_poll_options",
    "tgme_widget_message_sticker_wrap",
}  # fmt: skip
"""Links that lead to the post itself."""
TEXTS = frozenset(
    {"tgme_widget_message_text", "js-message_text", "js-message_reply_text", "link_preview_description"}
)
LENGTHS = frozenset({
    "message_video_duration", "tgme_widget_message_roundvideo_duration",
    "tgme_widget_message_voice_duration",
})  # fmt: skip
PREVIEW = "tgme_widget_message_link_preview"
"""Without words it is a picture, and its address is not shown."""
FALLBACK = "message_media_not_supported_wrap"
NO_PICTURES = re.compile("emoji|location|sticker|(?:reply|video|document)_thumb")
"""Painted elements that show no picture of the post's own."""
STYLES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strike", "del": "strike", "strike": "strike", "tg-spoiler": "spoiler", "code": "code", "pre": "pre",
    "blockquote": "quote",
}  # fmt: skip
BLOCKS = frozenset({"div", "blockquote", "pre", "p", "section", "ul", "ol", "li"})
SILENT = frozenset({"script", "style", "svg", "video", "audio", "head", "template"})
BREAK, EDGE = "\n", "\x1e"
"""A <br>, and the border of a block, which begins a line unless one has begun already."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One visible character. `gap` is what parts it from the one before: "", a blank, or so many newlines."""

    char: str
    styles: frozenset[str] = frozenset()
    href: str | None = None
    own: str = ""
    """Which text of the post's own it belongs to; there formatting and gaps count."""
    gap: str = ""


@dataclass
class SeenPost:
    glyphs: list[Glyph] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    spoilered: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)


def elements(html: str) -> list[lxml_html.HtmlElement]:
    """The posts of a page, in its order."""
    return list(lxml_html.fromstring(html).xpath("//div[@data-post]"))


def number_of(element: lxml_html.HtmlElement) -> int:
    return int(element.get("data-post").rpartition("/")[2])


def see(element: lxml_html.HtmlElement, channel: str) -> SeenPost:
    """Read one post. Changes nothing."""
    seen = SeenPost()
    seen.glyphs = list(_spaced(_raw(element, _Look(), channel)))
    if not seen.glyphs and not _files(element):
        seen.glyphs = list(_spaced(_raw(element, _Look(fallbacks=True), channel)))
    for url, hidden in _files(element):
        seen.files[url] += 1
        seen.spoilered |= {url} if hidden else set()
    targets = [(link, target) for link in element.iter("a") if (target := _counted_target(link, channel))]
    unnamed = {target for link, target in targets if PREVIEW in link.get("class", "") and not _label(link)}
    seen.targets = {target for link, target in targets if target not in unnamed or _label(link)}
    return seen


# --- words --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Look:
    styles: frozenset[str] = frozenset()
    href: str | None = None
    own: str = ""
    verbatim: bool = False
    fallbacks: bool = False
    """Nothing else can be seen of the post: then the fallback's words are what there is."""


Raw = tuple[str, _Look]


def _raw(element: lxml_html.HtmlElement, look: _Look, channel: str) -> Iterator[Raw]:
    """Characters as they stand in the source, with BREAK and EDGE between them."""
    names = set(element.get("class", "").split())
    if element.tag in SILENT or names & FRAME or (names & LENGTHS and _has_file(element)):
        return
    if FALLBACK in names and not look.fallbacks and not _is_the_only_word(element):
        return
    if element.tag == "br":
        yield BREAK, look
        return
    inner = _inside(element, names, look, channel)
    if element.tag in BLOCKS:
        yield EDGE, look
    if element.tag == "img":
        yield from ((char, inner) for char in element.get("alt", ""))
    text = element.text or ""
    yield from _characters(text.removeprefix("\n") if element.tag == "pre" else text, inner)
    for child in element:
        if isinstance(child.tag, str):
            yield from _raw(child, inner, channel)
        yield from _characters(child.tail or "", inner)
    if element.tag in BLOCKS:
        yield EDGE, look


def _characters(text: str, look: _Look) -> Iterator[Raw]:
    for char in text:
        yield (BREAK if look.verbatim and char == "\n" else " " if char in "\n\t\r\f" else char), look


def _inside(element: lxml_html.HtmlElement, names: set[str], look: _Look, channel: str) -> _Look:
    emoji = "emoji" in names or "emoji" in (element.getparent().get("class") or "").split()
    style = None if emoji else STYLES.get(element.tag)
    if any("spoiler" in name for name in names):
        style = "spoiler"
    answered = {"quote"} if "tgme_widget_message_reply" in names else set()
    styles = look.styles | ({style} if style else set()) | answered
    href = _target(element, channel) if element.tag == "a" else None
    own = look.own or (element.getroottree().getpath(element) if names & TEXTS else "")
    verbatim = look.verbatim or element.tag == "pre"
    return _Look(styles, href or look.href, own, verbatim, look.fallbacks)


def _spaced(raw: Iterable[Raw]) -> Iterator[Glyph]:
    breaks, edge, blank, first = 0, False, False, True
    for char, look in raw:
        if char == BREAK:
            breaks += 1
        elif char == EDGE:
            edge = True
        elif char.isspace():
            blank = True
        elif _visible(char):
            lines = max(breaks, 1 if edge else 0)
            gap = "" if first else BREAK * lines or (" " if blank else "")
            yield Glyph(char, look.styles, look.href, look.own, gap)
            breaks, edge, blank, first = 0, False, False, False


def _visible(char: str) -> bool:
    """Discord drops control characters and lone surrogates; a ZWSP is the writer's own separator."""
    return ord(char) > 31 and not 0x7F <= ord(char) < 0xA0 and char not in "\u200b\ufeff"


# --- files --------------------------------------------------------------------------------------


def _has_file(element: lxml_html.HtmlElement) -> bool:
    player = _ancestor(element, PLAYERS)
    return player is not None and bool(player.xpath(".//video[@src] | .//audio[@src]"))


def _is_the_only_word(fallback: lxml_html.HtmlElement) -> bool:
    """A player that says why it has no file."""
    player = _ancestor(fallback, PLAYERS)
    return player is not None and not _has_file(fallback)


def _ancestor(element: lxml_html.HtmlElement, names: frozenset[str]) -> lxml_html.HtmlElement | None:
    here = (one for one in element.iterancestors() if names & set(one.get("class", "").split()))
    return next(here, None)


def _files(element: lxml_html.HtmlElement) -> list[tuple[str, bool]]:
    """(address, hidden behind a spoiler), players' blurred backdrops and placeholders left out."""
    found = []
    for one in element.iter():
        if isinstance(one.tag, str) and (url := _file(one)) and url.startswith("http"):
            hidden = any("media_spoiler" in str(name) for name in _classes_around(one))
            found.append((url, hidden))
    return found


def _file(element: lxml_html.HtmlElement) -> str | None:
    names = set(element.get("class", "").split())
    painted = re.search(r"background-image:\s*url\(['\"]?(.*?)['\"]?\)", element.get("style", ""))
    if painted and not NO_PICTURES.search(" ".join(names)):
        return str(painted[1])
    if element.tag in {"video", "audio"} and "blured" not in names:
        return str(element.get("src", ""))
    if element.get("data-webp"):
        return str(element.get("data-webp"))
    if element.get("type") == "application/x-tgsticker":
        return str(element.get("srcset", ""))
    photo = element.tag == "img" and _ancestor(element, frozenset({"tgme_widget_message_service_photo"}))
    return str(element.get("src", "")) if photo is not None and photo is not False else None


def _classes_around(element: lxml_html.HtmlElement) -> Iterator[str]:
    yield from element.xpath("descendant-or-self::*/@class")
    player = _ancestor(element, FILE_LINKS)
    if player is not None:
        yield from player.xpath("descendant-or-self::*/@class")


# --- links --------------------------------------------------------------------------------------


def _target(link: lxml_html.HtmlElement, channel: str) -> str | None:
    href = re.sub(r"[\n\t\r]", "", (link.get("href") or "").strip()).replace("&amp;", "&")
    return urljoin(f"https://t.me/s/{channel}", href) if href and not href.startswith("#") else None


def _label(link: lxml_html.HtmlElement) -> str:
    return re.sub(r"[\s\u200b-\u200f\u2060\ufeff]", "", str(link.text_content()))


def _counted_target(link: lxml_html.HtmlElement, channel: str) -> str | None:
    names = set(link.get("class", "").split()) | {"" if link.get("href") else "no href"}
    if names & (FRAME | FILE_LINKS) or _ancestor(link, FRAME | {FALLBACK}) is not None:
        return None
    target = _target(link, channel)
    # The label shows a number, and people have no address outside Telegram.
    return None if target and target.startswith(("tel:", "tg://user")) else target
