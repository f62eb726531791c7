"""When a post is a poison message: one that Discord answers with 500 each time it is sent.

(The word is that of message queues such as AMQP.) Discord answers some payloads with 500 for ever
(discord-api-docs #7628, #8554), and in an outage it answers all payloads so. Neither the number of 500s nor
reading the webhook tells the two apart. The post's simpler forms (Fallback) do: after long enough each is
tried once, right after a 500 for the fuller one. If Discord accepts one, the payload was at fault. If it
does not even accept the last, which is nothing but the post's link, it is an outage: the post waits, and is
sent in its full form when the outage is over. So an outage loses no post, and at most one post its looks: the
one that is tried at the moment in which the outage ends.

Owns that count. Never sends, never waits, and does not know the forms.
"""

from __future__ import annotations

from collections.abc import Callable

from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    InternalError,
    PoisonMessage,
    RateLimited,
)

POISON_SECONDS = 30 * 60.0
"""Seconds of nothing but 500s after which simpler forms are tried. Long enough for a deployment or a short
outage of Discord to pass first; short enough for a channel to go on within the hour."""

POISON_COUNT = 12
"""At least as many 500s in that time: with long waits for a rate limit, half an hour may hold only two."""


def is_plain_429(error: DiscordError | None) -> bool:
    """A rate limit of Discord's own, which passes by itself and says nothing of the message."""
    return isinstance(error, RateLimited) and not isinstance(error, CloudflareBlocked)


class PoisonDetector:
    """Counts 500s in a row for the messages of one post. Any other response ends the row, and so does none;
    only a rate limit, which says nothing of the message, does not. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Begin a new row: for another post, or after a response that is no 500."""
        self._count, self._since, self._is_poison = 0, 0.0, False

    def record(self, error: DiscordError | None) -> DiscordUnavailable | None:
        """Count a response. Returns what to raise instead of sending the same form again, or None.

        Once the post counts as poison, that is any DiscordUnavailable but a rate limit.
        """
        if is_plain_429(error):
            return None
        if not isinstance(error, InternalError):
            unavailable = error if self._is_poison and isinstance(error, DiscordUnavailable) else None
            self.reset()
            return unavailable
        return self._count_500(error)

    def _count_500(self, error: InternalError) -> PoisonMessage | None:
        now = self._clock()
        if not self._count:
            self._since = now
        self._count += 1
        lasted = now - self._since
        self._is_poison |= self._count >= POISON_COUNT and lasted >= POISON_SECONDS
        if not self._is_poison:
            return None
        return PoisonMessage(f"{error}, {self._count} times in {lasted / 60:.0f} minutes", ambiguous=True)


class PoisonEdits:
    """Counts 500s for the edit or deletion of each post, by its id: one of each a poll. `clock` is monotonic.

    An edit has no simpler forms, so one that gets nothing but 500s for as long is given up. In an outage of
    that kind a message keeps the text it had, which is less harm than to ask with every poll for ever.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._posts: dict[int, PoisonDetector] = {}

    def is_poison(self, post_id: int, error: DiscordError) -> bool:
        """Count the response. True once the edit is to be given up; a later edit counts anew."""
        detector = self._posts.setdefault(post_id, PoisonDetector(self._clock))
        if detector.record(error) is None:
            return False
        self.ended(post_id)
        return True

    def ended(self, post_id: int) -> None:
        """It succeeded, or was refused."""
        self._posts.pop(post_id, None)
