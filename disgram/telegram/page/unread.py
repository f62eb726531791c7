"""What no reader takes from inside an element that has a reader: a new part of a poll, a transcript, a note.

t.me adds such parts before it adds new kinds of posts. Knows which parts each reader takes; does not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import Tag
from bs4.element import NavigableString

from disgram.telegram.page.dom import background, classes, is_picture, is_text, words_of

INVISIBLE_TAGS = frozenset({"script", "style", "link", "meta", "noscript", "template"})

_TAKEN_TAGS = INVISIBLE_TAGS | {"video", "audio", "source", "svg", "canvas"}

Taken = frozenset[str]
"""CSS classes of the parts that a reader takes."""

_NOT_SUPPORTED = frozenset({"message_media_not_supported_wrap", "message_media_not_supported"})
PHOTO: Taken = _NOT_SUPPORTED
VIDEO: Taken = _NOT_SUPPORTED | {
    "message_video_duration",
    "link_preview_video_thumb",
    "tgme_widget_message_video_thumb",
    "tgme_widget_message_game_video_thumb",
}
ROUND_VIDEO: Taken = _NOT_SUPPORTED | {
    "tgme_widget_message_roundvideo_thumb",
    "tgme_widget_message_roundvideo_duration",
}
VOICE: Taken = _NOT_SUPPORTED | {"tgme_widget_message_voice_duration"}
DOCUMENT: Taken = _NOT_SUPPORTED | {
    "tgme_widget_message_document_icon",
    "tgme_widget_message_document_thumb",
    "tgme_widget_message_document_title",
    "tgme_widget_message_document_extra",
}
POLL: Taken = frozenset(
    {
        "tgme_widget_message_poll_question",
        "tgme_widget_message_poll_type",
        "tgme_widget_message_poll_option",
    }
)
POLL_OPTION: Taken = frozenset(
    {"tgme_widget_message_poll_option_text", "tgme_widget_message_poll_option_percent"}
)
LOCATION: Taken = frozenset(
    {
        "tgme_widget_message_location",
        "tgme_widget_message_location_title",
        "tgme_widget_message_location_address",
        "tgme_widget_message_venue_title",
        "tgme_widget_message_venue_address",
    }
)
AUTHOR: Taken = frozenset(
    {
        "tgme_widget_message_owner_name",
        "tgme_widget_message_author_name",
        "tgme_widget_message_via_bot",
        "verified-icon",
    }
)
REPLY: Taken = frozenset(
    {
        "tgme_widget_message_author",
        "tgme_widget_message_author_name",
        "tgme_widget_message_text",
        "tgme_widget_message_metatext",
        "tgme_widget_message_reply_date",
        "tgme_widget_message_reply_thumb",
        "js-message_reply_text",
    }
)
LINK_PREVIEW: Taken = frozenset(
    {
        "link_preview_site_name",
        "link_preview_title",
        "link_preview_description",
        "link_preview_image",
        "link_preview_right_image",
        "link_preview_video_player",
    }
)
"""Of a link preview also every picture."""

Part = Tag | NavigableString


def unread(element: Tag, taken: Taken) -> tuple[list[Part], list[Part]]:
    """The parts with words or pictures that nobody takes, in page order: those before the first part that is
    taken, and those after it."""
    before: list[Part] = []
    after: list[Part] = []
    begun = False
    for part in _parts(element, taken):
        if part is None:
            begun = True
        else:
            (after if begun else before).append(part)
    return (before, after) if begun else ([], before)


def _parts(element: Tag, taken: Taken) -> Iterator[Part | None]:
    """None stands for a part that a reader takes."""
    for child in element.children:
        if isinstance(child, Tag):
            if _is_taken(child, taken):
                yield None
            elif any(_is_taken(each, taken) for each in child.find_all(True)):
                yield from _parts(child, taken)
            elif _says_something(child):
                yield child
        elif isinstance(child, NavigableString) and is_text(child) and _has_words(child):
            yield child


def _is_taken(element: Tag, taken: Taken) -> bool:
    return element.name in _TAKEN_TAGS or not taken.isdisjoint(classes(element))


def _says_something(element: Tag) -> bool:
    inside = [element, *element.find_all(True)]
    return _has_words(words_of(element)) or any(
        background(each) or (each.name == "img" and is_picture(each)) for each in inside
    )


def _has_words(text: str) -> bool:
    """Not for white space and the signs between two parts."""
    return any(not char.isspace() and (char.isalnum() or ord(char) > 0x2FF) for char in text)
