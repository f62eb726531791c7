"""What a cooldown that follows the channel gains: simulated channels, fixed against following.

Owns the simulation. Both sides make the same number of requests; compared is how long a post waits on
average until a poll finds it. No service runs and no real time passes.
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Iterator, Sequence
from itertools import cycle

from bench.figures import Figure
from disgram.telegram.poll_interval import poll_interval

DAY = 86400.0
DAYS, WARM_UP = 28, 7
POSTS_ON_A_PAGE = 20
POSTS_A_DAY = (0.3, 1, 1, 2, 3, 5, 8, 12, 20, 40, 80)

REAL_GAPS = (
    (6153, 1327, 679, 548, 173, 155, 478, 540, 1197, 121, 1833, 112, 7371, 2183, 235, 1819, 1515, 1409, 128),
    (25985, 58486, 84952, 5383, 12694, 83297, 15884, 1426, 70800, 19585, 6443, 47247, 23919),
    (18, 16, 14, 2, 3245240, 20, 18, 17, 9, 3056718, 25, 21, 27, 20, 11, 3018268, 78, 21, 9),
    (72, 82, 76, 14, 13, 32, 45, 95, 22, 68, 17, 64, 84, 18, 571, 1189, 11749, 2991, 408, 5239),
)
"""Seconds from post to post on pages of four public channels (2022 to 2026): alerts, a game, rare news in
bursts, a test channel. They are repeated over the simulated weeks."""


def compared(shortest: float, longest: float) -> Iterator[Figure]:
    """The mean delay within a range of cooldowns, against a fixed cooldown of as many requests."""
    dice = random.Random(7)  # noqa: S311
    made = [_day_and_night(dice, daily, burst) for daily in POSTS_A_DAY for burst in (0.0, 0.4)]
    real = [_repeated(gaps) for gaps in REAL_GAPS]
    for what, channels in (("generated", made), ("as on real pages", real)):
        requests, delay = _run(channels, shortest, longest)
        fixed = len(channels) * (DAYS - WARM_UP) * DAY / requests / 2
        yield Figure(
            f"`COOLDOWN={shortest:.0f}-{longest:.0f}`, {len(channels)} channels {what}: mean delay",
            f"{delay:.0f} s; {fixed:.0f} s at the same requests (x {delay / fixed:.2f})",
            amount=delay / fixed,
        )


def _run(channels: Sequence[Sequence[float]], shortest: float, longest: float) -> tuple[int, float]:
    """How many requests all channels took, and the mean seconds from a post to the poll that finds it."""
    requests, delays = 0, list[float]()
    for posts in channels:
        now = WARM_UP * DAY
        seen = bisect.bisect_right(posts, now)
        while now < DAYS * DAY:
            requests += 1
            found = bisect.bisect_right(posts, now)
            delays += (now - at for at in posts[seen:found])
            seen = found
            now += poll_interval(posts[max(0, seen - POSTS_ON_A_PAGE) : seen], now, shortest, longest)
    return requests, sum(delays) / len(delays)


def _day_and_night(dice: random.Random, daily: float, burst: float) -> list[float]:
    """Posts of a channel whose rate goes up and down with the day; after each, with the chance `burst`,
    another follows within minutes."""
    now, posts = 0.0, list[float]()
    while now < DAYS * DAY:
        now += dice.expovariate(2 * daily / DAY)
        if dice.random() < (1 + math.sin((now / DAY - 0.375) * 2 * math.pi)) / 2:
            posts.append(now)
            while dice.random() < burst:
                now += dice.expovariate(1 / 120)
                posts.append(now)
    return posts


def _repeated(gaps: Sequence[int]) -> list[float]:
    posts = [0.0]
    for gap in cycle(gaps):
        posts.append(posts[-1] + gap)
        if posts[-1] > DAYS * DAY:
            return posts
    raise AssertionError("unreachable: a cycle does not end")
