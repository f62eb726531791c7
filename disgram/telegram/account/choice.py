"""Who reads a channel: a private one the account, a public one t.me's preview, and what the preview does not
show of it the account. No Telethon.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from disgram.addresses import ChannelRef
from disgram.errors import ChannelHasNoPreview, ChannelNotFound
from disgram.post import ChannelPage, Media, PostSlice, TelegramPost
from disgram.report import Level, Reporter
from disgram.telegram.account.client import AccountClient
from disgram.telegram.account.reader import AccountReader
from disgram.telegram.account.session import SOCKET
from disgram.telegram.channel_pages import Reader

_NOT_IN_IT = "not_a_member"


def account_client(data_dir: Path, timeout: float, check: Callable[[], None] = lambda: None) -> AccountClient:
    """Of the account's process of this data directory."""
    return AccountClient(data_dir / SOCKET, timeout, check)


def choose_reader(
    channel: ChannelRef,
    preview: Reader,
    account: AccountClient | None,
    *,
    report: Reporter,
    wait: Callable[[float], None],
) -> Reader:
    """The reader of one worker. `account` None: nobody has logged in."""
    through_account = AccountReader(account, channel.name, report=report, wait=wait)
    if channel.private:
        return through_account
    return PreviewOrAccount(preview, through_account, report) if account else preview


class PreviewOrAccount:
    """A public channel where there is an account. Once t.me has said that it has no preview, the account is
    asked as long as the worker runs."""

    def __init__(self, preview: Reader, account: AccountReader, report: Reporter) -> None:
        self._preview = preview
        self._account = account
        self._report = report
        self._reader: Reader = preview

    @property
    def asked(self) -> int | None:
        return self._reader.asked

    @property
    def not_understood(self) -> int:
        return self._reader.not_understood

    def read(self, before: int | None = None) -> ChannelPage:
        """Raises TelegramError and Stopping."""
        try:
            return self._reader.read(before)
        except (ChannelHasNoPreview, ChannelNotFound) as error:
            if self._reader is not self._preview:
                raise
            page = self._without_preview(before, error)
        self._report(Level.INFO, f"t.me shows no posts ({_short(page)}); the account reads this channel")
        self._reader = self._account
        return page

    def _without_preview(
        self, before: int | None, no_preview: ChannelHasNoPreview | ChannelNotFound
    ) -> ChannelPage:
        """What t.me said counts if the account does not find a channel or group either."""
        try:
            return self._account.read(before)
        except ChannelNotFound:
            raise no_preview from None
        except ChannelHasNoPreview as error:
            raise (no_preview if error.reason == _NOT_IN_IT else error) from None

    def parse(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        """Files that t.me does not offer are asked for at the account."""
        if post_slice.through_account:
            return self._account.parse(post_slice, page)
        return with_files_of_account(self._preview.parse(post_slice, page))


def with_files_of_account(post: TelegramPost) -> TelegramPost:
    """The post of a preview: a file without an address gets one of the account's process."""
    blocks = tuple(_with_account(each, post) if isinstance(each, Media) else each for each in post.blocks)
    return replace(post, blocks=blocks)


def _with_account(media: Media, post: TelegramPost) -> Media:
    message = re.fullmatch(
        rf"https://t\.me/{re.escape(post.channel)}/([0-9]+)(?:\?.*)?", media.link, re.IGNORECASE
    )
    if media.url or not message:
        return media
    return replace(media, account_url=f"account:{post.channel}/{message[1]}/file")


def _short(page: ChannelPage) -> str:
    return page.title[:60] or page.channel
