"""Messages, ascending -> posts: albums joined, authors, and a fingerprint that changes with what is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from hashlib import blake2b

from telethon.tl import types as tl

from disgram.post import (
    Block,
    Buttons,
    Forward,
    LinkPreview,
    Media,
    Poll,
    Reply,
    TelegramPost,
    Unsupported,
    ViaBot,
)
from disgram.telegram.account.message import blocks
from disgram.telegram.account.message.context import Channel, Item
from disgram.telegram.account.message.reply import is_by_channel, sender
from disgram.telegram.account.post_json import write_post


@dataclass(frozen=True, slots=True)
class AccountPost:
    """`fingerprint`: as of `PostSlice`. `protected`: its owner forbids saving; it must not be forwarded.
    `cut`: Telegram has sent the beginning of a rich message alone (the rest: messages.getRichMessage)."""

    post: TelegramPost
    fingerprint: str
    protected: bool = False
    cut: bool = False


def posts_of(messages: Iterable[tl.TypeMessage], channel: Channel) -> list[AccountPost]:
    """One post for each message or album, ascending by first id, without the remains of deleted messages.

    An album that begins before `messages` is cut off there: the caller sees to it that none does.
    """
    albums: dict[tuple[str, int], list[tl.Message]] = {}
    for message in sorted(filter(blocks.is_visible, messages), key=lambda message: int(message.id)):
        grouped = getattr(message, "grouped_id", None)
        key = ("album", grouped) if grouped else ("message", message.id)
        albums.setdefault(key, []).append(message)
    return [_post([Item(each, channel) for each in album], channel) for album in albums.values()]


def _post(items: Sequence[Item], channel: Channel) -> AccountPost:
    first = items[0]
    message = first.message
    post = TelegramPost(
        channel=channel.name,
        id=message.id,
        ids=tuple(item.message.id for item in items),
        author=sender(first),
        blocks=_blocks(items),
        photo_url=channel.photo_url if is_by_channel(message) else None,
        signature=_signature(first),
        date=_with_zone(message.date),
        edited=any(map(_is_edited, items)),
        service=isinstance(message, tl.MessageService),
    )
    protected = channel.protected or any(bool(item.message.noforwards) for item in items)
    cut = any(item.message.rich_message is not None and item.message.rich_message.part for item in items)
    state = fingerprint(replace(post, signature=message.post_author or ""))
    return AccountPost(post, state, protected, bool(cut))


def _blocks(items: Sequence[Item]) -> tuple[Block, ...]:
    try:
        return blocks.message_blocks(items[0]) if len(items) == 1 else _album(items)
    except RecursionError:  # rich text may be nested as deep as its author likes
        return (blocks.OPEN_TELEGRAM,)


def _album(items: Sequence[Item]) -> tuple[Block, ...]:
    """The files, then the caption, as on the page; with several captions each behind its own file."""
    reasons = [reason for item in items if (reason := blocks.restriction(item.message))]
    if reasons:
        return (Unsupported(reasons[0]),)
    files = [block for item in items for block in blocks.files(item)]
    captions = [block for item in items for block in blocks.text(item)]
    if len(captions) > 1:
        shown = [block for item in items for block in blocks.body(item)]
    else:
        shown = [*captions, *files] if items[0].message.invert_media else [*files, *captions]
    tails = [block for item in items for block in blocks.tail(item)]
    return (*blocks.head(items[0]), *shown, *tails)


def _signature(item: Item) -> str:
    """The name below a channel's post; its author's own where the channel shows profiles."""
    message = item.message
    return message.post_author or (item.channel.peers.name(message.from_id) if message.post else "")


def _is_edited(item: Item) -> bool:
    return getattr(item.message, "edit_date", None) is not None and not item.message.edit_hide


def _with_zone(date: datetime | None) -> datetime | None:
    return date.replace(tzinfo=timezone.utc) if date and date.tzinfo is None else date


def fingerprint(post: TelegramPost) -> str:
    """The same for two states of a post that look the same in Discord; 32 hex digits.

    Without what no edit changes but Telegram does not always send (names, what is replied to), and without
    counts and buttons that only a bot answers, as for t.me's pages.
    """
    kept = tuple(_lasting(block) for block in post.blocks if not isinstance(block, (Forward, ViaBot, Reply)))
    if post.service:
        kept = tuple(block for block in kept if isinstance(block, Media))
    state = replace(post, author="", photo_url=None, date=None, blocks=kept)
    return blake2b(write_post(state).encode(), digest_size=16).hexdigest()


def _lasting(block: Block) -> Block:
    match block:
        case Media():
            return replace(block, url=None, preview_url=None, link="")
        case LinkPreview():
            return replace(
                block, media=tuple(replace(each, url=None, preview_url=None) for each in block.media)
            )
        case Poll():
            return replace(block, voters="")
        case Buttons():
            rows = tuple(tuple(button for button in row if button.url) for row in block.rows)
            return Buttons(tuple(row for row in rows if row))
    return block
