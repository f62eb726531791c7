"""How long to wait between two polls of a channel, when the operator gives a range of seconds.

A channel that posts often is asked more often. For the least mean delay at a given number of requests, the
interval goes with the square root of the mean gap between posts (each request of a busy channel finds more
posts, but at half the interval it saves only half the delay); what remains is to estimate the gap.

The estimate is a rate: the posts lately seen, each counting less the older it is, over the time they cover,
with a few posts of a quiet channel added, so that a channel without posts has a rate, too. The figures below
were chosen by simulation (`python -m bench poll_interval`). Pure; times are seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MEMORY = 7200.0
"""Seconds after which a post counts 1/e: long enough for a few posts, short enough for a night to be seen."""

PRIOR_POSTS, PRIOR_GAP = 0.2, 21600.0
"""What is added to the posts seen: so many, at so many seconds from one to the next."""

POLLS_PER_POST = 20.0
"""A channel with a post in so many of the shortest intervals, or more, is polled at the shortest."""


def poll_interval(posted_at: Sequence[float], now: float, shortest: float, longest: float) -> float:
    """Seconds until the next poll. `posted_at`: when the posts of the newest page were published, ascending.

    They say nothing about the time before the first of them, unless there are none.
    """
    if shortest >= longest:
        return longest
    gap = 1 / _rate([min(at, now) for at in posted_at], now)
    return min(longest, max(shortest, shortest * math.sqrt(gap / (POLLS_PER_POST * shortest))))


def _rate(posted_at: Sequence[float], now: float) -> float:
    """Posts a second."""
    seen = sum(math.exp((at - now) / MEMORY) for at in posted_at)
    covered = MEMORY * (1 - math.exp((posted_at[0] - now) / MEMORY)) if len(posted_at) > 1 else MEMORY
    return (seen + PRIOR_POSTS) / (covered + PRIOR_POSTS * PRIOR_GAP)
