"""What is sent to Discord, and what its responses say of rate limits. No HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FIXED_FIELDS = frozenset({"username", "avatar_url", "attachments", "flags", "thread_name", "applied_tags"})
"""What a PATCH cannot change, or would change wrongly (Edit Webhook Message)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One `files[n]` of a message: which file of the post (index into its `media`) under which name."""

    media: int
    filename: str
    content_type: str


@dataclass(frozen=True, slots=True)
class DiscordMessage:
    """One request body: the JSON payload and the files it carries, in the order of `files[n]`."""

    payload: dict[str, Any]
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """What a response says about rate limits; the defaults are for a request without a response.

    `answered`: the response is Discord's, not Cloudflare's. `reset_after`, `retry_after`: seconds; the latter
    only on a 429 or on a refusal by Cloudflare that names a time. `is_guessed`: the 429 named none that can
    be true, and `retry_after` is our own. `invalid`: the request counts toward the limit of 10,000 invalid
    requests in 10 minutes. `channel_id`: where the message was posted.
    """

    answered: bool = False
    bucket: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_after: float | None = None
    retry_after: float | None = None
    is_guessed: bool = False
    scope: str | None = None
    is_global: bool = False
    cloudflare: bool = False
    invalid: bool = False
    channel_id: str | None = None
