"""`disgram check`: are the settings, the webhooks and the channels of jobs.json well?

Asks Discord for each webhook and Telegram for each channel, once and at the usual pace, and prints a line for
each. Sends nothing and changes no job.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

from config import SETTINGS, Settings
from disgram.addresses import ChannelRef, Destination
from disgram.discord.client import DiscordClient
from disgram.errors import StartRefused, StorageUnavailable, TelegramError
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.client import TelegramClient
from disgram.telegram.egress.direct import open_egress
from disgram.telegram.page import split_page
from hosting import open_jobs, require_driver
from jobs import Job, JobManager

EXIT_TROUBLE, EXIT_REFUSED = 1, 2

Finding = tuple[bool, str]
"""Whether it is well, and the line to print."""


def main(settings: Settings = SETTINGS) -> int:
    """0 if all is well, 1 if not, 2 if jobs.json makes no sense. Settings that make none have ended the
    process already."""
    try:
        jobs = stored_jobs(settings)
        unusable = [(False, f"{one.error}") for one in jobs.unusable().values()]
        found = chain(_findings(settings, list(jobs.jobs().values())), unusable)
        findings = [_shown(finding) for finding in found]
    except (StartRefused, StorageUnavailable) as error:
        print(f"disgram: {error}", file=sys.stderr)
        return EXIT_REFUSED
    return 0 if all(findings) else EXIT_TROUBLE


def stored_jobs(settings: Settings) -> JobManager:
    """Those of jobs.json, or of the database. Raises StartRefused and StorageUnavailable."""
    if settings.database_url:
        require_driver()
        from several_hosts import stored_jobs as of_all_hosts  # only here: it imports the driver

        return of_all_hosts(settings)
    return open_jobs(settings)


def _shown(finding: Finding) -> bool:
    well, line = finding
    print(f"{'ok     ' if well else 'TROUBLE'} {line}", flush=True)
    return well


def _findings(settings: Settings, jobs: list[Job]) -> Iterator[Finding]:
    """One after another, as they are asked for. Raises StorageUnavailable."""
    yield (
        not settings.default_password,
        f"settings: jobs: {len(jobs)}, data in {settings.data_dir}, "
        f"listening on {settings.host}:{settings.port}"
        + ("; AUTH_PASSWORD is the published default, set your own" if settings.default_password else ""),
    )
    yield from _webhooks(settings, jobs)
    yield from _channels(settings, jobs)


def _webhooks(settings: Settings, jobs: list[Job]) -> Iterator[Finding]:
    """Each webhook once, however many jobs use it."""
    found = {one.webhook_key: one for one in (job.destination(settings.webhook_hosts) for job in jobs)}
    if settings.webhook_problem:
        yield False, settings.webhook_problem
    elif settings.discord_webhook_url:
        own = Destination.parse(settings.discord_webhook_url, extra_hosts=settings.webhook_hosts)
        found.setdefault(own.webhook_key, own)
    client = DiscordClient(settings.request_timeout)
    try:
        for webhook in found.values():
            answer = client.look(webhook)
            said = f"{answer.error}" if answer.error else f"found, named {answer.message.get('name')!r}"
            yield not answer.error, f"webhook {webhook.masked}: {said}"
    finally:
        client.close()


def _channels(settings: Settings, jobs: list[Job]) -> Iterator[Finding]:
    """Each channel once. The pace is shared with a service that runs on the same data directory."""
    found: dict[str, ChannelRef] = {}
    for channel in (channel for job in jobs for channel in job.channels):
        found.setdefault(channel.key, channel)
    if not found:
        return
    store = LimitStore(settings.data_dir / "limits.db")
    with closing(store):
        for channel in found.values():
            with closing(_client(settings, store, channel)) as client:
                yield _channel(client, channel)


def _client(settings: Settings, store: LimitStore, channel: ChannelRef) -> TelegramClient:
    egress = open_egress(
        store,
        settings.telegram_requests_per_second,
        time.sleep,
        channel=channel.key,
        addresses=settings.telegram_egress,
        timeout=settings.request_timeout,
    )
    return TelegramClient(settings.telegram_base_url, egress)


def _channel(client: TelegramClient, channel: ChannelRef) -> Finding:
    try:
        page = split_page(client.page(channel.name), channel.name)
    except TelegramError as error:
        return False, f"channel {channel.name}: {error}"
    newest = f"newest post {page.slices[-1].last_id}" if page.slices else "no posts yet"
    return True, f"channel {channel.name}: {page.title!r}, {newest}"
