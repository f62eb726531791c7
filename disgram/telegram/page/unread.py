"""What no reader takes from inside an element that has a reader: a new part of a poll, a transcript, a note.

t.me adds such parts before it adds new kinds of posts. Knows which parts the readers take; does not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import Tag
from bs4.element import NavigableString

from disgram.telegram.page.dom import background, classes, is_picture, is_text, words_of

INVISIBLE_TAGS = frozenset({"script", "style", "link", "meta", "noscript", "template"})

_TAKEN_TAGS = INVISIBLE_TAGS | {"video", "audio", "source", "svg", "canvas"}

_TAKEN = frozenset(
    {
        "message_media_not_supported_wrap",
        "message_media_not_supported",
        "message_video_duration",
        "tgme_widget_message_video_thumb",
        "tgme_widget_message_game_video_thumb",
        "tgme_widget_message_roundvideo_thumb",
        "tgme_widget_message_roundvideo_duration",
        "tgme_widget_message_voice_duration",
        "tgme_widget_message_document_icon",
        "tgme_widget_message_document_thumb",
        "tgme_widget_message_document_title",
        "tgme_widget_message_document_extra",
        "tgme_widget_message_poll_question",
        "tgme_widget_message_poll_type",
        "tgme_widget_message_poll_option",
        "tgme_widget_message_poll_option_text",
        "tgme_widget_message_poll_option_percent",
        "tgme_widget_message_location",
        "tgme_widget_message_location_title",
        "tgme_widget_message_location_address",
        "tgme_widget_message_venue_title",
        "tgme_widget_message_venue_address",
        "tgme_widget_message_author",
        "tgme_widget_message_author_name",
        "tgme_widget_message_text",
        "tgme_widget_message_metatext",
        "tgme_widget_message_reply_date",
        "tgme_widget_message_reply_thumb",
        "js-message_reply_text",
        "link_preview_site_name",
        "link_preview_title",
        "link_preview_description",
        "link_preview_image",
        "link_preview_right_image",
        "link_preview_video_player",
    }
)
"""The parts that readers take; of a link preview also every picture."""

Part = Tag | NavigableString


def unread(element: Tag) -> tuple[list[Part], list[Part]]:
    """The parts with words or pictures that nobody takes, in page order: those before the first part that is
    taken, and those after it."""
    before: list[Part] = []
    after: list[Part] = []
    taken = False
    for part in _parts(element):
        if part is None:
            taken = True
        else:
            (after if taken else before).append(part)
    return (before, after) if taken else ([], before)


def _parts(element: Tag) -> Iterator[Part | None]:
    """None stands for a part that a reader takes."""
    for child in element.children:
        if isinstance(child, Tag):
            if _is_taken(child):
                yield None
            elif any(map(_is_taken, child.find_all(True))):
                yield from _parts(child)
            elif _says_something(child):
                yield child
        elif isinstance(child, NavigableString) and is_text(child) and _has_words(child):
            yield child


def _is_taken(element: Tag) -> bool:
    return element.name in _TAKEN_TAGS or not _TAKEN.isdisjoint(classes(element))


def _says_something(element: Tag) -> bool:
    inside = [element, *element.find_all(True)]
    return _has_words(words_of(element)) or any(
        background(each) or (each.name == "img" and is_picture(each)) for each in inside
    )


def _has_words(text: str) -> bool:
    """Not for white space and the signs between two parts."""
    return any(not char.isspace() and (char.isalnum() or ord(char) > 0x2FF) for char in text)
