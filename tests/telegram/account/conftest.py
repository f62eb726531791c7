"""What the tests of the account have in common; without Telethon it does nothing."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def no_addresses_of_another_stand_in() -> None:
    """Telethon keeps the data centres' addresses in the client's class, for every client to come."""
    telethon = sys.modules.get("telethon")
    if telethon is not None:
        for client in (telethon.TelegramClient, *telethon.TelegramClient.__subclasses__()):
            client._config = None
