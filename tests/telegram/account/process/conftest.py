"""A Telegram, a channel in it, and an account's process that reads it, for tests that have Telethon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from standins.mtproto.channels import Channel
    from standins.mtproto.server import MtprotoStandIn
    from tests.telegram.account.process.running import Account


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    from standins.mtproto.server import MtprotoStandIn

    with MtprotoStandIn() as server:
        yield server


@pytest.fixture
def channel(telegram: MtprotoStandIn) -> Channel:
    return telegram.channel("News")


@pytest.fixture
def account(telegram: MtprotoStandIn, channel: Channel, tmp_path: Path) -> Iterator[Account]:
    from tests.telegram.account.process.running import account_of

    with account_of(telegram, tmp_path) as running:
        yield running
