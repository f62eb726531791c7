"""Reads a channel through the account's process, as ChannelReader reads t.me's preview. No Telethon.

Owns the form of a page on that wire. Retries a page within one poll; never decides which posts are due.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from disgram.errors import AccountUnavailable, PageNotUnderstood, TelegramUnavailable
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.report import Reporter
from disgram.telegram.account.client import AccountClient
from disgram.telegram.account.post_json import read_post
from disgram.telegram.channel import PageRetries

START_SECONDS = 30
"""How long the first page waits for the account's process, which may have been started with the worker."""

QUEUES_FOR = 600.0
"""Seconds that a page waits in all when the account's process says when it is worth asking again: with
hundreds of channels the first pages take minutes."""


class AccountReader:
    """For one worker. `client` None: there is no account."""

    not_understood = 0
    """The account's process understands every message, or says that it does not show it."""

    def __init__(
        self,
        client: AccountClient | None,
        channel: str,
        *,
        report: Reporter,
        wait: Callable[[float], None],
    ) -> None:
        self._client = client
        self._channel = channel
        self._retries = PageRetries(report, wait)
        self._wait = wait
        self.asked: int | None = None
        self._starts_within = START_SECONDS

    def read(self, before: int | None = None) -> ChannelPage:
        """The newest page, or the page of the posts before a post id. Raises TelegramError and Stopping."""
        self.asked = before
        client = self._client
        if client is None:
            raise AccountUnavailable(
                "only an account can read this channel, and none is logged in: see `make account`",
                reason="account_missing",
            )

        def fetch() -> ChannelPage:
            return page_of(self._in_turn(lambda: client.page(self._channel, before)))

        self._await_start(client)
        return self._retries.read(fetch)

    def _in_turn(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer, after as many waits as the process names: it paces what is asked of Telegram."""
        left = QUEUES_FOR
        while True:
            try:
                return ask()
            except TelegramUnavailable as error:
                seconds = max(error.retry_after or 0.0, 1.0)
                if not error.retry_after or seconds > left:
                    raise
            left -= seconds
            self._wait(seconds)

    def _await_start(self, client: AccountClient) -> None:
        while self._starts_within and not client.runs():
            self._starts_within -= 1
            self._wait(1.0)
        self._starts_within = 0

    def parse(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        """Raises PageNotUnderstood for a post of another version's process."""
        post = read_post(post_slice.source)
        fetchable = post.photo_url and post.photo_url.startswith("https://")
        return post if fetchable else replace(post, photo_url=None)


def page_of(told: dict[str, Any]) -> ChannelPage:
    """The page that the account's process tells. Raises PageNotUnderstood."""
    try:
        return ChannelPage(
            channel=str(told["channel"]),
            title=str(told["title"]),
            photo_url=None,  # an address of the account's process, which Discord cannot ask
            slices=tuple(_slice(each) for each in told["posts"]),
            older=None if told["older"] is None else int(told["older"]),
            description=str(told["description"]),
            channel_id=_as_on_pages(told["channel_id"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PageNotUnderstood(
            f"a page of the account's process cannot be read: {type(error).__name__}"
        ) from None


def _slice(told: dict[str, Any]) -> PostSlice:
    ids = tuple(int(each) for each in told["ids"])
    if not ids or list(ids) != sorted(set(ids)):
        raise ValueError
    return PostSlice(
        id=int(told["id"]),
        ids=ids,
        source=str(told["post"]),
        fingerprint=str(told["fingerprint"]),
        service=bool(told["service"]),
        through_account=True,
        protected=bool(told["protected"]),
        published=_published(str(told["post"])),
    )


def _published(post: str) -> float | None:
    date = json.loads(post).get("date")
    return datetime.fromisoformat(date).timestamp() if date else None


def _as_on_pages(channel_id: object) -> int | None:
    """t.me's pages have the channel's id with a minus sign before it."""
    return -abs(channel_id) if isinstance(channel_id, int) and channel_id else None
