"""Everything in a post except files: one reader for each kind, element -> blocks.

A reader gets the element that has its class (the table is in parser.py) and the post's `PostContext`.
Kinds that none of the real pages at hand shows (buttons, via bot, venues, contacts and the other cards) are
read by the class names that other readers of t.me use; as of 2026-11.
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
    Media,
    Poll,
    PollOption,
    PollVotes,
    Reply,
    RichText,
    Run,
    Style,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
)
from disgram.telegram.page.dom import PostContext, classes, find, find_all, href
from disgram.telegram.page.media import PLAYERS, files_within, preview_media
from disgram.telegram.page.rich_text import plain_text, rich_text
from disgram.telegram.page.unread import LINK_PREVIEW, POLL_OPTION, VIDEO, Part, Taken, unread

Reader = Callable[[Tag, PostContext], Iterator[Block]]

_FORWARDED_FROM = re.compile(r"^Forwarded from\s*", re.IGNORECASE)


def text(element: Tag, context: PostContext) -> Iterator[Text | Media]:
    """A text, and the files inside it, which rich messages have."""
    runs = rich_text(element, context.channel)
    if runs:
        yield Text(runs)
    yield from files_within(element, context)


def author(element: Tag, context: PostContext) -> Iterator[ViaBot]:
    """The line above the post: the channel's name, which is read elsewhere, and perhaps "via @bot"."""
    for bot in find_all(element, "tgme_widget_message_via_bot"):
        yield from via_bot(bot, context)


def via_bot(element: Tag, context: PostContext) -> Iterator[ViaBot]:
    yield ViaBot(plain_text(element), href(element, context.channel))


def forward(element: Tag, context: PostContext) -> Iterator[Forward | ViaBot]:
    source = find(element, "tgme_widget_message_forwarded_from_name")
    name = plain_text(source) or _FORWARDED_FROM.sub("", plain_text(element))
    signature = plain_text(find(element, "tgme_widget_message_forwarded_from_author"))
    yield Forward(name, href(source, context.channel), "" if signature == name else signature)
    yield from author(element, context)


def reply(element: Tag, context: PostContext) -> Iterator[Reply]:
    """The quote has the class `js-message_reply_text` today; in 2021 it had only that of a text."""
    quote = find(element, "js-message_reply_text", "tgme_widget_message_text", "tgme_widget_message_metatext")
    name = find(element, "tgme_widget_message_author") or find(element, "tgme_widget_message_author_name")
    yield Reply(
        href(element, context.channel),
        plain_text(name),
        rich_text(quote, context.channel),
        date=plain_text(find(element, "tgme_widget_message_reply_date")),
    )


def poll(element: Tag, context: PostContext) -> Iterator[Poll | Unknown | Media]:
    """The poll, and the pictures of its options. Words beside an option's text are shown behind it."""
    options = list(find_all(element, "tgme_widget_message_poll_option"))
    yield Poll(
        question=plain_text(find(element, "tgme_widget_message_poll_question")),
        kind=plain_text(find(element, "tgme_widget_message_poll_type")),
        options=tuple(map(_option, options)),
        voters=context.voters,
    )
    for option in options:
        for part in _unread(option, POLL_OPTION):
            if _words(part):
                yield _reported(part, context)
            if isinstance(part, Tag):
                yield from files_within(part, context)


def _option(option: Tag) -> PollOption:
    words = [find(option, "tgme_widget_message_poll_option_text"), *_unread(option, POLL_OPTION)]
    return PollOption(
        " ".join(text for text in map(_words, words) if text),
        plain_text(find(option, "tgme_widget_message_poll_option_percent")),
        correct=find(option, "tgme_widget_message_poll_option_correct") is not None,
    )


def _unread(element: Tag, taken: Taken) -> list[Part]:
    before, after = unread(element, taken)
    return before + after


def _words(part: Part | None) -> str:
    return plain_text(part) if isinstance(part, Tag) else (part or "").strip()


def _reported(part: Part, context: PostContext) -> Unknown:
    """For a part whose words another block shows."""
    runs = text_and_links(part, context) if isinstance(part, Tag) else (Run(part.strip()),)
    return Unknown(" ".join(classes(part)) if isinstance(part, Tag) else "", runs, str(part), shown=False)


def poll_votes(element: Tag, context: PostContext) -> Iterator[PollVotes]:
    """How many voted, inside a poll; on most pages it stands in the footer."""
    yield PollVotes(plain_text(element))


def location(element: Tag, context: PostContext) -> Iterator[Location]:
    title = find(element, "tgme_widget_message_location_title", "tgme_widget_message_venue_title")
    address = find(element, "tgme_widget_message_location_address", "tgme_widget_message_venue_address")
    yield Location(href(element, context.channel) or context.url, plain_text(title), plain_text(address))


def link_preview(element: Tag, context: PostContext) -> Iterator[LinkPreview | Unknown]:
    url = href(element, context.channel) or context.url
    before, after = unread(element, LINK_PREVIEW)
    description = rich_text(find(element, "link_preview_description"), context.channel)
    lines = [*_lines(before, context), description, *_lines(after, context)]
    yield LinkPreview(
        url=url,
        site=plain_text(find(element, "link_preview_site_name")),
        title=plain_text(find(element, "link_preview_title")),
        description=tuple(
            run for n, line in enumerate(filter(None, lines)) for run in ((Run("\n"),) if n else ()) + line
        ),
        media=tuple(preview_media(element, url)),
        large=find(element, "link_preview_image", "link_preview_video_player") is not None,
    )
    yield from (_reported(part, context) for part in before + after if _words(part) and not _is_button(part))


def _is_button(part: Part) -> bool:
    return isinstance(part, Tag) and "tgme_widget_message_link_button" in classes(part)


def _joined(lines: list[RichText]) -> RichText:
    return tuple(run for n, line in enumerate(lines) for run in ((Run("\n"), *line) if n else line))


def _lines(parts: list[Part], context: PostContext) -> list[RichText]:
    return [
        rich_text(part, context.channel) if isinstance(part, Tag) else (Run(part.strip()),) for part in parts
    ]


def card(kind: str) -> Reader:
    """A reader for kinds that are a heading and a few lines of text, followed by the pictures in them."""

    def read(element: Tag, context: PostContext) -> Iterator[Block]:
        link = next((target for a in _links(element) if (target := href(a, context.channel))), None)
        files = list(preview_media(element, link or context.url))
        players = [player.extract() for player in list(find_all(element, *PLAYERS))]
        yield Card(kind, rich_text(element, context.channel), link)
        yield from files
        for player in players:  # its length and its fallback are no words of the card
            yield from (replace(_reported(part, context), shown=True) for part in _unread(player, VIDEO))

    return read


def card_line(element: Tag, context: PostContext) -> Iterator[Card]:
    """A line of a card that stands in the post without the card's element around it."""
    runs = text_and_links(element, context)
    if any(name.endswith(("_title", "_name")) for name in classes(element)):
        runs = tuple(replace(run, styles=run.styles | {Style.BOLD}) for run in runs)
    if runs:
        yield Card("", runs)


def cards(*kinds: str) -> dict[str, Reader]:
    """CSS class -> reader: the class of each kind, and that of the link some have around them (`_wrap`)."""
    readers = {kind: card(kind.replace("_", " ").capitalize()) for kind in kinds}
    return {
        f"tgme_widget_message_{kind}{suffix}": reader
        for kind, reader in readers.items()
        for suffix in ("_wrap", "")
    }


def card_lines(**parts: str) -> dict[str, Reader]:
    """CSS class -> reader, for parts of cards: kind="part part"."""
    return {
        f"tgme_widget_message_{kind}_{part}": card_line
        for kind, names in parts.items()
        for part in names.split()
    }


def _links(element: Tag) -> list[Tag]:
    return [element, *element.find_all("a")]


def keyboard(element: Tag, context: PostContext) -> Iterator[Buttons]:
    """Inline buttons. A button that sends its press to a bot has no URL; it is shown all the same."""
    elements = list(find_all(element, "tgme_widget_message_inline_row")) or [element]
    rows = tuple(row for row in (_row(each, context) for each in elements) if row)
    if rows:
        yield Buttons(rows)


def link_button(element: Tag, context: PostContext) -> Iterator[Buttons]:
    """A single button that leads somewhere. Its class is in t.me's CSS; not seen."""
    link = next((target for a in _links(element) if (target := href(a, context.channel))), None)
    if words := plain_text(element):
        yield Buttons(((Button(words, link),),))


def _row(row: Tag, context: PostContext) -> tuple[Button, ...]:
    name = "tgme_widget_message_inline_button"
    buttons = [row] if name in classes(row) else find_all(row, name)
    return tuple(Button(plain_text(button), _button_url(button, context)) for button in buttons)


def _button_url(button: Tag, context: PostContext) -> str | None:
    """A button that only a bot answers links to the post itself."""
    url = href(button, context.channel)
    return None if url and url.partition("?")[0].lower() == context.url.lower() else url


def not_supported(element: Tag, context: PostContext) -> Iterator[Unsupported]:
    """The label that t.me shows beside or instead of what the preview cannot show (see parser.py)."""
    label = find(element, "message_media_not_supported_label")
    yield Unsupported(plain_text(label or element))


def text_and_links(element: Tag, context: PostContext) -> RichText:
    """All text of an unknown element, linked if the element itself is a link; then, one a line, the URLs of
    links without text."""
    own_link = href(element, context.channel) if element.name == "a" else None
    runs = tuple(replace(run, href=run.href or own_link) for run in rich_text(element, context.channel))
    shown = {run.href for run in runs}
    targets = (href(link, context.channel) for link in _links(element))
    hidden = [target for target in dict.fromkeys(targets) if target and target not in shown]
    return (*runs, *(run for url in hidden for run in (Run("\n"), Run(url, href=url))))[0 if runs else 1 :]
