"""What goes wrong in talking to Discord. See the package's docstring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from disgram.errors.common import DisgramError

Fields: TypeAlias = Mapping[tuple[str, ...], str]


class DiscordError(DisgramError):
    """Base of all errors in talking to Discord; never raised itself."""


class DiscordUnavailable(DiscordError):
    """No usable response. `ambiguous`: Discord may have accepted the request all the same."""

    reason = "discord_unavailable"

    def __init__(self, message: str, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class InternalError(DiscordUnavailable):
    """500 with Discord's own JSON body: an outage, or a payload that it can never process."""


class PoisonMessage(DiscordUnavailable):
    """One post was answered with nothing but InternalErrors for too long (delivery/refused/poison.py)."""


class UnreadableResponse(DiscordUnavailable):
    """A 2xx that does not show that it is Discord's, or no HTTP: whether the message arrived is unknown."""


class EditWaits(DiscordUnavailable):
    """An edit or a deletion cannot be made now, which says nothing about Discord or the destination."""


class RateLimited(DiscordUnavailable):
    """429: not accepted. `retry_after`: seconds until it may be sent again; `is_guessed`: it named none."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_after: float, is_guessed: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.is_guessed = retry_after, is_guessed


class CloudflareBlocked(RateLimited):
    """Cloudflare blocks our IP address: every webhook waits (discord-api-docs #5385, #5810)."""

    reason = "blocked_by_cloudflare"


class PayloadTooLarge(DiscordError):
    """413, or one of Discord's JSON codes for a file that is too large."""


class MessageRejected(DiscordError):
    """Discord will never accept this payload. `code`: Discord's JSON error code, 0 if it gave none; `fields`:
    paths of what it refuses, such as `("embeds", "0", "url")`, and why; empty if it named none."""

    def __init__(self, message: str, *, code: int = 0, fields: Fields | None = None) -> None:
        super().__init__(message)
        self.code, self.fields = code, fields or {}


class EditRefused(MessageRejected):
    """An edit or a deletion that will not succeed: 401, 403, 404 and the like for one message. It says
    nothing about the destination, of which only the answer to a POST tells."""


class MessageGone(DiscordError):
    """404 with code 10008: the message to edit or delete does not exist any more."""


class DestinationRefuses(DiscordError):
    """The webhook or thread takes no message now, whatever the post: posts are kept, in order, and the first
    of them is tried again after half a minute, doubling to an hour. Raised for 405, 409, 415, 422, for codes
    about the channel or `thread_id`, and after five refused posts. `known`: found earlier, not now."""

    reason = "destination_refuses"

    def __init__(self, message: str, *, known: bool = False) -> None:
        super().__init__(message)
        self.known = known


class NotDiscord(DestinationRefuses):
    """Several 2xx in a row that are not Discord's: a relay, a login page. One post is tried once an hour."""

    reason = "not_discord"


class WebhookGone(DiscordError):
    """Discord accepts no message for this webhook or thread until a person changes something: 401, 403, 404
    and the codes of discord/responses.py, as answers to a POST; `webhook_gone` with all its threads."""

    def __init__(self, message: str, *, reason: str = "webhook_gone") -> None:
        super().__init__(message)
        self.reason = reason
