"""One slice of a page -> `TelegramPost`: the table from CSS class to reader, and the post's frame.

Elements are visited in page order. One whose class is in `_READERS` becomes blocks; one in `_FRAME`, which
every post has, is left out; any other is searched if it contains a known class, and otherwise becomes
`Unknown`, so that no text is lost when t.me adds a new kind of post.
Does not decide what is forwarded or how it looks.
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
from disgram.telegram.page import blocks, media, unread
from disgram.telegram.page.dom import PostContext, attribute, classes, file_url, find
from disgram.telegram.page.rich_text import plain_text
from disgram.telegram.page.unread import INVISIBLE_TAGS, Part, Taken

# New kind of post, step 2 of 3 (before: post.py; after: discord/text.py): list its reader here.
_READERS: dict[str, blocks.Reader] = {
    "tgme_widget_message_author": blocks.author,
    "tgme_widget_message_via_bot": blocks.via_bot,
    "tgme_widget_message_forwarded_from": blocks.forward,
    "tgme_widget_message_reply": blocks.reply,
    "tgme_widget_message_text": blocks.text,
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
    "tgme_widget_message_poll": blocks.poll,
    "tgme_widget_message_poll_votes": blocks.poll_votes,
    "tgme_widget_message_location_wrap": blocks.location,
    "tgme_widget_message_venue_wrap": blocks.location,
    "tgme_widget_message_link_preview": blocks.link_preview,
    "tgme_widget_message_game_video_player": media.video,
    "tgme_widget_message_game_video_wrap": media.video,
    "tgme_widget_message_contact_photo": blocks.text,
    **blocks.card_lines(
        game="title text label", invoice="title description label total", contact="name phone"
    ),
    **blocks.cards("contact", "game", "invoice", "giveaway", "paid_media", "story"),
    "tgme_widget_message_inline_keyboard": blocks.keyboard,
    "tgme_widget_message_link_button": blocks.link_button,
    "tgme_widget_message_inline_row": blocks.keyboard,
    "tgme_widget_message_inline_button": blocks.keyboard,
    "message_media_not_supported_wrap": blocks.not_supported,
}

_TAKEN: dict[blocks.Reader, Taken] = {
    blocks.author: unread.AUTHOR,
    blocks.reply: unread.REPLY,
    media.photo: unread.PHOTO,
    media.video: unread.VIDEO,
    media.round_video: unread.ROUND_VIDEO,
    media.voice: unread.VOICE,
    media.document: unread.DOCUMENT,
    blocks.poll: unread.POLL,
    blocks.location: unread.LOCATION,
}
"""Readers that take single parts of their element, and which. The others read all of it, and a link preview
shows such parts itself."""

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
        # The animation around a sticker with an effect.
        "tgme_widget_message_tgsticker_effect",
        # The link to newer posts, after the last post of a page.
        "tgme_widget_message_centered",
        # Added by a script in the browser; saved pages have it.
        "tgme_widget_message_service_date_wrap",
    }
)

_FRAME_TEXT = frozenset({"", "via"})
"""Text outside any element of the frame; "via" comes before a bot's name."""

_READABLE_BLOCKS = (Text, Media, Poll, Location, LinkPreview, Card)


def parse_post(post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
    """Parse one post. Raises PageNotUnderstood if the slice contains no message or is nested too deeply."""
    try:
        # libxml2 refuses the whole slice if it contains a lone surrogate.
        soup = BeautifulSoup(post_slice.source.encode("utf-8", "replace").decode(), "lxml")
        message = find(soup, "tgme_widget_message")
        if message is None:
            raise PageNotUnderstood(f"the page has no message element for post {post_slice.id}")
        return _post(soup, post_slice, page)
    except (ParserRejectedMarkup, RecursionError) as error:
        raise PageNotUnderstood(f"post {post_slice.id} cannot be parsed: {type(error).__name__}") from error


def _post(soup: Tag, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
    footer = find(soup, "tgme_widget_message_footer")
    voters = find(footer, "tgme_widget_message_voters", "tgme_widget_message_poll_votes")
    context = PostContext(page.channel, f"https://t.me/{page.channel}/{post_slice.id}", plain_text(voters))
    return TelegramPost(
        channel=page.channel,
        id=post_slice.id,
        ids=post_slice.ids,
        author=plain_text(find(soup, "tgme_widget_message_owner_name")) or page.title,
        blocks=_without_needless_labels(list(_blocks(soup.body or soup, context))),
        photo_url=_avatar(soup) or page.photo_url,
        signature=plain_text(find(footer, "tgme_widget_message_from_author")),
        date=_date(footer),
        edited=_edited(footer),
        service=post_slice.service,
    )


def _blocks(element: Tag, context: PostContext) -> Iterator[Block]:
    for child in element.children:
        if isinstance(child, Tag):
            yield from _block(child, context)
        elif type(child) is NavigableString and child.strip() not in _FRAME_TEXT:
            yield Unknown("", (Run(child.strip()),), str(child))


def _block(element: Tag, context: PostContext) -> Iterable[Block]:
    if element.name in INVISIBLE_TAGS:
        return ()
    names = classes(element)
    reader = next((_READERS[name] for name in names if name in _READERS), None)
    if reader:
        return _read(reader, element, context)
    if not _FRAME.isdisjoint(names):
        return ()
    if not _STRUCTURE.isdisjoint(names) or find(element, *_READERS, *_FRAME):
        return _blocks(element, context)
    return _unknown(element, names, context)


def _read(reader: blocks.Reader, element: Tag, context: PostContext) -> Iterator[Block]:
    before, after = unread.unread(element, _TAKEN[reader]) if reader in _TAKEN else ([], [])
    for part in before:
        yield from _part(part, context)
    yield from reader(element, context)
    for part in after:
        yield from _part(part, context)


def _part(part: Part, context: PostContext) -> Iterable[Block]:
    if isinstance(part, Tag):
        return _block(part, context)
    words = part.strip()
    return [] if words in _FRAME_TEXT else [Unknown("", (Run(words),), str(part))]


def _unknown(element: Tag, names: list[str], context: PostContext) -> Iterator[Block]:
    """Nothing for decoration: only elements with text, a file, a picture or a link count."""
    runs, html = blocks.text_and_links(element, context), str(element)
    if runs or any(sign in html for sign in ("url(", " src=", " srcset=")):
        yield Unknown(" ".join(names), runs, html)
        yield from media.files_within(element, context)


def _without_needless_labels(found: list[Block]) -> tuple[Block, ...]:
    """ "Please open Telegram to view this post" matters only if nothing else can be read: t.me also adds it
    to every post with a custom emoji, and twice to some albums."""
    labels = [block for block in found if isinstance(block, Unsupported)]
    needless = labels if any(map(_can_be_read, found)) else labels[1:]
    return tuple(block for block in found if not any(block is label for label in needless))


def _can_be_read(block: Block) -> bool:
    return isinstance(block, _READABLE_BLOCKS) or (isinstance(block, Unknown) and bool(block.runs))


def _avatar(soup: Tag) -> str | None:
    photo = find(soup, "tgme_widget_message_user_photo")
    return file_url(attribute(photo.find("img"), "src")) if photo else None


def _date(footer: Tag | None) -> datetime | None:
    """When it was posted, with its zone (t.me gives UTC). A <time> outside the footer is a video's length."""
    when = footer.find("time", datetime=True) if footer else None
    try:
        date = datetime.fromisoformat(attribute(when, "datetime"))
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def _edited(footer: Tag | None) -> bool:
    """The word "edited" stands outside any element, between the author's signature and the date."""
    meta = find(footer, "tgme_widget_message_meta")
    texts = (child for child in meta.children if isinstance(child, NavigableString)) if meta else ()
    return any("edited" in text for text in texts)
