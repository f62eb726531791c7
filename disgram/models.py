"""The frozen values that cross module borders. No I/O, no HTML, no Discord rule.

`ChannelRef.parse` is the only place where a t.me address is understood, `Destination.parse` the
only one where a webhook URL is taken apart.

A post is a tuple of blocks in the order of the page: a reader of t.me turns each element of a
message into one block, a writer for Discord turns each block into a piece of the message, and a new
kind of post is one dataclass here, one function there and one function there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
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
        """Understand every form of CONTRACT.md §3. Raises BadChannelAddress, which tells what to write."""
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

    def post_url(self, post_id: int) -> str:
        """The post's own link, which log lines and embeds carry."""
        return f"https://t.me/{self.name}/{post_id}"


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


# --- what a post says ---------------------------------------------------------------------------


class Style(str, Enum):
    """The formatting a run of text can carry. QUOTE and PRE are blocks: see Run."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with the same formatting throughout; line breaks are newlines in `text`.

    Nested and overlapping entities come out as runs that carry several styles. A block (QUOTE, PRE)
    is a run of neighbours that share the style; two separate blocks are parted by a newline without it.
    `language` belongs to PRE, `href` to links of any scheme, already absolute and unescaped.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    href: str | None = None
    language: str | None = None


RichText = tuple[Run, ...]


def plain(text: RichText) -> str:
    """The characters alone."""
    return "".join(run.text for run in text)


class MediaKind(str, Enum):
    """What can come as a file; the value is the word people read."""

    PHOTO = "Photo"
    VIDEO = "Video"
    GIF = "GIF"
    ROUND_VIDEO = "Video message"
    VOICE = "Voice message"
    AUDIO = "Audio"
    DOCUMENT = "File"
    STICKER = "Sticker"


@dataclass(frozen=True, slots=True)
class Media:
    """One file of a post. `url` is None where t.me offers none (documents, music, too big videos).

    `identity` names the file for edit detection and never holds a URL, whose tokens rotate.
    """

    kind: MediaKind
    link: str
    url: str | None = None
    preview_url: str | None = None
    name: str = ""
    size: str = ""
    duration: str = ""
    performer: str = ""
    note: str = ""
    spoiler: bool = False
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """The post's own text or caption."""

    runs: RichText


@dataclass(frozen=True, slots=True)
class Forward:
    """The line "Forwarded from": a channel (with the post's link), a user, or a hidden one (no link)."""

    name: str
    url: str | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The post this one answers: its author and the beginning of its text, as the page quotes it."""

    url: str | None
    author: str
    runs: RichText


@dataclass(frozen=True, slots=True)
class ViaBot:
    """The line "via @bot"."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PollOption:
    text: str
    percent: str
    """As the page writes it ("16%"), empty where the page gives none."""


@dataclass(frozen=True, slots=True)
class Poll:
    """`kind` is the page's own words ("Anonymous Quiz"); `voters` its rounded count ("222", "1.2K")."""

    question: str
    kind: str
    options: tuple[PollOption, ...]
    voters: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map; a venue has a title and an address as well."""

    url: str
    title: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """The card under a text. `media` holds its picture and its video, whichever there are."""

    url: str
    site: str = ""
    title: str = ""
    description: RichText = ()
    media: tuple[Media, ...] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """Kinds that are a heading and a few lines: contact, game, invoice, giveaway, paid media, story."""

    kind: str
    runs: RichText
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Buttons:
    """Inline buttons, in rows."""

    rows: tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The preview shows only a label such as "Please open Telegram to view this post"."""

    label: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An element no reader knows. What it says is forwarded, its markup goes into the layout report."""

    css_class: str
    runs: RichText
    html: str


Block = (
    Text
    | Media
    | Forward
    | Reply
    | ViaBot
    | Poll
    | Location
    | LinkPreview
    | Card
    | Buttons
    | Unsupported
    | Unknown
)


@dataclass(frozen=True, slots=True)
class TelegramPost:
    """One post, read whole. `ids` are all message numbers it covers (an album of N has N), ascending."""

    channel: str
    id: int
    ids: tuple[int, ...]
    author: str
    blocks: tuple[Block, ...]
    photo_url: str | None = None
    signature: str = ""
    date: datetime | None = None
    edited: bool = False
    service: bool = False

    @property
    def url(self) -> str:
        return f"https://t.me/{self.channel}/{self.id}"

    @property
    def last_id(self) -> int:
        return self.ids[-1]

    @property
    def media(self) -> tuple[Media, ...]:
        """Every file of the post in page order, those of a link preview included; the index is its key."""
        found: list[Media] = []
        for block in self.blocks:
            if isinstance(block, Media):
                found.append(block)
            elif isinstance(block, LinkPreview):
                found.extend(block.media)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PostSlice:
    """A post not yet parsed: its numbers and its piece of HTML.

    `fingerprint` changes when something a reader of Discord could see changed, and never with view
    counts, reactions or rotating tokens.
    """

    id: int
    ids: tuple[int, ...]
    html: str = field(repr=False)
    fingerprint: str
    service: bool = False

    @property
    def last_id(self) -> int:
        return self.ids[-1]


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """A preview page split into posts, ascending. `older` is the page's own cursor (`?before=`), None on the
    oldest page."""

    channel: str
    title: str
    photo_url: str | None
    slices: tuple[PostSlice, ...]
    older: int | None = None


# --- what is sent -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """A media file at hand: its size in bytes and its media type (`image/jpeg`), as the server named it."""

    size: int
    content_type: str


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
class RateFacts:
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


# --- what runs ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of a service shares; seconds and bytes. The names are those of CONTRACT.md §2."""

    data_dir: Path
    cooldown: float = 300.0
    initial_posts: int = 20
    telegram_base_url: str = "https://t.me"
    telegram_requests_per_second: float = 2.0
    max_upload_bytes: int = 20 * 1024 * 1024
    follow_edits: bool = True
    follow_deletions: str = "keep"
    forward_service_messages: bool = False
    request_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything one worker needs to know. Equal specs mean that nothing has to restart."""

    job: str
    channel: ChannelRef
    destination: Destination
    embed_color: int | None
    settings: WorkerSettings

    @property
    def key(self) -> tuple[str, str]:
        """(job, channel): there is one worker for each."""
        return self.job, self.channel.key

    @property
    def script(self) -> str:
        """The name the process goes by."""
        return "threadhook.py" if self.destination.thread_id else "webhook.py"

    def to_wire(self) -> dict[str, Any]:
        """As JSON for the template's socket. Holds the token: for that socket alone."""
        wire = asdict(self)
        wire["settings"]["data_dir"] = str(self.settings.data_dir)
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> WorkerSpec:
        settings = dict(wire["settings"], data_dir=Path(wire["settings"]["data_dir"]))
        return cls(
            job=wire["job"],
            channel=ChannelRef(**wire["channel"]),
            destination=Destination(**wire["destination"]),
            embed_color=wire["embed_color"],
            settings=WorkerSettings(**settings),
        )


class WorkerState(str, Enum):
    """What /health shows of a worker; lifecycle.py owns the transitions."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker as its supervisor last saw it.

    `last_line_at` and `next_start_at` are monotonic, for ages; `last_poll_at` is wall-clock UTC, for people.
    What the worker itself reports (polls, posts, gaps) outlives its restarts; `reason` does not.
    """

    job: str
    channel: str
    script: str
    pid: int | None
    state: WorkerState
    reason: str | None
    restarts: int
    last_poll_at: datetime | None
    last_poll_ok: bool | None
    last_post_id: int | None
    gaps: tuple[tuple[int, int], ...]
    layout_changed: int
    last_line_at: float
    next_start_at: float | None

    @classmethod
    def about_to_start(cls, job: str, channel: str, script: str, now: float) -> WorkerStatus:
        """A worker nothing is known of yet."""
        return cls(
            job, channel, script, None, WorkerState.STARTING, None, 0, None, None, None, (), 0, now, None
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All workers at the monotonic moment `taken_at`. `errors`: what is in the service's own way now."""

    workers: tuple[WorkerStatus, ...] = ()
    taken_at: float = 0.0
    template_alive: bool = False
    errors: tuple[str, ...] = ()
