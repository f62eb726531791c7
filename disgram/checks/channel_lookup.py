"""Asks Telegram about channels from the service: at the pace of all workers together, and within seconds.

Owns what one page says of a channel. Reads no post, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from disgram.addresses import ChannelRef
from disgram.checks.bounded_calls import BoundedCalls, Deadline
from disgram.errors import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    StorageUnavailable,
    TelegramError,
)
from disgram.post import ChannelPage

ANSWER_WITHIN = 20.0
"""Seconds for all channels of one request; at the usual pace about forty."""

AT_ONCE = 4


@dataclass(frozen=True)
class ChannelAnswer:
    """`ok` None: there was no time to ask; else `reason` is that of /health."""

    ok: bool | None
    reason: str | None = None
    title: str | None = None
    newest_post_id: int | None = None


NOT_ASKED = ChannelAnswer(None, "not_asked")


class ChannelLookup:
    """For any thread. `rate` in requests per second, as TELEGRAM_REQUESTS_PER_SECOND; `egress`: addresses, as
    TELEGRAM_EGRESS."""

    def __init__(
        self,
        base_url: str,
        data_dir: Path,
        rate: float,
        account: Callable[[], bool] = lambda: False,
        egress: Sequence[str] = (),
    ) -> None:
        """`account`: whether somebody has logged in."""
        self._base_url, self._data_dir, self._rate, self._account = base_url, data_dir, rate, account
        self._egress = egress
        self._calls = BoundedCalls(AT_ONCE)

    def ask(self, channels: Collection[ChannelRef]) -> dict[str, ChannelAnswer]:
        """By `key`, within ANSWER_WITHIN."""
        found = self._calls.run(
            {channel.key: partial(self._ask, channel) for channel in channels}, ANSWER_WITHIN
        )
        return {channel.key: found.get(channel.key, NOT_ASKED) for channel in channels}

    def _ask(self, channel: ChannelRef, deadline: Deadline) -> ChannelAnswer:
        # Only here: parsing a page takes more memory than the whole API.
        from disgram.storage.rate_limits import LimitStore
        from disgram.telegram.client import TelegramClient
        from disgram.telegram.egress.direct import open_egress
        from disgram.telegram.page import split_page

        try:
            with closing(LimitStore(self._data_dir / "limits.db")) as store:
                egress = open_egress(
                    store,
                    self._rate,
                    deadline.wait,
                    channel=channel.key,
                    addresses=self._egress,
                    timeout=max(0.1, deadline.left),
                )
                client = TelegramClient(self._base_url, egress)
                with closing(client):
                    page = self._page(
                        channel, lambda: split_page(client.page(channel.name), channel.name), deadline
                    )
        except (TelegramError, StorageUnavailable) as error:
            return ChannelAnswer(False, error.reason or "telegram_unavailable")
        newest = page.slices[-1].last_id if page.slices else None
        return ChannelAnswer(True, None, page.title or None, newest)

    def _page(
        self, channel: ChannelRef, preview: Callable[[], ChannelPage], deadline: Deadline
    ) -> ChannelPage:
        """As a worker reads it: a private channel through the account, and what t.me does not show. Raises
        TelegramError."""
        from disgram.telegram.account.choice import account_client
        from disgram.telegram.account.reader import page_of

        if not channel.private:
            try:
                return preview()
            except (ChannelHasNoPreview, ChannelNotFound):
                if not self._account():
                    raise
        if not self._account():
            raise AccountUnavailable("nobody has logged in", reason="account_missing")
        return page_of(account_client(self._data_dir, max(0.1, deadline.left)).page(channel.name))
