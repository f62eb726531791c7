"""The line above a reply: whose message it answers, and the beginning of its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from telethon.tl import types as tl

from disgram.post import Reply, RichText, Run
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.media import kind_of

QUOTED = 160
"""Characters of the answered message that are shown, where its author chose no quote."""

_LABELS = {
    tl.MessageMediaPhoto: "Photo",
    tl.MessageMediaPoll: "Poll",
    tl.MessageMediaToDo: "Checklist",
    tl.MessageMediaGeo: "Location",
    tl.MessageMediaGeoLive: "Location",
    tl.MessageMediaVenue: "Location",
    tl.MessageMediaContact: "Contact",
    tl.MessageMediaGame: "Game",
    tl.MessageMediaInvoice: "Invoice",
    tl.MessageMediaPaidMedia: "Paid media",
    tl.MessageMediaGiveaway: "Giveaway",
    tl.MessageMediaGiveawayResults: "Giveaway results",
    tl.MessageMediaStory: "Story",
}


def reply(item: Item) -> Iterator[Reply]:
    """Nothing for a message whose header says only in which topic of a group it is."""
    header = item.message.reply_to
    if isinstance(header, tl.MessageReplyStoryHeader):
        yield _to_story(header, item)
    elif isinstance(header, tl.MessageReplyHeader) and not _only_topic(header):
        yield _to_message(header, item)


def _only_topic(header: tl.MessageReplyHeader) -> bool:
    return bool(header.forum_topic) and header.reply_to_top_id is None


def _to_story(header: tl.MessageReplyStoryHeader, item: Item) -> Reply:
    peers = item.channel.peers
    address = peers.url(header.peer)
    url = f"{address}/s/{header.story_id}" if address else None
    return Reply(url, peers.name(header.peer), (Run("Story"),))


def _to_message(header: tl.MessageReplyHeader, item: Item) -> Reply:
    elsewhere = header.reply_to_peer_id is not None or header.reply_to_msg_id is None
    answered = None if elsewhere else item.channel.messages.get(header.reply_to_msg_id)
    author = sender(Item(answered, item.channel)) if answered else _author_elsewhere(header, item)
    return Reply(_url(header, item), author, _quoted(header, answered, item))


def is_by_channel(message: tl.Message) -> bool:
    """Whether the channel or group speaks itself: in a group its anonymous administrators do."""
    return bool(message.post) or message.from_id is None or message.from_id == message.peer_id


def sender(item: Item) -> str:
    """Who wrote it: in a group a person or another channel, else the channel."""
    if is_by_channel(item.message):
        return item.channel.title
    return item.channel.peers.name(item.message.from_id) or "Someone"


def _author_elsewhere(header: tl.MessageReplyHeader, item: Item) -> str:
    """Of a message in another chat; empty if it is one of this chat that is not known."""
    origin, peers = header.reply_from, item.channel.peers
    named = (peers.name(origin.from_id) or origin.from_name or "") if origin else ""
    return named or peers.name(header.reply_to_peer_id)


def _url(header: tl.MessageReplyHeader, item: Item) -> str | None:
    if header.reply_to_msg_id is None:
        return None
    if header.reply_to_peer_id is None:
        return item.channel.link(header.reply_to_msg_id)
    return item.channel.peers.url(header.reply_to_peer_id, header.reply_to_msg_id)


def _quoted(header: tl.MessageReplyHeader, answered: tl.Message | None, item: Item) -> RichText:
    if header.quote_text:
        return item.runs(header.quote_text, header.quote_entities)
    if answered is None:
        return _label(header.reply_media)
    runs = item.runs(answered.message, getattr(answered, "entities", None))
    return shortened(runs, QUOTED) or _label(getattr(answered, "media", None))


def _label(media: tl.TypeMessageMedia | None) -> RichText:
    """What the message is, for one without words."""
    words = _LABELS.get(type(media), "")
    if isinstance(media, tl.MessageMediaDocument) and isinstance(media.document, tl.Document):
        words = kind_of(media.document).value
    return (Run(words),) if words else ()


def shortened(runs: RichText, limit: int) -> RichText:
    """The first `limit` characters, and "…" if there are more."""
    kept: list[Run] = []
    for run in runs:
        if len(run.text) > limit:
            return (*kept, replace(run, text=run.text[:limit].rstrip() + "…"))
        kept.append(run)
        limit -= len(run.text)
    return tuple(kept)
