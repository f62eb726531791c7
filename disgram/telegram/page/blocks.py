"""The parts of a post that are no files: one reader a kind, element -> blocks.

Each is called with the element that carries its class (the table is in post.py) and the post's `Place`.
Kinds that no real page at hand shows (buttons, via bot, venues, contacts and the other cards) are read
by the class names that other readers of t.me use; as of 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from bs4 import Tag

from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Poll,
    PollOption,
    Reply,
    RichText,
    Run,
    Text,
    Unsupported,
    ViaBot,
)
from disgram.telegram.page.dom import (
    Place,
    classes,
    find,
    find_all,
    href,
)
from disgram.telegram.page.media import preview_media
from disgram.telegram.page.rich_text import rich_text, words

Reader = Callable[[Tag, Place], Iterator[Block]]

_FORWARDED_FROM = re.compile(r"^Forwarded from\s*", re.IGNORECASE)


def text(element: Tag, place: Place) -> Iterator[Text]:
    runs = rich_text(element, place.channel)
    if runs:
        yield Text(runs)


def author(element: Tag, place: Place) -> Iterator[ViaBot]:
    """The line above the post: its name is the post's author, and behind it may stand "via @bot"."""
    for bot in find_all(element, "tgme_widget_message_via_bot"):
        yield from via_bot(bot, place)


def via_bot(element: Tag, place: Place) -> Iterator[ViaBot]:
    yield ViaBot(words(element), href(element, place.channel))


def forward(element: Tag, place: Place) -> Iterator[Forward | ViaBot]:
    source = find(element, "tgme_widget_message_forwarded_from_name")
    name = words(source) or _FORWARDED_FROM.sub("", words(element))
    who = words(find(element, "tgme_widget_message_forwarded_from_author"))
    yield Forward(name, href(source, place.channel), "" if who == name else who)
    yield from author(element, place)


def reply(element: Tag, place: Place) -> Iterator[Reply]:
    """The quote is `js-message_reply_text` today and had the class of a text alone in 2021."""
    quote = find(element, "js-message_reply_text", "tgme_widget_message_text", "tgme_widget_message_metatext")
    name = find(element, "tgme_widget_message_author_name") or find(element, "tgme_widget_message_author")
    yield Reply(href(element, place.channel), words(name), rich_text(quote, place.channel))


def poll(element: Tag, place: Place) -> Iterator[Poll]:
    options = (
        PollOption(
            words(find(option, "tgme_widget_message_poll_option_text")),
            words(find(option, "tgme_widget_message_poll_option_percent")),
        )
        for option in find_all(element, "tgme_widget_message_poll_option")
    )
    yield Poll(
        question=words(find(element, "tgme_widget_message_poll_question")),
        kind=words(find(element, "tgme_widget_message_poll_type")),
        options=tuple(options),
        voters=place.voters,
    )


def location(element: Tag, place: Place) -> Iterator[Location]:
    yield Location(
        href(element, place.channel) or place.url,
        words(find(element, "tgme_widget_message_location_title", "tgme_widget_message_venue_title")),
        words(find(element, "tgme_widget_message_location_address", "tgme_widget_message_venue_address")),
    )


def link_preview(element: Tag, place: Place) -> Iterator[LinkPreview]:
    url = href(element, place.channel) or place.url
    yield LinkPreview(
        url=url,
        site=words(find(element, "link_preview_site_name")),
        title=words(find(element, "link_preview_title")),
        description=_description(element, place),
        media=tuple(preview_media(element, url)),
        large=find(element, "link_preview_image", "link_preview_video_player") is not None,
    )


_PREVIEW_PARTS = (
    "link_preview_site_name",
    "link_preview_title",
    "link_preview_description",
    "link_preview_video_player",
)


def _description(element: Tag, place: Place) -> RichText:
    """The description, and below it the words of any part that has no place of its own."""
    described = rich_text(find(element, "link_preview_description"), place.channel)
    for part in element.find_all(True, recursive=False):
        if set(_PREVIEW_PARTS).isdisjoint(classes(part)) and not find(part, *_PREVIEW_PARTS):
            more = rich_text(part, place.channel)
            described = (*described, Run("\n"), *more) if described and more else described or more
    return described


def card(kind: str) -> Reader:
    """A reader for kinds that are a heading and a few lines; pictures in it come behind it."""

    def read(element: Tag, place: Place) -> Iterator[Block]:
        link = next((target for part in _links(element) if (target := href(part, place.channel))), None)
        yield Card(kind, rich_text(element, place.channel), link)
        yield from preview_media(element, link or place.url)

    return read


def cards(*kinds: str) -> dict[str, Reader]:
    """By class: each kind's own, and that of the link around it, where there is one."""
    readers = {kind: card(kind.replace("_", " ").capitalize()) for kind in kinds}
    return {
        f"tgme_widget_message_{kind}{wrap}": reader
        for kind, reader in readers.items()
        for wrap in ("_wrap", "")
    }


def _links(element: Tag) -> list[Tag]:
    return [element, *element.find_all("a")]


def keyboard(element: Tag, place: Place) -> Iterator[Buttons]:
    """Inline buttons. A button that only a bot answers has no address; it is shown all the same."""
    rows = list(find_all(element, "tgme_widget_message_inline_row")) or [element]
    read = (_row(row, place) for row in rows)
    found = tuple(row for row in read if row)
    if found:
        yield Buttons(found)


def _row(row: Tag, place: Place) -> tuple[Button, ...]:
    name = "tgme_widget_message_inline_button"
    buttons = [row] if name in classes(row) else find_all(row, name)
    return tuple(Button(words(button), href(button, place.channel)) for button in buttons)


def not_supported(element: Tag, place: Place) -> Iterator[Unsupported]:
    """The label t.me puts beside or instead of what its page cannot show; post.py says which it was."""
    label = find(element, "message_media_not_supported_label")
    yield Unsupported(words(label or element))


def words_and_links(element: Tag, place: Place) -> RichText:
    """All that an element says which nobody knows. A link may stand around it; one without words shows
    its address."""
    around = href(element, place.channel) if element.name == "a" else None
    runs = tuple(replace(run, href=run.href or around) for run in rich_text(element, place.channel))
    told = {run.href for run in runs}
    targets = (href(link, place.channel) for link in _links(element))
    silent = [target for target in dict.fromkeys(targets) if target and target not in told]
    return (*runs, *(part for url in silent for part in (Run("\n"), Run(url, href=url))))[0 if runs else 1 :]
