"""Where posts come from and where they go: addresses, understood. No I/O.

`ChannelRef.parse` is the only place where a t.me address is understood, `Destination.parse` the only one
where a webhook URL is taken apart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from disgram.errors import BadChannelAddress, BadWebhookURL

# --- where from ---------------------------------------------------------------------------------

_TELEGRAM_HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")
_POST_NUMBER = re.compile(r"[0-9]{1,10}")
_SUBDOMAIN = re.compile(r"([a-z0-9_]+)\.t\.me", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """A public channel, and the post to start with (None: as INITIAL_POSTS says)."""

    name: str
    start: int | None = None

    @classmethod
    def parse(cls, address: str) -> ChannelRef:
        """Understand every form the README names. Raises BadChannelAddress, which tells what to write."""
        text = address.strip()
        parts = [part for part in _path_of(text).split("/") if part]
        if parts and (parts[0].startswith("+") or parts[0].lower() in {"joinchat", "c"}):
            raise BadChannelAddress(
                "Private channel",
                f"{_shown(text)} is a private channel or an invite link, which has no public preview. "
                "Only public channels (https://t.me/name) can be forwarded.",
            )
        if len(parts) > 1 and parts[0].lower() == "s":
            parts = parts[1:]
        if not parts or len(parts) > 2 or not _USERNAME.fullmatch(parts[0]):
            raise BadChannelAddress(
                "Invalid Telegram channel",
                f"{_shown(text)} is not a channel address. Write name, @name or https://t.me/name, "
                "with /123 behind it to start with post 123.",
            )
        return cls(parts[0], _post_number(parts[1], text) if len(parts) == 2 else None)

    @property
    def key(self) -> str:
        """What tells channels apart: names are the same whatever their case."""
        return self.name.lower()

    @property
    def address(self) -> str:
        """As the API names it: https://t.me/name[/123]."""
        base = f"https://t.me/{self.name}"
        return base if self.start is None else f"{base}/{self.start}"


def _path_of(text: str) -> str:
    """The path behind t.me, whatever way the address is written; a bare name is its own path."""
    if text.startswith("@"):
        return text[1:]
    bare = re.sub(r"^https?://", "", text, flags=re.IGNORECASE)
    host, slash, path = re.split(r"[?#]", bare, maxsplit=1)[0].partition("/")
    if host.lower().removeprefix("www.") in _TELEGRAM_HOSTS:
        return path
    if subdomain := _SUBDOMAIN.fullmatch(host):
        return f"{subdomain[1]}/{path}"
    return "" if bare != text else f"{host}{slash}{path}"


def _post_number(digits: str, text: str) -> int:
    if not _POST_NUMBER.fullmatch(digits) or int(digits) == 0:
        raise BadChannelAddress(
            "Invalid post number", f"{_shown(text)}: what follows the name must be a post number such as 123."
        )
    return int(digits)


def _shown(text: str) -> str:
    """A user's value, short enough and safe to stand in an answer or a log line."""
    return repr(text if len(text) <= 100 else text[:100] + "…")


# --- where to -----------------------------------------------------------------------------------

DISCORD_HOSTS = frozenset({"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"})
_WEBHOOK_PATH = re.compile(r"/api(?:/v[0-9]{1,2})?/webhooks/([0-9]{1,20})/([A-Za-z0-9_-]{1,200})/?")


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook, and the thread in its channel if there is one. Its `repr` hides the token."""

    origin: str
    webhook_id: str
    token: str = field(repr=False)
    thread_id: str | None = None

    @classmethod
    def parse(cls, url: str, thread_id: str | None = None, *, extra_hosts: Iterable[str] = ()) -> Destination:
        """Take a webhook URL apart. `extra_hosts` (`host` or `host:port`, http allowed) is WEBHOOK_HOSTS.

        Raises BadWebhookURL; its message never repeats the URL, which holds the secret.
        """
        try:
            parts = urlsplit(url.strip())
            host, netloc = (parts.hostname or "").lower(), parts.netloc.lower()
        except ValueError:
            raise _bad_webhook() from None
        path = _WEBHOOK_PATH.fullmatch(parts.path)
        extra = {name.lower() for name in extra_hosts}
        official = parts.scheme == "https" and netloc in DISCORD_HOSTS
        allowed = parts.scheme in {"http", "https"} and "@" not in netloc and bool({host, netloc} & extra)
        if not path or parts.query or parts.fragment or not (official or allowed):
            raise _bad_webhook()
        # discordapp.com has a limit of its own and no v10 (Discord's change log, 2023-10-17).
        netloc = "discord.com" if netloc == "discordapp.com" else netloc
        return cls(f"{parts.scheme}://{netloc}", path[1], path[2], thread_id)

    @property
    def execute_url(self) -> str:
        """Always v10: without a version it is v6, whose errors and units differ (Reference, API Versions)."""
        return f"{self.origin}/api/v10/webhooks/{self.webhook_id}/{self.token}"

    def message_url(self, message_id: str) -> str:
        """Where a message sent through this webhook is edited and deleted."""
        return f"{self.execute_url}/messages/{message_id}"

    @property
    def key(self) -> str:
        """Tells destinations apart without telling the token."""
        return hashlib.sha256(f"{self.execute_url}?{self.thread_id or ''}".encode()).hexdigest()[:24]

    @property
    def webhook_key(self) -> str:
        """Tells webhooks apart, whatever thread of theirs is meant."""
        return replace(self, thread_id=None).key

    @property
    def masked(self) -> str:
        """The URL as answers and log lines may show it."""
        return f"{self.origin}/api/webhooks/{self.webhook_id}/***"


def _bad_webhook() -> BadWebhookURL:
    return BadWebhookURL(
        "Invalid DISCORD_WEBHOOK_URL",
        "A webhook URL looks like https://discord.com/api/webhooks/{id}/{token}: copy it from the channel's "
        "settings (Integrations, Webhooks). Other hosts must be named in WEBHOOK_HOSTS.",
    )
