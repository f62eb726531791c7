"""How late a post arrives: the time from its publication in Telegram to Discord's confirmation.

Owns which posts count. Those published before the first post of the channel arrived, such as the newest
ones of a first poll, are not late: their job is younger than they are.
"""

from __future__ import annotations

from contextlib import suppress

from disgram.errors import StorageUnavailable
from disgram.post import TelegramPost
from disgram.storage.channel_ledger import ChannelLedger


def lag_facts(post: TelegramPost, ledger: ChannelLedger) -> dict[str, float]:
    """What to report of a post that was just confirmed and is in the ledger: `lag` in seconds, or nothing."""
    moments = None
    with suppress(StorageUnavailable):
        moments = ledger.dealt_with_at(post.id)
    if moments is None or post.date is None:
        return {}
    (began, confirmed), published = moments, post.date.timestamp()
    # Telegram names whole seconds.
    return {"lag": round(max(0.0, confirmed - published), 1)} if published >= int(began) else {}
