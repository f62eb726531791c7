"""Addresses of Telegram channels and Discord webhooks. No I/O.

`ChannelRef.parse` is the only parser of t.me addresses, `Destination.parse` the only one of webhook URLs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from disgram.errors import BadChannelAddress, BadWebhookURL
from disgram.origin import Origin

# --- Telegram -----------------------------------------------------------------------------------

_TELEGRAM_HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")
_POST_NUMBER = re.compile(r"[0-9]{1,10}")
_TOKEN = re.compile(r"(webhooks/).*", re.IGNORECASE | re.DOTALL)
_SUBDOMAIN = re.compile(r"([a-z0-9_]+)\.t\.me", re.IGNORECASE)
_PRIVATE_ID = re.compile(r"[1-9][0-9]{0,18}")
_BOT_API_ID = re.compile(r"-100([1-9][0-9]{0,18})")
_INVITE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """A channel or group, and the id of the post to start with (None: INITIAL_POSTS decides).

    `name`: a public one's, or `c/<id>` of a private one, which only an account that is in it can read.
    """

    name: str
    start: int | None = None

    @classmethod
    def parse(cls, address: str) -> ChannelRef:
        """Accepts every form that the README lists. Raises BadChannelAddress, which says what to write."""
        text = address.strip()
        parts = [part for part in _path_of(text).split("/") if part]
        if invite_hash(text) is not None:
            raise BadChannelAddress(
                "Private channel",
                f"{_shown(text)} is an invite link: only an account that is in the channel can tell which "
                "one it is (`make account`). Name the channel as https://t.me/name or https://t.me/c/<id>.",
            )
        if private := _private(parts):
            channel_id, posts = private
            return cls(f"c/{channel_id}", _post_number(posts[-1], text) if posts else None)
        if len(parts) > 1 and parts[0].lower() == "s":
            parts = parts[1:]
        if not parts or len(parts) > 2 or not _USERNAME.fullmatch(parts[0]):
            raise BadChannelAddress(
                "Invalid Telegram channel",
                f"{_shown(text)} is not a channel address. Write name, @name or https://t.me/name, "
                "with /123 after it to start with post 123.",
            )
        return cls(parts[0], _post_number(parts[1], text) if len(parts) == 2 else None)

    @property
    def private(self) -> bool:
        """Whether it has no public name, and so no page that everybody can read."""
        return self.name.startswith("c/")

    @property
    def key(self) -> str:
        """Equal for two names of one channel: names do not depend on case."""
        return self.name.lower()

    @property
    def address(self) -> str:
        """As the API shows it: https://t.me/name[/123], https://t.me/c/<id>[/123]."""
        base = f"https://t.me/{self.name}"
        return base if self.start is None else f"{base}/{self.start}"


def invite_hash(address: str) -> str | None:
    """What of an invite link names its channel (t.me/+HASH, t.me/joinchat/HASH); None for other addresses."""
    parts = [part for part in _path_of(address.strip()).split("/") if part]
    if parts and parts[0].startswith("+"):
        invite = parts[0][1:]
    elif parts and parts[0].lower() == "joinchat":
        invite = parts[1] if len(parts) > 1 else ""
    else:
        return None
    return invite if _INVITE.fullmatch(invite) else ""


def _private(parts: list[str]) -> tuple[str, list[str]] | None:
    """Id, and what follows it, of c/<id>[/<post>], c/<id>/<topic>/<post> and -100<id>[/<post>]."""
    if parts and (bot_api := _BOT_API_ID.fullmatch(parts[0])):
        channel_id, rest, most = bot_api[1], parts[1:], 1
    elif len(parts) > 1 and parts[0].lower() == "c" and _PRIVATE_ID.fullmatch(parts[1]):
        channel_id, rest, most = parts[1], parts[2:], 2
    else:
        return None
    return (channel_id, rest) if len(rest) <= most else None


def _path_of(text: str) -> str:
    """The path after t.me in any form of address; a bare name is its own path."""
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
    """A user's value, cut and quoted for a response or a log line."""
    text = without_token(text)
    return repr(text if len(text) <= 100 else text[:100] + "…")


def without_token(text: str) -> str:
    """What a person wrote in place of a channel: it may be the webhook's address, which is a secret."""
    return _TOKEN.sub(r"\1***", text)


# --- Discord ------------------------------------------------------------------------------------

DISCORD_HOSTS = frozenset({"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"})
_WEBHOOK_PATH = re.compile(r"/api(?:/v[0-9]{1,2})?/webhooks/([0-9]{1,20})/([A-Za-z0-9_-]{1,200})/?")
_THREAD_ID = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook, and the thread in its channel if there is one. Its `repr` hides the token."""

    origin: str
    webhook_id: str
    token: str = field(repr=False)
    thread_id: str | None = None

    @classmethod
    def parse(cls, url: str, thread_id: str | None = None, *, extra_hosts: Iterable[str] = ()) -> Destination:
        """Parse a webhook URL. `extra_hosts` (`host` or `host:port`, http allowed) is WEBHOOK_HOSTS.
        `thread_id` counts more than one in the URL.

        Raises BadWebhookURL; its message does not repeat the URL, which contains the token.
        """
        text = url.strip()
        origin = Origin.of(text)
        if not origin:
            raise _bad_webhook()
        bare, of_query = without_query(text.rstrip("?#"))
        path = _WEBHOOK_PATH.fullmatch(bare[len(f"{origin.scheme}://{origin.netloc}") :])
        official = origin.scheme == "https" and origin.netloc in DISCORD_HOSTS
        allowed = {origin.host, origin.netloc} & {name.lower() for name in extra_hosts}
        if not path or not (official or allowed):
            raise _bad_webhook()
        # discordapp.com has its own rate limit and no v10 (Discord's change log, 2023-10-17).
        netloc = "discord.com" if origin.netloc == "discordapp.com" else origin.netloc
        return cls(f"{origin.scheme}://{netloc}", path[1], path[2], thread_id or of_query)

    @property
    def execute_url(self) -> str:
        """Always v10: without a version it is v6, with other errors and units (Reference, API Versions)."""
        return f"{self.origin}/api/v10/webhooks/{self.webhook_id}/{self.token}"

    def message_url(self, message_id: str) -> str:
        """Where a message sent through this webhook is edited and deleted."""
        return f"{self.execute_url}/messages/{message_id}"

    @property
    def key(self) -> str:
        """A hash that identifies the destination without showing the token."""
        return hashlib.sha256(f"{self.execute_url}?{self.thread_id or ''}".encode()).hexdigest()[:24]

    @property
    def webhook_key(self) -> str:
        """`key` of the webhook without a thread."""
        return replace(self, thread_id=None).key

    @property
    def masked(self) -> str:
        """The URL for responses and log lines, without the token."""
        return f"{self.origin}/api/webhooks/{self.webhook_id}/***"


def without_query(url: str) -> tuple[str, str | None]:
    """A webhook URL without its query, and the thread that the query names. Raises BadWebhookURL.

    `wait` is dropped, since each request of ours has its own; nothing else is understood.
    """
    bare, _, query = url.partition("?")
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    values = dict(pairs)
    if len(values) < len(pairs) or not values.keys() <= {"wait", "thread_id"}:
        raise _bad_webhook()
    thread_id = values.get("thread_id") or None
    if thread_id and not _THREAD_ID.fullmatch(thread_id):
        raise _bad_webhook()
    return bare, thread_id


def _bad_webhook() -> BadWebhookURL:
    return BadWebhookURL(
        "Invalid DISCORD_WEBHOOK_URL",
        "A webhook URL looks like https://discord.com/api/webhooks/{id}/{token}: copy it from the channel's "
        "settings (Integrations, Webhooks). Other hosts must be named in WEBHOOK_HOSTS.",
    )
