"""A worker without sockets: a channel in memory, a Discord that follows a script, a clock that waits advance.

Real are the ledger, the parser, the renderer and everything between them.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from disgram.addresses import ChannelRef, Destination
from disgram.delivery.downloads import MediaSource
from disgram.delivery.follow import Follower
from disgram.delivery.message_options import MessageOptions
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.sender import Sender
from disgram.delivery.shape import Shape
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.discord.render import Fallback
from disgram.discord.responses import DiscordResponse
from disgram.errors import (
    DiscordError,
    DisgramError,
    MediaUnavailable,
    MessageGone,
    Stopping,
    TelegramUnavailable,
)
from disgram.post import MediaFile
from disgram.report import Level
from disgram.rules.rules import Rules
from disgram.rules.texts import RuleTexts
from disgram.storage.channel_ledger import ChannelLedger, MessageRow, PostRow
from disgram.storage.ledger import Ledger
from disgram.telegram.channel import ChannelReader
from disgram.telegram.channel_pages import Reader
from disgram.telegram.client import Download
from disgram.telegram.media_budget import MediaBudget
from disgram.telegram.unknown_markup import UnknownMarkup
from disgram.workers.spec import WorkerSettings, WorkerSpec
from tests.builders import pages
from tests.builders.discord_clock import Clock
from webhook import Worker

HOOK = Destination("https://discord.com", "1", "secret")
FACTS = RateLimitHeaders(answered=True)
FIRST_POLL = datetime.fromisoformat(pages.DATE).timestamp() - 60
"""A minute before the date of every post that is not given another."""


def refusal(error: DiscordError) -> DiscordResponse:
    """A response with an error."""
    return DiscordResponse(FACTS, error)


class Discord:
    """Accepts everything but what `script` says about the next requests (None: accept)."""

    def __init__(self) -> None:
        self.script: list[DiscordResponse | None] = []
        self.refuses: Callable[[DiscordMessage], DiscordError | None] = lambda _: None
        self.refuses_changes: DiscordError | None = None
        """The answer to every PATCH and DELETE, if there is one."""
        self.refuses_changes_in: dict[str, DiscordError] = {}
        """The answer to those in a thread, by its id."""
        self.sent_to: dict[str, Destination] = {}
        """Message id -> where it was posted."""
        self.patched: list[dict[str, Any]] = []
        self.changed_at: list[Destination] = []
        """Where each PATCH and DELETE was sent."""
        self.shown: dict[str, dict[str, Any]] = {}
        """Message id -> payload, in order of arrival."""
        self.files: dict[str, list[bytes]] = {}
        self.asked: list[str] = []
        """The method of every request."""
        self.takes_buttons = True
        self.before: Callable[[], None] = lambda: None
        """Called when a request arrives."""

    def execute(
        self, to: Destination, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        refused = self._judged("POST", message)
        if refused:
            return refused
        message_id = str(100 + len(self.asked))
        self.shown[message_id] = message.payload
        self.files[message_id] = [files[upload.media].read() for upload in message.uploads]
        buttons = message.payload.get("components", []) if self.takes_buttons else []
        self.sent_to[message_id] = to
        opened = f"thread of {message_id}" if "thread_name" in message.payload else None
        answer = {"id": message_id, "channel_id": opened or to.thread_id or "9", "components": buttons}
        return DiscordResponse(FACTS, None, answer)

    def edit(
        self, to: Destination, message_id: str, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        self.changed_at.append(to)
        self.patched.append(message.payload)
        refused = self._judged("PATCH", message, to.thread_id)
        if refused or message_id not in self.shown:
            return refused or refusal(MessageGone("404 Unknown Message"))
        self.shown[message_id] = self.shown[message_id] | message.payload
        if "attachments" in message.payload:
            self.files[message_id] = [files[upload.media].read() for upload in message.uploads]
        return DiscordResponse(FACTS, None, {"id": message_id, "channel_id": "9"})

    def delete(self, to: Destination, message_id: str) -> DiscordResponse:
        self.changed_at.append(to)
        refused = self._judged("DELETE", None, to.thread_id)
        if refused or message_id not in self.shown:
            return refused or refusal(MessageGone("404 Unknown Message"))
        del self.shown[message_id]
        return DiscordResponse(FACTS, None)

    def look(self, to: Destination) -> DiscordResponse:
        return self._judged("GET", None) or DiscordResponse(FACTS, None, {"guild_id": "55"})

    def _judged(
        self, method: str, message: DiscordMessage | None, thread: str | None = None
    ) -> DiscordResponse | None:
        self.asked.append(method)
        self.before()
        if self.script:
            return self.script.pop(0)
        if self.refuses_changes and method in {"PATCH", "DELETE"}:
            return refusal(self.refuses_changes)
        if method in {"PATCH", "DELETE"} and thread in self.refuses_changes_in:
            return refusal(self.refuses_changes_in[thread])
        error = self.refuses(message) if message else None
        return refusal(error) if error else None

    @property
    def texts(self) -> list[str]:
        """What a reader sees of each message."""
        return [text_of(payload) for payload in self.shown.values()]

    @property
    def numbers(self) -> list[int]:
        """The post numbers of the messages, in order."""
        urls = [payload["embeds"][0]["url"] for payload in self.shown.values() if payload.get("embeds")]
        return [int(url.rpartition("/")[2]) for url in urls]


def text_of(payload: Mapping[str, Any]) -> str:
    words = [payload.get("content") or "", *(e.get("description", "") for e in payload.get("embeds") or [])]
    return "\n".join(word for word in words if word)


class Telegram:
    """A channel: number -> the post's HTML. `fails(before)` may return an error for a page;
    where `hides(before)`, it says that there are no posts."""

    def __init__(self, clock: Clock) -> None:
        self.posts: dict[int, str] = {}
        self.fails: Callable[[int | None], DisgramError | None] = lambda _: None
        self.hides: Callable[[int | None], bool] = lambda _: False
        self.asked: list[int | None] = []
        self.fetched: list[str] = []
        self.own_pages: list[int] = []
        """The posts whose own page was read."""
        self.words: dict[int, str] = {}
        self.fails_own: Callable[[int], DisgramError | None] = lambda _: None
        self.channel_id: int | None = None
        """What its pages say; None: they do not."""
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        """Files that download as something else."""

    def write(self, number: int, words: str, *more: str, meta: str = "") -> None:
        view = pages.view_of(self.channel_id, number) if self.channel_id else ""
        self.posts[number] = pages.post(number, *more, pages.text(words), meta=meta, view=view)

    def fill(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.write(number, f"post {number}")

    def page(self, channel: str, before: int | None = None) -> str:
        self.asked.append(before)
        error = self.fails(before)
        if error:
            raise error
        if self.hides(before):
            return pages.page(pages.NO_POSTS)
        numbers = sorted(n for n in self.posts if before is None or n < before)[-20:]
        older = numbers[0] if numbers and numbers[0] > min(self.posts) else None
        return pages.page(*([self.posts[n] for n in numbers] or [pages.NO_POSTS]), older=older)

    def post_page(self, channel: str, post_id: int) -> str:
        self.own_pages.append(post_id)
        error = self.fails_own(post_id)
        if error:
            raise error
        return f'<meta property="og:description" content="{self.words.get(post_id, pages.DESCRIPTION)}">'

    def media(self, url: str, max_bytes: int, budget: MediaBudget, family: str = "") -> Download:
        self.fetched.append(url)
        name = url.rpartition("/")[2]
        if name in self.broken:
            raise TelegramUnavailable("not video, but an error page")
        if name not in self.files:
            raise MediaUnavailable("the file's host answered 404")
        body = self.files[name]
        return Download(io.BytesIO(body), MediaFile(len(body), "image/jpeg"))


class Turns:
    """A limiter that never waits; with `fail` set, its file cannot be written."""

    def __init__(self) -> None:
        self.fail: DisgramError | None = None
        self.open: set[int] = set()
        self.seen: list[RateLimitHeaders] = []
        self.given = 0
        self.full = False
        """Whether what does not wait finds no room."""

    def acquire(self, route: Any, wait: Callable[[float], None]) -> int:
        self.given += 1
        self.open.add(self.given)
        return self.given

    def blocked_by_cloudflare(self) -> bool:
        return False

    def try_acquire(self, route: Any) -> int | None:
        return None if self.full else self.acquire(route, lambda _: None)

    def cancel(self, ticket: int) -> None:
        self._broken()
        self.open.discard(ticket)

    def observe(self, route: Any, ticket: int, facts: RateLimitHeaders) -> None:
        self._broken()
        self.open.discard(ticket)
        self.seen.append(facts)

    def _broken(self) -> None:
        if self.fail:
            raise self.fail


class Said:
    """A reporter that remembers; `facts` is what /health would show now."""

    def __init__(self) -> None:
        self.lines: list[tuple[Level | None, str]] = []
        self.facts: dict[str, Any] = {}
        self.reasons: list[str | None] = []
        self.counts: Counter[str] = Counter()

    def __call__(self, level: Level | None, text: str, **facts: Any) -> None:
        self.counts.update(facts.pop("counts", {}))
        if level:
            self.lines.append((level, text))
        self.facts |= facts
        if "reason" in facts:
            self.reasons.append(facts["reason"])

    def errors(self, text: str = "") -> list[str]:
        return [line for level, line in self.lines if level is Level.ERROR and text in line]

    def count(self, text: str) -> int:
        return sum(text in line for _, line in self.lines)


class Bench:
    """One worker and everything around it; `again()` is the same after the process was killed."""

    def __init__(
        self,
        folder: Path,
        *,
        thread: str | None = None,
        webhook_id: str = HOOK.webhook_id,
        job: str = "job",
        channel: str = pages.CHANNEL,
        rules: RuleTexts = RuleTexts(),  # noqa: B008 - frozen
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.clock = Clock()
        began = self.clock.now
        self.today: Callable[[], float] = lambda: FIRST_POLL + self.clock.now - began
        self.telegram = Telegram(self.clock)
        self.discord = Discord()
        self.turns = Turns()
        self.said = Said()
        self.waited: list[float] = []
        self.stop_after: int | None = None
        """How many waits from now on SIGTERM comes."""
        self.spec = WorkerSpec(
            job, ChannelRef(channel), Destination(HOOK.origin, webhook_id, HOOK.token, thread),
            None, WorkerSettings(folder, **{"cooldown": 10.0, **settings}), rules,
        )  # fmt: skip
        self.database = Ledger(folder / "disgram.db", self.today)
        self.worker = self.again()

    def again(self, start: int | None = None) -> Worker:
        spec, settings = self.spec, self.spec.settings
        self.ledger: ChannelLedger = self.database.of(spec.job, spec.channel.key)
        self.sender = Sender(
            spec.channel, spec.destination, self.ledger, self.discord, self.turns, str,  # type: ignore[arg-type]
            report=self.said, wait=self.wait, keep_payloads=settings.follow_deletions == "mark",
            clock=self.clock,
        )  # fmt: skip
        delivery = PostDelivery(
            self.sender, self.ledger, self.files_of(), color=0, max_upload_bytes=10**6,
            report=self.said, wait=self.wait, rules=Rules(spec.rules), options=MessageOptions.of(spec.rules),
        )  # fmt: skip
        follower = Follower(
            delivery, self.ledger, edits=settings.follow_edits, policy=settings.follow_deletions,
            report=self.said, clock=lambda: self.today(),
        )  # fmt: skip
        self.reader = ChannelReader(
            self.telegram, spec.channel.name, UnknownMarkup(self.folder, spec.channel.key),  # type: ignore[arg-type]
            report=self.said, wait=self.wait,
        )  # fmt: skip
        where = WorkerSpec(
            spec.job, ChannelRef(spec.channel.name, start), spec.destination, None, spec.settings
        )
        self.worker = Worker(
            where,
            self.ledger,
            self.reader_of(spec.channel),
            delivery,
            follower,
            report=self.said,
            wait=self.wait,
            clock=self.clock,
        )
        return self.worker

    def reader_of(self, channel: ChannelRef) -> Reader:
        """What reads the channel; t.me's preview unless a test has another."""
        return self.reader

    def files_of(self) -> MediaSource:
        """Where the files of posts come from."""
        return self.telegram

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.now += seconds
        if self.stop_after is not None:
            self.stop_after -= 1
            if self.stop_after < 0:
                raise Stopping("asked to stop")

    def poll(self, times: int = 1) -> int:
        """Polls; the last one's exit code."""
        for _ in range(times):
            code = self.worker.poll_and_react()
        return code


def sent_before(bench: Bench, first: int, last: int, **where: Any) -> None:
    """Posts that an earlier worker sent in one message each; `where` are columns of MessageRow."""
    bench.telegram.fill(first, last)
    bench.ledger.begin(last, None)
    shape = Shape(Fallback.FILES, (), {}).encode()
    for number in range(first, last + 1):
        message = MessageRow(0, "sent", str(number), "9", files="[]")._replace(**where)
        bench.ledger.put_message(number, message)
        bench.discord.shown[str(number)] = {"content": f"post {number}"}
        page = bench.reader.read(None)
        fingerprint = next(one.fingerprint for one in page.slices if one.id == number)
        bench.ledger.finish(PostRow(number, number, "sent", fingerprint, shape))
