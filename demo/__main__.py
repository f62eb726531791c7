"""`python -m demo`: the main job of Disgram with nothing to sign up for.

Starts a stand-in for t.me, one for Discord, the real service between them and a page that shows the result;
then publishes posts until it is told to stop. Owns that order and what is printed. Of Disgram it uses how a
message looks on the dashboard.
"""

from __future__ import annotations

import argparse
import re
import secrets
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from demo.posts import KINDS, correction, note
from demo.viewer import Viewer
from standins.discord.server import DiscordStandIn
from standins.stage import Service, ServiceDied
from standins.telegram.server import Channel, TelegramStandIn

NEWS, NOTES = "disgram_news", "disgram_notes"
EVERY_SECONDS = 4.0
USUAL_PORTS = range(8000, 8020)
"""Of the page: the first free one."""

ENVIRONMENT = {
    "COOLDOWN": "3",
    "MONITOR_INTERVAL": "5",
    "INITIAL_POSTS": "100",
    "TELEGRAM_REQUESTS_PER_SECOND": "20",
    "FOLLOW_EDITS": "true",
    "FOLLOW_DELETIONS": "mark",
    "FORWARD_SERVICE_MESSAGES": "true",
    "PROTECT_READS": "false",
}


def main() -> int:
    """0 after SIGINT, SIGTERM or the seconds asked for; 1 if the service does not do its part."""
    options = _options()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with ExitStack() as stack:
            return _run(options, stopping, stack)
    except ServiceDied as problem:
        print(problem, file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Disgram over stand-ins, in a browser."
    )
    parser.add_argument(
        "--port", type=_port, help="of the page; 0 takes any (default: 8000, or the next that is free)"
    )
    parser.add_argument("--once-all-kinds", action="store_true", help="one post of every kind and no more")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds")
    return parser.parse_args()


def _port(text: str) -> int:
    """Of the command line. Ends the program with one line and exit code 2 for anything else."""
    if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535:
        return int(text)
    print("The port of the page must be a number from 0 to 65535.", file=sys.stderr)
    raise SystemExit(2)


def _run(options: argparse.Namespace, stopping: threading.Event, stack: ExitStack) -> int:
    telegram = stack.enter_context(TelegramStandIn())
    discord = stack.enter_context(DiscordStandIn())
    room = discord.add_channel("telegram")
    thread = discord.add_thread(room, "release-notes")
    viewer = stack.enter_context(_viewer(discord, [room, thread], options.port))
    service = Service(
        Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="disgram-demo-"))),
        telegram_url=telegram.url,
        discord_host=discord.host,
        webhook_url=discord.add_webhook(room).url,
        env=ENVIRONMENT | {"AUTH_PASSWORD": secrets.token_urlsafe(16)},
    )
    stack.callback(service.close)
    news = telegram.add_channel(NEWS, "Disgram News 📣", description="Made up, of every kind.")
    publisher = _Publisher(news, telegram.add_channel(NOTES, "Заметки · Notes"))
    publisher.open()
    service.start()
    service.add_job("demo", NEWS, EMBED_COLOR="5865F2")
    service.add_job("demo thread", f"https://t.me/{NOTES}", DISCORD_THREAD_ID=thread, EMBED_COLOR="23A55A")
    _announce(f"{viewer.url}/", service)
    _publish_until(stopping, options, publisher, service)
    print("Stopping …", flush=True)
    if service.running():
        return 0
    raise ServiceDied(f"The service ended by itself. Its last lines:\n{service.last_lines()}")


def _viewer(discord: DiscordStandIn, channels: list[str], port: int | None) -> Viewer:
    try:
        return Viewer.on_first_free(discord, channels, USUAL_PORTS if port is None else [port])
    except OSError as problem:
        which = f"port {port}" if port is not None else f"any port from {USUAL_PORTS[0]} to {USUAL_PORTS[-1]}"
        raise SystemExit(
            f"The page cannot have {which} ({problem.strerror}): choose one with --port."
        ) from None


def _announce(page: str, service: Service) -> None:
    print(
        f"""
Open this in a browser:   {page}

The service is at {service.url} (its dashboard, in a browser; its API by hand: {service.url}/docs). Try:

  curl {service.url}/health
  curl {service.url}/jobs
  curl '{service.url}/logs?lines=20'
  curl -X POST {service.url}/job -H 'Authorization: Bearer {service.password}' \\
    -H 'JOB_NAME: mine' -H 'TELEGRAM_CHANNELS: {NOTES}' -H 'DISCORD_WEBHOOK_URL: {service.webhook_url}'
  curl -X DELETE {service.url}/job -H 'Authorization: Bearer {service.password}' -H 'JOB_NAME: mine'

The password and the webhook are made up for this run. Ctrl+C ends it and leaves nothing behind.
""",
        flush=True,
    )


def _publish_until(
    stopping: threading.Event, options: argparse.Namespace, publisher: _Publisher, service: Service
) -> None:
    """A post every few seconds, for as long as `options` say and the service runs."""
    timer = threading.Timer(options.seconds or threading.TIMEOUT_MAX, stopping.set)
    timer.daemon = True
    timer.start()
    while not stopping.wait(EVERY_SECONDS) and service.running():
        if not options.once_all_kinds:
            publisher.step()
    timer.cancel()


class _Publisher:
    """What the channels publish, post by post."""

    def __init__(self, news: Channel, notes: Channel) -> None:
        self._news, self._notes = news, notes
        self._count = 0

    def open(self) -> None:
        """One post of every kind."""
        for _ in KINDS:
            self._publish()
        for number in range(3):
            self._notes.add(note(number))

    def _publish(self) -> None:
        kind = KINDS[self._count % len(KINDS)]
        last = self._news.numbers[-1] if self._news.numbers else 1
        self._news.add(kind.make(self._count, last))
        self._count += 1

    def step(self) -> None:
        """A new post; every third time one in the second channel too, now and then an edit or a deletion."""
        self._publish()
        if self._count % 3 == 0:
            self._notes.add(note(self._count))
        if self._count % 5 == 0:
            self._notes.edit(self._notes.numbers[-1], correction(self._notes.numbers[-1]))
        if self._count % 8 == 0:
            self._notes.delete(self._notes.numbers[-2])


if __name__ == "__main__":
    sys.exit(main())
