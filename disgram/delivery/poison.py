"""When a post that Discord answers with 500 again and again is tried in a simpler form.

Discord answers some payloads with 500 for ever (discord-api-docs #7628, #8554), and in an outage it answers
all of them so. No count of 500s tells the one from the other, and neither does a look at the webhook:
reading it may work while sending does not. The post's simpler forms do tell. Each is tried once, right
behind a 500 for the fuller one. If Discord takes it, the payload was at fault. If it takes not even the
barest, which has nothing of the post but its link, then no message would pass just now: that is an outage,
whatever it looks like, and the post waits in its full form, as in any other. So an outage costs no post, and
none its looks but one that is tried in the very moment in which the outage ends.

Owns that count. Never sends, waits or knows the forms.
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

STUCK_SECONDS = 30 * 60.0
"""Of nothing but 500s, from which on simpler forms are tried. Long enough for a deployment or a short outage
to pass without that; short enough for a channel that one post holds up to go on within the hour."""

STUCK_TRIES = 12
"""At least as many in that time: after long waits for a limit, half an hour may hold only two or three."""


class PoisonDetector:
    """In a row, for the messages of one post. Any other answer ends the row, and so does none at all; only a
    plain 429, which says nothing of the message, does not. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Another post's turn, or another answer."""
        self._count, self._since, self._stuck = 0, 0.0, False

    def after(self, error: DiscordError | None) -> DiscordUnavailable | None:
        """What an answer leads to: something to raise instead of trying again, or None.

        Once stuck, nothing but a plain 429 is worth a second try in the same form.
        """
        if isinstance(error, RateLimited) and not isinstance(error, CloudflareBlocked):
            return None
        if not isinstance(error, InternalError):
            unavailable = error if self._stuck and isinstance(error, DiscordUnavailable) else None
            self.forget()
            return unavailable
        return self._another(error)

    def _another(self, error: InternalError) -> PoisonMessage | None:
        now = self._clock()
        if not self._count:
            self._since = now
        self._count += 1
        lasted = now - self._since
        self._stuck = self._stuck or (self._count >= STUCK_TRIES and lasted >= STUCK_SECONDS)
        told = f"{error}, {self._count} times in {lasted / 60:.0f} minutes"
        return PoisonMessage(told, ambiguous=True) if self._stuck else None
