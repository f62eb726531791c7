"""One message -> its blocks, in the order of t.me's page: forward, reply, file, text, preview, buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from telethon.tl import types as tl

from disgram.post import Block, Card, Forward, LinkPreview, Media, RichText, Run, Text, Unsupported, ViaBot
from disgram.telegram.account.message import cards, media, poll
from disgram.telegram.account.message.buttons import buttons
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.reply import reply
from disgram.telegram.account.message.rich_message import rich_message
from disgram.telegram.account.message.service import INVISIBLE, service_blocks

OPEN_TELEGRAM = Unsupported("Please open Telegram to view this post")
"""t.me's words for what it does not show."""

WEB_PAGE = "webpage"
"""`which` of a link preview's file."""

Reader = Callable[[tl.TypeMessageMedia, Item], Iterator[Block]]

# New kind of file or card: list its reader here.
_READERS: dict[type, Reader] = {
    tl.MessageMediaPhoto: media.attached,
    tl.MessageMediaDocument: media.attached,
    tl.MessageMediaPoll: poll.poll,
    tl.MessageMediaToDo: poll.checklist,
    tl.MessageMediaGeo: cards.location,
    tl.MessageMediaGeoLive: cards.live_location,
    tl.MessageMediaVenue: cards.venue,
    tl.MessageMediaContact: cards.contact,
    tl.MessageMediaGame: cards.game,
    tl.MessageMediaInvoice: cards.invoice,
    tl.MessageMediaPaidMedia: cards.paid_media,
    tl.MessageMediaGiveaway: cards.giveaway,
    tl.MessageMediaGiveawayResults: cards.giveaway_results,
    tl.MessageMediaStory: cards.story,
    tl.MessageMediaVideoStream: cards.live_stream,
    tl.MessageMediaDice: cards.dice,
}
_WITHOUT_BLOCKS = (type(None), tl.MessageMediaEmpty, tl.MessageMediaWebPage)

HIDDEN_EVERYWHERE = "all"
"""The platform of a restriction that holds in every application."""


def is_visible(message: tl.TypeMessage) -> bool:
    """Whether anyone sees it: not for the remains of deleted messages."""
    if isinstance(message, tl.MessageService):
        return not isinstance(message.action, (type(None), *INVISIBLE))
    return isinstance(message, tl.Message)


def head(item: Item) -> Iterator[Block]:
    """What stands above a message."""
    yield from _forward(item)
    yield from _via(item)
    yield from reply(item)


def body(item: Item) -> Iterator[Block]:
    """File and text, or the other way round, as the author chose."""
    if item.message.rich_message is not None:
        yield from rich_message(item.message.rich_message, item)
        return
    own, words, preview = list(files(item)), list(text(item)), list(_link_preview(item))
    yield from (*preview, *words, *own) if item.message.invert_media else (*own, *words, *preview)


def tail(item: Item) -> Iterator[Block]:
    """What stands below a message."""
    check = item.message.factcheck
    if check and (runs := item.text_of(check.text)):
        yield Card("Fact check", runs)
    yield from buttons(item.message.reply_markup)


def files(item: Item) -> Iterator[Block]:
    kind = type(item.message.media)
    if kind in _READERS:
        yield from _READERS[kind](item.message.media, item)
    elif kind not in _WITHOUT_BLOCKS:
        yield OPEN_TELEGRAM


def text(item: Item) -> Iterator[Text]:
    if runs := item.runs(item.message.message, item.message.entities):
        yield Text(runs)


def _via(item: Item) -> Iterator[ViaBot]:
    peer = tl.PeerUser(item.message.via_bot_id) if item.message.via_bot_id else None
    if username := item.channel.peers.username(peer):
        yield ViaBot(f"@{username}", f"https://t.me/{username}")


def _forward(item: Item) -> Iterator[Forward]:
    header = item.message.fwd_from
    if header:
        peers = item.channel.peers
        name = peers.name(header.from_id) or header.from_name or ""
        signature = header.post_author or ""
        url = peers.url(header.from_id, header.channel_post)
        yield Forward(name or "a private channel", url, "" if signature == name else signature)


def _link_preview(item: Item) -> Iterator[LinkPreview]:
    enclosing = item.message.media
    page = enclosing.webpage if isinstance(enclosing, tl.MessageMediaWebPage) else None
    if not isinstance(page, tl.WebPage):
        return
    found = tuple(_preview_media(page, item))
    preview = LinkPreview(
        url=page.url,
        site=page.site_name or "",
        title=page.title or "",
        description=_described(page),
        media=found,
        large=bool(found) and _is_large(enclosing, page),
    )
    if found or preview.site or preview.title or preview.description:
        yield preview


def _described(page: tl.WebPage) -> RichText:
    words = (page.description or "").strip()
    return (Run(words),) if words else ()


def _preview_media(page: tl.WebPage, item: Item) -> Iterator[Media]:
    if isinstance(page.document, tl.Document):
        yield media.document(page.document, item, WEB_PAGE, link=page.url)
    elif isinstance(page.photo, tl.Photo):
        yield media.photo(page.photo, item, WEB_PAGE, link=page.url)


def _is_large(enclosing: tl.MessageMediaWebPage, page: tl.WebPage) -> bool:
    """The author's choice; else as Telegram shows it: videos, pictures by themselves and posts wide."""
    if enclosing.force_large_media or enclosing.force_small_media:
        return bool(enclosing.force_large_media)
    wide = page.type in ("photo", "video", "gif", "document", "telegram_message", "telegram_story")
    return wide or isinstance(page.document, tl.Document) or not (page.title or page.description)


def restriction(message: tl.Message) -> str:
    """Why Telegram shows a message in no application; empty if it does."""
    reasons = message.restriction_reason or ()
    return next((str(each.text) for each in reasons if each.platform == HIDDEN_EVERYWHERE), "")


def message_blocks(item: Item) -> tuple[Block, ...]:
    """All blocks of one message; never none."""
    if isinstance(item.message, tl.MessageService):
        return tuple(service_blocks(item))
    if reason := restriction(item.message):
        return (Unsupported(reason),)
    shown = tuple(body(item)) or (OPEN_TELEGRAM,)
    return (*head(item), *shown, *tail(item))
