"""Several services over one PostgreSQL, between one stand-in of Telegram and one of Discord.

Owns how they are started and asked together. Never judges what arrives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standins.discord.messages import Message, Webhook
from standins.discord.rate_limits import Rates
from standins.discord.server import DiscordStandIn
from standins.stage import Service, eventually, link_of
from standins.telegram.server import Channel, TelegramStandIn
from standins.telegram.text_markup import post, words

PROGRAM = (sys.executable, "-m", "tests.integration.hosts.short_leases")


class Cluster:
    """Hosts by their names, each with a folder of its own; and rooms of Discord with a webhook each."""

    def __init__(
        self, folder: Path, telegram: TelegramStandIn, discord: DiscordStandIn, database_url: str
    ) -> None:
        self._folder, self._url = folder, database_url
        self.telegram, self.discord = telegram, discord
        self.hosts: dict[str, Service] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.rooms: dict[str, str] = {}

    # hosts -----------------------------------------------------------------------------------

    def host(self, name: str, url: str = "", **env: str) -> Service:
        """One that is not started yet; `url`: its way to the database."""
        (self._folder / name).mkdir()
        own = {"DATABASE_URL": url or self._url, "HOST_NAME": name}
        quick = {"COOLDOWN": "0.5", "MONITOR_INTERVAL": "20", "TELEGRAM_REQUESTS_PER_SECOND": "100"}
        timed = {"REQUEST_TIMEOUT": "1", "WEBHOOK_CHECK": "false", "LOG_TO_STDERR": "false"}
        service = self.hosts[name] = Service(
            self._folder / name,
            telegram_url=self.telegram.url,
            discord_host=self.discord.host,
            env=own | quick | timed | env,
            program=PROGRAM,
        )
        return service

    def start(self, *names: str, **env: str) -> list[Service]:
        """New hosts, each of which sees all others that were started."""
        started = [self.host(name, **env) for name in names]
        for service in started:
            service.start()
        eventually(lambda: all(self.alive(one) >= {*names} for one in started), of=self.logs)
        return started

    @staticmethod
    def alive(service: Service) -> set[str]:
        return {host["name"] for host in service.health()["hosts"] if host["alive"]}

    def running(self, service: Service, job: str) -> dict[str, str]:
        """The channels of a job that run, and where, as one service tells it, if it knows the job."""
        workers = service.health(job).get("workers", [])
        return {one["channel"]: one["host"] for one in workers if one["state"] == "running"}

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{self.log(one)}" for name, one in self.hosts.items())

    @staticmethod
    def log(service: Service) -> str:
        return (service.data / "Disgram.log").read_text("utf-8", "replace")

    def close(self) -> None:
        for service in self.hosts.values():
            service.close()

    # rooms and channels ----------------------------------------------------------------------

    def room(self, name: str) -> str:
        """The address of the webhook of a new channel of Discord's."""
        self.rooms[name] = self.discord.add_channel(name)
        self.webhooks[name] = self.discord.add_webhook(self.rooms[name])
        return self.webhooks[name].url

    def arrived(self, room: str) -> list[Message]:
        return self.discord.messages(self.rooms[room])

    def links(self, room: str) -> list[str]:
        """The Telegram links of a room's messages, in order of arrival."""
        return list(map(link_of, self.arrived(room)))

    def all_links(self) -> list[str]:
        return [link for room in self.rooms for link in self.links(room)]

    def channel(self, name: str, posts: int) -> Channel:
        channel = self.telegram.add_channel(name)
        fill(channel, posts)
        return channel


def fill(channel: Channel, posts: int) -> list[int]:
    return [channel.add(post(words(f"post {number}"))) for number in range(posts)]


@contextmanager
def clustered(
    folder: Path, database_url: str, *, per_webhook: tuple[int, float] = (5, 1.0)
) -> Iterator[Cluster]:
    """A cluster that is struck afterwards, and with it every process that was started on it."""
    with TelegramStandIn() as telegram, DiscordStandIn(rates=Rates(webhook=per_webhook)) as discord:
        cluster = Cluster(folder, telegram, discord, database_url)
        try:
            yield cluster
        finally:
            cluster.close()
