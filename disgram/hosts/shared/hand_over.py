"""What other hosts have sent to a webhook until it became this one's counts in the limits here.

Each host keeps its limits in a file of its own, but the ledger is everybody's and says when each message was
confirmed. Owns how long ago that was; what follows from it is the limiter's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from disgram.postgres.ledger import RecentPost

WINDOW = 60.0
"""Seconds: the longest in which Discord counts the messages of a channel."""

CLOCKS_DIFFER = 5.0
"""Seconds by which the clocks of two hosts may differ; with more, a 429 may be met, and is waited out."""


class HandOver:
    """`recent_posts` as PostgresLedger's, `take_over` as DiscordRateLimiter's: (webhook, thread, ages)."""

    def __init__(
        self,
        recent_posts: Callable[[Collection[str], float], Sequence[RecentPost]],
        take_over: Callable[[str, str, Sequence[float]], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._recent_posts, self._take_over, self._clock = recent_posts, take_over, clock
        self._counted: dict[tuple[str, str, int, int], float] = {}

    def __call__(self, lapsed: Mapping[str, float]) -> None:
        """`lapsed`: webhook -> seconds since the lease of its last holder ended, which has sent nothing
        since. Each message counts once, however often a webhook is about to be taken over. Raises
        StorageUnavailable."""
        now = self._clock()
        self._counted = {place: at for place, at in self._counted.items() if at > now - 2 * WINDOW}
        ages: dict[tuple[str, str], list[float]] = {}
        found = self._recent_posts([*lapsed], now - WINDOW - CLOCKS_DIFFER)
        for post in found:
            if post.place not in self._counted:
                age = _age(post, now, lapsed[post.webhook_id])
                ages.setdefault((post.webhook_id, post.thread_id), []).append(age)
        for (webhook_id, thread_id), of_these in ages.items():
            self._take_over(webhook_id, thread_id, sorted(of_these))
        self._counted |= {post.place: now for post in found if post.place not in self._counted}


def _age(post: RecentPost, now: float, lapsed: float) -> float:
    """At least, in seconds."""
    return lapsed if post.sent_at is None else max(lapsed, now - post.sent_at - CLOCKS_DIFFER)
