"""What a worker is made of: ledger, limits, reader, sender, follower, put together from its spec.

Owns the composition. Never polls and never decides what is due: webhook.py does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple

from disgram.backoff import REQUEST_BACKOFF_MAX
from disgram.delivery.follow import Follower
from disgram.delivery.message_options import MessageOptions
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.sender import Sender
from disgram.discord.client import DiscordClient
from disgram.discord.color import stable_color
from disgram.report import CountingReporter
from disgram.rules.rules import Rules
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.ledger import Ledger
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.account.choice import account_client, choose_reader
from disgram.telegram.account.files import AccountFiles, Files
from disgram.telegram.channel import ChannelReader
from disgram.telegram.channel_pages import Reader
from disgram.telegram.client import TelegramClient
from disgram.telegram.egress.direct import open_egress
from disgram.telegram.missing_posts import oldest_copy
from disgram.telegram.unknown_markup import UnknownMarkup
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec
from rate_limiter import DiscordRateLimiter, Route


class WorkerParts(NamedTuple):
    """In the order of Worker's arguments."""

    ledger: ChannelLedger
    reader: Reader
    delivery: PostDelivery
    follower: Follower


def worker_parts(
    spec: WorkerSpec, report: CountingReporter, heartbeat: Heartbeat, stack: ExitStack
) -> WorkerParts:
    """Everything a worker needs, which `stack` closes."""
    settings, wait = spec.settings, heartbeat.wait
    owner = f"{spec.job}/{spec.channel.key}"
    ledger, permit = _ledger(spec, stack)
    create = spec.ledger_file is None  # else the service has made both files, and alone makes them anew
    limits = stack.enter_context(closing(LimitStore(settings.data_dir / "limits.db", create=create)))
    limiter = DiscordRateLimiter(limits, on_wait=partial(_count_wait, report))
    limiter.finish_abandoned(owner)
    timeout = settings.request_timeout
    egress = open_egress(
        limits,
        settings.telegram_requests_per_second,
        wait,
        channel=spec.channel.key,
        addresses=settings.telegram_egress,
        timeout=timeout,
        check=heartbeat.check,
        report=report,
    )
    telegram = TelegramClient(
        settings.telegram_base_url, egress, spool_folder=settings.data_dir, count=report.count
    )
    stack.callback(telegram.close)
    account = account_client(settings.data_dir, timeout, heartbeat.check) if settings.account else None
    discord = stack.enter_context(closing(DiscordClient(timeout, heartbeat.beat, report.count, permit)))
    sender = Sender(
        spec.channel,
        spec.destination,
        ledger,
        discord,
        limiter,
        lambda method: Route.to(method, owner, spec.destination),
        report=report,
        wait=wait,
        backoff_max=min(REQUEST_BACKOFF_MAX, max(settings.cooldown, 1.0)),
        keep_payloads=settings.follow_deletions == "mark",
        look_daily=settings.webhook_check,
    )
    delivery = PostDelivery(
        sender,
        ledger,
        Files(telegram, AccountFiles(account, settings.data_dir, wait)),
        color=stable_color(spec.channel.key) if spec.embed_color is None else spec.embed_color,
        max_upload_bytes=settings.max_upload_bytes,
        report=report,
        wait=wait,
        rules=Rules(spec.rules),
        options=MessageOptions.of(spec.rules),
    )
    follower = Follower(
        delivery,
        ledger,
        edits=settings.follow_edits,
        policy=settings.follow_deletions,
        report=report,
        oldest_copy=0.0 if spec.channel.private else oldest_copy(settings.cooldown),
    )
    unknown_markup = UnknownMarkup(settings.data_dir, spec.channel.key)
    preview = ChannelReader(telegram, spec.channel.name, unknown_markup, report=report, wait=wait)
    reader = choose_reader(spec.channel, preview, account, report=report, wait=wait)
    return WorkerParts(ledger, reader, delivery, follower)


def _ledger(spec: WorkerSpec, stack: ExitStack) -> tuple[ChannelLedger, Callable[[], None]]:
    """The worker's rows, and what raises if no request that changes something may be made now."""
    folder = spec.settings.data_dir
    if spec.lease is None:
        file = stack.enter_context(closing(Ledger(folder / "disgram.db", file=spec.ledger_file)))
        return file.of(*spec.key), lambda: None
    from disgram.storage.remote.client import RemoteLedger  # only here: one host alone needs none of it
    from disgram.storage.remote.wire import SOCKET

    remote = stack.enter_context(closing(RemoteLedger(folder / SOCKET, spec.lease.epoch)))
    return remote.of(*spec.key), partial(remote.check_may_send, *spec.key)


def _count_wait(report: CountingReporter, lane: str, seconds: float) -> None:
    report.count("discord_wait_seconds", lane, by=round(seconds, 3))
