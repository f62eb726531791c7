"""One slice of a page -> `TelegramPost`: the table from CSS class to reader, and the post's frame.

The walk goes down from the slice in page order. An element whose class is in `_READERS` becomes blocks;
one in `_FRAME` is what every post has around it and is left out; any other is looked into, if something
known is inside it, and else becomes `Unknown`, so that no words are lost when t.me brings out a new kind.
Never decides what is forwarded or how it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from bs4 import BeautifulSoup, Tag
from bs4.builder import ParserRejectedMarkup
from bs4.element import NavigableString

from disgram.errors import PageNotUnderstood
from disgram.post import (
    Block,
    Card,
    ChannelPage,
    LinkPreview,
    Location,
    Media,
    Poll,
    PostSlice,
    Run,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
)
from disgram.telegram.page import blocks as parts
from disgram.telegram.page import media
from disgram.telegram.page.dom import (
    Place,
    attribute,
    classes,
    file_url,
    find,
)
from disgram.telegram.page.rich_text import words

_READERS: dict[str, parts.Reader] = {
    "tgme_widget_message_author": parts.author,
    "tgme_widget_message_via_bot": parts.via_bot,
    "tgme_widget_message_forwarded_from": parts.forward,
    "tgme_widget_message_reply": parts.reply,
    "tgme_widget_message_text": parts.text,
    "tgme_widget_message_photo_wrap": media.photo,
    "tgme_widget_message_service_photo": media.service_photo,
    "tgme_widget_message_video_player": media.video,
    "tgme_widget_message_roundvideo_player": media.round_video,
    "tgme_widget_message_voice_player": media.voice,
    "tgme_widget_message_document_wrap": media.document,
    "tgme_widget_message_sticker": media.sticker,
    "tgme_widget_message_tgsticker": media.animated_sticker,
    "tgme_widget_message_videosticker": media.video_sticker,
    "js-videosticker_video": media.video_sticker,
    "tgme_widget_message_poll": parts.poll,
    "tgme_widget_message_location_wrap": parts.location,
    "tgme_widget_message_venue_wrap": parts.location,
    "tgme_widget_message_link_preview": parts.link_preview,
    **parts.cards("contact", "game", "invoice", "giveaway", "paid_media", "story"),
    "tgme_widget_message_inline_keyboard": parts.keyboard,
    "tgme_widget_message_inline_row": parts.keyboard,
    "tgme_widget_message_inline_button": parts.keyboard,
    "message_media_not_supported_wrap": parts.not_supported,
}

_STRUCTURE = frozenset(
    {"tgme_widget_message_wrap", "tgme_widget_message", "tgme_widget_message_bubble", "media_supported_cont"}
)

_FRAME = frozenset(
    {
        "tgme_widget_message_user",
        "tgme_widget_message_bubble_tail",
        "tgme_widget_message_bubble_logo",
        "tgme_widget_message_reactions",
        "tgme_widget_message_footer",
        "tgme_widget_message_videosticker_thumb",
        # The link to newer posts, which stands behind the last one of a page.
        "tgme_widget_message_centered",
        # Put there by a script in the browser; saved pages have it.
        "tgme_widget_message_service_date_wrap",
    }
)

_SMALL_WORDS = frozenset({"", "via"})
"""Bare words of the frame; the second one stands before a bot's name."""

_NEVER_SHOWN = frozenset({"script", "style", "link", "meta", "noscript", "template"})

_READABLE = (Text, Media, Poll, Location, LinkPreview, Card)


def parse_post(piece: PostSlice, page: ChannelPage) -> TelegramPost:
    """Read a post whole. Raises PageNotUnderstood when the slice holds no message at all."""
    try:
        # A lone surrogate is no character; libxml2 would refuse the whole slice for it.
        soup = BeautifulSoup(piece.html.encode("utf-8", "replace").decode(), "lxml")
        message = find(soup, "tgme_widget_message")
        if message is None:
            raise PageNotUnderstood(f"nothing of post {piece.id} is left in its piece of the page")
        return _post(soup, piece, page)
    except (ParserRejectedMarkup, RecursionError) as error:
        raise PageNotUnderstood(f"post {piece.id} cannot be read: {type(error).__name__}") from error


def _post(soup: Tag, piece: PostSlice, page: ChannelPage) -> TelegramPost:
    footer = find(soup, "tgme_widget_message_footer")
    voters = find(footer, "tgme_widget_message_voters") or find(soup, "tgme_widget_message_poll_votes")
    place = Place(page.channel, f"https://t.me/{page.channel}/{piece.id}", words(voters))
    return TelegramPost(
        channel=page.channel,
        id=piece.id,
        ids=piece.ids,
        author=words(find(soup, "tgme_widget_message_owner_name")) or page.title,
        blocks=_without_idle_labels(list(_blocks(soup.body or soup, place))),
        photo_url=_avatar(soup) or page.photo_url,
        signature=words(find(footer, "tgme_widget_message_from_author")),
        date=_date(footer),
        edited=_edited(footer),
        service=piece.service,
    )


def _blocks(element: Tag, place: Place) -> Iterator[Block]:
    for child in element.children:
        if isinstance(child, Tag):
            yield from _block(child, place)
        elif type(child) is NavigableString and child.strip() not in _SMALL_WORDS:
            yield Unknown("", (Run(child.strip()),), str(child))


def _block(element: Tag, place: Place) -> Iterable[Block]:
    if element.name in _NEVER_SHOWN:
        return ()
    names = classes(element)
    reader = next((_READERS[name] for name in names if name in _READERS), None)
    if reader:
        return reader(element, place)
    if not _FRAME.isdisjoint(names):
        return ()
    if not _STRUCTURE.isdisjoint(names) or find(element, *_READERS, *_FRAME):
        return _blocks(element, place)
    return _unknown(element, names, place)


def _unknown(element: Tag, names: list[str], place: Place) -> Iterator[Block]:
    """Nothing for decoration: an element counts when it has words, a file, a picture or a link."""
    runs, html = parts.words_and_links(element, place), str(element)
    if runs or any(sign in html for sign in ("url(", " src=", " srcset=")):
        yield Unknown(" ".join(names), runs, html)
        yield from media.unknown_files(element, place)


def _without_idle_labels(blocks: list[Block]) -> tuple[Block, ...]:
    """ "Please open Telegram to view this post" means something only where nothing else can be read; it
    stands beside every post with a custom emoji, too, and twice beside some albums."""
    labels = [block for block in blocks if isinstance(block, Unsupported)]
    idle = labels if any(map(_can_be_read, blocks)) else labels[1:]
    return tuple(block for block in blocks if not any(block is label for label in idle))


def _can_be_read(block: Block) -> bool:
    return isinstance(block, _READABLE) or (isinstance(block, Unknown) and bool(block.runs))


def _avatar(soup: Tag) -> str | None:
    photo = find(soup, "tgme_widget_message_user_photo")
    return file_url(attribute(photo.find("img"), "src")) if photo else None


def _date(footer: Tag | None) -> datetime | None:
    """When it was posted, with its zone (t.me gives UTC). Players have <time>s of their own elsewhere."""
    when = footer.find("time", datetime=True) if footer else None
    try:
        date = datetime.fromisoformat(attribute(when, "datetime"))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def _edited(footer: Tag | None) -> bool:
    """The word stands bare between the author's signature and the date."""
    meta = find(footer, "tgme_widget_message_meta")
    bare = (child for child in meta.children if isinstance(child, NavigableString)) if meta else ()
    return any("edited" in text for text in bare)
