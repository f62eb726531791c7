"""Whatever happened in a channel, and whatever was lost on the way: its pages have what Telegram has."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.telegram.account.process.calls import Calls
from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.messages import Messages
from disgram.telegram.account.process.pages import BELIEVED_LEAST, BELIEVED_OUTSIDE, Pages
from disgram.telegram.account.process.spools import Names, Spools
from standins.mtproto.channels import Channel
from standins.mtproto.server import MtprotoStandIn
from tests.telegram.account.process.running import Account, account_of, eventually, posts, words


def something(telegram: MtprotoStandIn, channel: Channel, chance: random.Random) -> None:
    """One of the things that happen in a channel, or to its updates."""
    number = chance.choice(channel.numbers)
    match chance.randrange(8):
        case 0 | 1 | 2:
            channel.post(f"post {chance.random()}")
        case 3:
            channel.album([telegram.photo(b"x") for _ in range(chance.randint(2, 10))], "album")
        case 4:
            if channel.message(number).grouped_id is None:
                channel.edit(number, f"edited {chance.random()}")
        case 5:
            if len(channel.numbers) > 1:
                channel.delete(number)
        case 6:
            channel.skip(chance.randint(1, 30))
        case _:
            telegram.lose_updates(chance.randint(1, 5))


def there(channel: Channel) -> list[tuple[tuple[int, ...], str]]:
    """Ids and words of each post, as Telegram has them."""
    found: dict[Any, list[Any]] = {}
    for number in channel.numbers:
        message = channel.message(number)
        found.setdefault(message.grouped_id or -number, []).append(message)
    return [
        (tuple(each.id for each in group), "".join(each.message for each in group))
        for group in found.values()
    ]


def read(account: Account, channel: Channel) -> list[tuple[tuple[int, ...], str]]:
    """The same from all pages, the newest first read."""
    page = account.page(f"c/{channel.id}")
    found = [(post.ids, words(post)) for post in posts(page)]
    while page["older"] is not None:
        page = account.page(f"c/{channel.id}", before=page["older"])
        found[:0] = [(post.ids, words(post)) for post in posts(page)]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_all_pages_together_are_the_channel(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with MtprotoStandIn() as telegram:
        channel = telegram.channel("News")
        channel.post("the first")
        with account_of(telegram, tmp_path) as account:
            for step in range(90):
                something(telegram, channel, chance)
                if step % 30 == 10:
                    account.page(f"c/{channel.id}")
            if seed % 2:
                telegram.drop_connections()
            telegram.heal()
            channel.post("the last")  # shows what was missed before it

            eventually(lambda: read(account, channel) == there(channel))


class OneMessage:
    """In the place of Calls: every request gets the same channel with one message; counts histories."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.histories = 0

    async def __call__(self, request: Any) -> Any:
        self.histories += 1
        date = datetime(2026, 1, 1, tzinfo=timezone.utc)
        message = tl.Message(id=1, peer_id=tl.PeerChannel(7), date=date, message="hello")
        return tl.messages.ChannelMessages(5, 1, [message], [], [self._channel], [])

    async def run(self, *_: object) -> list[Any]:
        return [self._channel]


@pytest.mark.parametrize(("left", "believed"), [(False, BELIEVED_LEAST), (True, BELIEVED_OUTSIDE)])
def test_a_page_is_read_again_after_a_while_though_no_update_was_missed(left: bool, believed: float) -> None:
    date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    channel = tl.Channel(7, "News", tl.ChatPhotoEmpty(), date, access_hash=1, broadcast=True, left=left)
    telegram = OneMessage(channel)
    now = 0.0

    async def run() -> list[int]:
        nonlocal now
        calls, names = cast(Calls, telegram), Names()
        directory = Directory(calls, lambda: now)
        pages = Pages(calls, directory, Spools(), names, Messages(calls, names), lambda: now)
        counted = []
        for time in (0.0, believed - 1, believed + 1):
            now = time
            await pages.page("c/7", None)
            counted.append(telegram.histories)
        return counted

    assert asyncio.run(run()) == [1, 1, 2]
