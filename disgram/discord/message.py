"""What is sent to Discord, and what its answers tell of limits. No HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
    """What an answer of Discord says about limits; all None for a request that got no answer.

    `retry_after` in seconds stands only on refusals (429, or a refusal of Cloudflare's that names a
    time); `invalid` counts toward the 10,000 in 10 minutes; `channel_id` is where the message landed.
    `answered`: Discord itself spoke, not its edge.
    """

    answered: bool = False
    bucket: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_after: float | None = None
    retry_after: float | None = None
    scope: str | None = None
    is_global: bool = False
    cloudflare: bool = False
    invalid: bool = False
    channel_id: str | None = None
