"""How far Discord is behind Telegram: posts not there yet, and how long the last one took.

Reads no page and decides nothing: the numbers are for /health and /metrics.
"""

from __future__ import annotations

from contextlib import suppress

from disgram.errors import StorageUnavailable
from disgram.post import ChannelPage, TelegramPost
from disgram.storage.channel_ledger import ChannelLedger


def waiting_facts(head: ChannelPage, progress: int) -> dict[str, int]:
    """What a worker reports after its newest page `head` was read, and after each post that is done with.

    Posts of that page are counted. Of older ones only the numbers are known, and some of them may have no
    post: there `waiting` is the most there can be.
    """
    if not head.slices:
        return {"waiting": 0}
    shown = sum(post.last_id > progress for post in head.slices)
    older = max(0, head.slices[0].id - 1 - progress)
    return {"newest_post_id": head.slices[-1].last_id, "waiting": shown + older}


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
