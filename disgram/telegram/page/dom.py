"""What all readers of a post's tree share: finding by class, and addresses made absolute.

Knows HTML and nothing of what t.me means by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import Tag
from bs4.element import PageElement

_BACKGROUND = re.compile(r"background-image:\s*url\(\s*(['\"]?)(.*?)\1\s*\)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LINE_BREAKS = re.compile(r"[\t\n\r\f]+\s*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element stands: the channel that relative links belong to, the post's own link, and the
    count of voters, which the page keeps in the footer, far from the poll."""

    channel: str
    url: str
    voters: str = ""


def attribute(element: PageElement | None, name: str) -> str:
    """Its value, empty where the element or the attribute is missing."""
    value = element.get(name) if isinstance(element, Tag) else None
    return value.strip() if isinstance(value, str) else ""


def classes(element: Tag) -> list[str]:
    value = element.get("class")
    return value.split() if isinstance(value, str) else list(value or ())


def find_all(element: Tag, *names: str) -> Iterator[Tag]:
    """Descendants that carry any of these classes, in page order."""
    wanted = set(names)
    for descendant in element.descendants:
        if isinstance(descendant, Tag) and not wanted.isdisjoint(classes(descendant)):
            yield descendant


def find(element: Tag | None, *names: str) -> Tag | None:
    """The first such descendant."""
    return next(find_all(element, *names), None) if element else None


def href(element: Tag | None, channel: str) -> str | None:
    """Where a link leads, as an absolute address of any scheme; None where it leads nowhere.

    t.me escapes some targets twice since 2024-04; hashtags are relative to the channel's page.
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
    """An address that can be fetched, or None: placeholders are data: URLs."""
    address = _LINE_BREAKS.sub("", address)
    if address.startswith("//"):
        return f"https:{address}"
    if address.startswith("/"):
        return f"https://t.me{address}"
    return address if address.startswith(("https://", "http://")) else None


def background(element: Tag | None) -> str | None:
    """The picture that t.me paints as an element's background."""
    match = _BACKGROUND.search(attribute(element, "style"))
    return file_url(match[2].strip()) if match else None
