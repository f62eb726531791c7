"""What became of posts: lost, repeated, out of order, as seen at the stand-in for Discord.

Owns the counting. Posts are expected to be one message each; never starts anything.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_DOUBT = re.compile(
    r"\[ERROR\] \[[^\]]*\] \[(?P<channel>\w+)\] (?:Post (?P<post>\d+): Discord did not confirm"
    r"|https://t\.me/\w+/(?P<link>\d+): a message was under way)"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`untold`: repeats of posts that no ERROR line says may appear twice; they should be none."""

    posts: int
    lost: int
    repeated: int
    untold: int
    disordered: int

    @property
    def good(self) -> bool:
        return not (self.lost or self.untold or self.disordered)

    def __str__(self) -> str:
        return (
            f"{self.posts} posts: {self.lost} lost, {self.repeated} repeated in doubt "
            f"({self.untold} without a word), {self.disordered} out of order"
        )


def outcome(links: Iterable[str], expected: Mapping[str, list[int]], log: str) -> Outcome:
    """`links`: those of the messages, in order of arrival; `log`: Disgram's own."""
    arrived: dict[str, list[int]] = defaultdict(list)
    for link in links:
        *_, channel, number = link.split("/")
        arrived[channel.lower()].append(int(number))
    doubted = doubts(log)
    repeats = {(name, n): k - 1 for name, seen in arrived.items() for n, k in Counter(seen).items() if k > 1}
    return Outcome(
        posts=sum(map(len, expected.values())),
        lost=sum(len(set(numbers) - set(arrived[name])) for name, numbers in expected.items()),
        repeated=sum(repeats.values()),
        untold=sum(max(0, extra - doubted[key]) for key, extra in repeats.items()),
        disordered=sum(map(_disordered, arrived.values())),
    )


def doubts(log: str) -> Counter[tuple[str, int]]:
    """How often the log says of a post that it may appear twice."""
    found = _DOUBT.finditer(log)
    return Counter((match["channel"].lower(), int(match["post"] or match["link"])) for match in found)


def _disordered(numbers: list[int]) -> int:
    """Posts whose first arrival comes behind that of a later one."""
    first = list(dict.fromkeys(numbers))
    return sum(number < max(first[:place], default=0) for place, number in enumerate(first))
