"""A channel's pages, as t.me would cut them: some twenty messages, albums whole, ascending.

The newest page comes from the channel's spool, an older one from Telegram's history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

from telethon import errors
from telethon.tl import functions

from disgram.telegram.account.message import blocks
from disgram.telegram.account.message.context import Channel
from disgram.telegram.account.message.peers import Peers
from disgram.telegram.account.message.posts import AccountPost, posts_of
from disgram.telegram.account.post_json import write_post
from disgram.telegram.account.process.calls import Calls
from disgram.telegram.account.process.directory import Directory, input_peer, name_of
from disgram.telegram.account.process.messages import Messages
from disgram.telegram.account.process.refusals import content_protected
from disgram.telegram.account.process.spool import SPOOLED, Spool
from disgram.telegram.account.process.spools import Names, Spools

PAGE = 20
"""Messages on a page, as t.me has them."""

ALBUM = 10
"""Messages in the largest album."""

BELIEVED_LEAST, BELIEVED_PER_CHANNEL, BELIEVED_MOST = 60.0, 3.0, 900.0
"""Seconds after which a channel's newest messages are read again though no update was seen to be missed: the
last one may have been. 20 requests a minute, however many channels there are."""

BELIEVED_OUTSIDE = 10.0
"""The same for a channel the account is not in: Telegram sends no updates of it."""

EMPTY_PAGES = 5
"""Requests for one page in a group whose newest messages nobody sees (people who joined)."""


class Pages:
    def __init__(
        self,
        calls: Calls,
        directory: Directory,
        spools: Spools,
        names: Names,
        messages: Messages,
        clock: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._directory = directory
        self._spools = spools
        self._names = names
        self._messages = messages
        self._clock = clock
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def page(self, name: str, before: int | None) -> dict[str, Any]:
        """The page as the wire has it. Raises Refused, and RPCError for what Telegram never said before."""
        channel = await self._directory.find(name)
        shown = name if name.startswith("c/") else name_of(channel)
        spool = self._spools.of(channel.id)
        try:
            await self._settled(channel, spool, newest=before is None)
            channel = await self._directory.find(name)
            if channel.noforwards:
                raise content_protected(shown)
            chosen, older = await self._chosen(channel, spool, before)
            posts = await self._posts(channel, shown, spool, chosen)
        except errors.RPCError as error:
            raise self._directory.refusal(channel, shown, error) from None
        return _page(channel, shown, posts, older)

    async def _settled(self, channel: Any, spool: Spool, *, newest: bool) -> None:
        """Have what is true now in the spool, and for the newest page no half of an album at its end."""
        for _ in range(ALBUM):
            async with self._locks.setdefault(channel.id, asyncio.Lock()):
                await self._refresh(channel, spool)
            seconds = spool.settles_in(self._clock()) if newest else 0.0
            if seconds <= 0:
                return
            await asyncio.sleep(seconds)

    async def _refresh(self, channel: Any, spool: Spool) -> None:
        believed = BELIEVED_OUTSIDE if channel.left else believed_for(len(self._spools))
        fresh = spool.fresh_at is not None and self._clock() - spool.fresh_at < believed
        if fresh and (spool.at_start or spool.count >= PAGE + ALBUM):
            return
        spool.begin_reading()
        answer = await self._history(channel, limit=SPOOLED)
        at_start = len(answer.messages) < SPOOLED and answer.count <= len(answer.messages)
        spool.load(answer.messages, answer.pts, at_start=at_start, now=self._clock())
        self._spools.shrink()

    async def _chosen(self, channel: Any, spool: Spool, before: int | None) -> tuple[list[Any], int | None]:
        """The messages of a page, ascending, and where the page before it ends."""
        if before is None:
            found, at_start = spool.messages(), spool.at_start
        else:
            found, at_start = await self._older(channel, before)
        for _ in range(EMPTY_PAGES):
            chosen = _last_of(found, before)
            if chosen or at_start or not found:
                break
            before = found[0].id
            found, at_start = await self._older(channel, before)
        if not chosen:
            return [], None
        more = not at_start or any(message.id < chosen[0].id for message in found)
        return chosen, chosen[0].id if more else None

    async def _older(self, channel: Any, before: int) -> tuple[list[Any], bool]:
        """Messages before an id, ascending, with those that end an album which began before it; and whether
        nothing older exists."""
        limit = PAGE + 2 * ALBUM
        answer = await self._history(channel, offset_id=before, add_offset=1 - ALBUM, limit=limit)
        found = sorted(answer.messages, key=lambda message: int(message.id))
        if len(found) == limit:
            return found, False
        lowest = min(found[0].id, before) if found else before
        rest = await self._history(channel, offset_id=lowest, limit=1) if lowest > 1 else None
        return found, rest is None or not rest.messages

    async def _history(self, channel: Any, *, limit: int, offset_id: int = 0, add_offset: int = 0) -> Any:
        request = functions.messages.GetHistoryRequest(
            input_peer(channel), offset_id, None, add_offset, limit, max_id=0, min_id=0, hash=0
        )
        answer = await self._calls(request)
        self._directory.learn(answer.chats)
        self._names.learn([*answer.users, *answer.chats])
        return answer

    async def _posts(
        self, channel: Any, name: str, spool: Spool, messages: Sequence[Any]
    ) -> list[AccountPost]:
        messages = [await self._messages.whole(channel, spool, message) for message in messages]
        answered = await self._messages.answered_by(channel, spool, messages)
        peers = Peers(self._names.named_in([*messages, *answered.values()]))
        return posts_of(messages, Channel(name, channel.title, None, False, peers, answered))


def believed_for(channels: int) -> float:
    """Seconds, with so many channels to follow."""
    return min(max(channels * BELIEVED_PER_CHANNEL, BELIEVED_LEAST), BELIEVED_MOST)


def _last_of(messages: Sequence[Any], before: int | None) -> list[Any]:
    """The last PAGE of them that anybody sees and that begin before an id; the first album is whole."""
    seen = [message for message in messages if blocks.is_visible(message)]
    begun = {
        message.grouped_id
        for message in seen
        if before is not None and message.id < before and getattr(message, "grouped_id", None)
    }
    due = [
        message
        for message in seen
        if before is None or message.id < before or getattr(message, "grouped_id", None) in begun
    ]
    start = max(len(due) - PAGE, 0)
    while start and _same_album(due[start - 1], due[start]):
        start -= 1
    return due[start:]


def _same_album(one: Any, other: Any) -> bool:
    grouped = getattr(one, "grouped_id", None)
    return grouped is not None and grouped == getattr(other, "grouped_id", None)


def _page(channel: Any, name: str, posts: Sequence[AccountPost], older: int | None) -> dict[str, Any]:
    return {
        "channel": name,
        "title": channel.title,
        "photo": None,
        "description": "",
        "channel_id": channel.id,
        "older": older,
        "posts": [_post(each) for each in posts],
    }


def _post(found: AccountPost) -> dict[str, Any]:
    post = found.post
    return {
        "id": post.id,
        "ids": list(post.ids),
        "fingerprint": found.fingerprint,
        "service": post.service,
        "protected": found.protected,
        "post": write_post(post),
    }
