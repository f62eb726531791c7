"""What all readers of a post share: searching its tree by CSS class, and absolute addresses.

Knows HTML, but none of t.me's class names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import Tag
from bs4.element import NavigableString, PageElement, RubyParenthesisString, RubyTextString

_BACKGROUND = re.compile(r"background-image:\s*url\(\s*(['\"]?)(.*?)\1\s*\)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TEXT_TYPES = (NavigableString, RubyTextString, RubyParenthesisString)
_LINE_BREAKS = re.compile(r"[\t\n\r\f]+\s*")


@dataclass(frozen=True, slots=True)
class PostContext:
    """What an element's reader must know of its post: the channel that relative links belong to, the post's
    own link, and a poll's count of voters, which the page shows in the footer."""

    channel: str
    url: str
    voters: str = ""


def attribute(element: PageElement | None, name: str) -> str:
    """The attribute's value; empty if the element or the attribute is missing."""
    value = element.get(name) if isinstance(element, Tag) else None
    return value.strip() if isinstance(value, str) else ""


def classes(element: Tag) -> list[str]:
    value = element.get("class")
    return value.split() if isinstance(value, str) else list(value or ())


def is_text(node: PageElement) -> bool:
    """Not for its children that nobody reads: comments, scripts, declarations."""
    return type(node) in _TEXT_TYPES


def words_of(element: Tag) -> str:
    """Its text as it is; unlike `get_text` with that of ruby, which bs4 takes for something else."""
    return "".join(str(node) for node in element.descendants if is_text(node))


def find_all(element: Tag, *names: str) -> Iterator[Tag]:
    """Descendants that have any of these classes, in page order."""
    wanted = set(names)
    for descendant in element.descendants:
        if isinstance(descendant, Tag) and not wanted.isdisjoint(classes(descendant)):
            yield descendant


def find(element: Tag | None, *names: str) -> Tag | None:
    """The first descendant that has any of these classes."""
    return next(find_all(element, *names), None) if element else None


def href(element: Tag | None, channel: str) -> str | None:
    """A link's target as an absolute URL of any scheme; None if it has no target.

    Since 2024-04 t.me escapes some targets twice. Hashtags are relative to the channel's page.
    """
    target = _LINE_BREAKS.sub("", attribute(element, "href")).replace("&amp;", "&")
    if not target or target.startswith("#"):
        return None
    if _SCHEME.match(target):
        return target
    if target.startswith("//"):
        return f"https:{target}"
    if target.startswith("/"):
        return f"https://t.me{target}"
    return f"https://t.me/s/{channel}{target}" if target.startswith("?") else f"https://t.me/s/{target}"


def file_url(address: str) -> str | None:
    """An absolute http(s) URL, or None: placeholders are data: URLs."""
    address = _LINE_BREAKS.sub("", address)
    if address.startswith("//"):
        return f"https:{address}"
    if address.startswith("/"):
        return f"https://t.me{address}"
    return address if address.startswith(("https://", "http://")) else None


def background(element: Tag | None) -> str | None:
    """The URL of an element's background image, which is how t.me shows pictures."""
    match = _BACKGROUND.search(attribute(element, "style"))
    return file_url(match[2].strip()) if match else None


def is_picture(image: Tag) -> bool:
    """Whether an <img> is a picture and not an emoji, which stands for a letter of the text."""
    words = attribute(image, "alt")
    letters = not words or any(char.isalnum() for char in words)
    emoji = "emoji" in classes(image) or image.find_parent(class_="emoji") or image.find_parent("tg-emoji")
    return bool(letters and not emoji and file_url(attribute(image, "src")))
