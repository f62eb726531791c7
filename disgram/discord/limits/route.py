"""Which buckets a request is counted in.

Owns the names of buckets, as far as they are known before Discord's first answer; what a bucket allows is
bucket.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

from disgram.addresses import Destination
from disgram.discord.limits.bucket import NEW_CHANNEL


@dataclass(frozen=True, slots=True)
class Route:
    """Of one request; `owner`: the worker that makes it."""

    owner: str
    method: str
    webhook_id: str
    channel_bucket: str = ""

    @property
    def bucket(self) -> str:
        """The bucket's name before the first answer."""
        return f"{self.method}:{self.webhook_id}"

    def announced(self, bucket_hash: str) -> str:
        """The name of the bucket that an answer to this request names."""
        return f"{self.method}:{bucket_hash}:{self.webhook_id}"

    @classmethod
    def to(cls, method: str, owner: str, destination: Destination) -> Route:
        """A POST counts in the webhook's bucket and in that of the channel it lands in; other methods have
        buckets of their own and put no new message into the channel."""
        webhook_id = destination.webhook_id
        if method == "POST":
            return cls.into(owner, webhook_id, destination.thread_id or "")
        return cls(owner, method, webhook_id)

    @classmethod
    def into(cls, owner: str, webhook_id: str, thread_id: str) -> Route:
        """Of a POST; `thread_id` is "" where the webhook's own channel is meant."""
        return cls(owner, "POST", webhook_id, f"{NEW_CHANNEL}{webhook_id}:{thread_id}")
