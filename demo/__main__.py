"""`python -m demo`: the main job of Disgram with nothing to sign up for.

Starts a stand-in for t.me, one for Discord, the real service between them and a page that shows the result;
then publishes posts until it is told to stop. Owns that order and what is printed. Never imports Disgram.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from demo.posts import KINDS, correction, note
from demo.service import Service, ServiceDied
from demo.viewer import Viewer
from standins.discord.server import DiscordStandIn
from standins.telegram.server import Channel, TelegramStandIn

NEWS, NOTES = "disgram_news", "disgram_notes"
EVERY_SECONDS = 4.0


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
    parser.add_argument("--port", type=int, default=8000, help="of the page; 0 takes any (default: 8000)")
    parser.add_argument("--once-all-kinds", action="store_true", help="one post of every kind and no more")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds")
    return parser.parse_args()


def _run(options: argparse.Namespace, stopping: threading.Event, stack: ExitStack) -> int:
    telegram = stack.enter_context(TelegramStandIn())
    discord = stack.enter_context(DiscordStandIn())
    data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="disgram-demo-")))
    service = Service(telegram_url=telegram.url, discord_host=discord.host, data_dir=data_dir)
    stack.callback(service.stop)
    about = "Posts of every kind, made up for this demo."
    news = telegram.add_channel(NEWS, "Disgram News 📣", description=about)
    notes = telegram.add_channel(NOTES, "Заметки · Notes")
    room = discord.add_channel("telegram")
    thread = discord.add_thread(room, "release-notes")
    webhook = discord.add_webhook(room)
    viewer = stack.enter_context(_viewer(discord, [room, thread], options.port))
    publisher = _Publisher(news, notes, stopping, service)
    publisher.open()
    service.start()
    service.add_job("demo", [NEWS], webhook.url, color="5865F2")
    service.add_job("demo thread", [f"https://t.me/{NOTES}"], webhook.url, thread_id=thread, color="23A55A")
    _announce(viewer.url, service, webhook.url)
    publisher.run(options)
    print("Stopping …", flush=True)
    return 0 if service.running() else _complain(service)


def _viewer(discord: DiscordStandIn, channels: list[str], port: int) -> Viewer:
    try:
        return Viewer(discord, channels, port=port)
    except OSError as problem:
        raise SystemExit(
            f"The page cannot have port {port} ({problem.strerror}): choose one with --port."
        ) from None


def _complain(service: Service) -> int:
    print("The service ended by itself. Its last lines:", *service.last_lines, sep="\n", file=sys.stderr)
    return 1


def _announce(page: str, service: Service, webhook_url: str) -> None:
    print(
        f"""
Open this in a browser:   {page}

The service is at {service.url} (its API by hand: {service.url}/docs). Try:

  curl {service.url}/health
  curl {service.url}/jobs
  curl '{service.url}/logs?lines=20'
  curl -X POST {service.url}/job -H 'Authorization: Bearer {service.password}' \\
    -H 'JOB_NAME: mine' -H 'TELEGRAM_CHANNELS: {NOTES}' -H 'DISCORD_WEBHOOK_URL: {webhook_url}'
  curl -X DELETE {service.url}/job -H 'Authorization: Bearer {service.password}' -H 'JOB_NAME: mine'

The password and the webhook are made up for this run. Ctrl+C ends it and leaves nothing behind.
""",
        flush=True,
    )


class _Publisher:
    """Publishes to the channels until it is time to stop."""

    def __init__(self, news: Channel, notes: Channel, stopping: threading.Event, service: Service) -> None:
        self._news, self._notes = news, notes
        self._stopping, self._service = stopping, service
        self._count = 0

    def open(self) -> None:
        """One post of every kind."""
        for _ in KINDS:
            self._publish()
        for number in range(3):
            self._notes.add(note(number))

    def run(self, options: argparse.Namespace) -> None:
        """A post every few seconds, for as long as `options` say."""
        timer = threading.Timer(options.seconds, self._stopping.set) if options.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        while not self._stopping.wait(EVERY_SECONDS) and self._service.running():
            if not options.once_all_kinds:
                self._step()
        if timer:
            timer.cancel()

    def _publish(self) -> None:
        kind = KINDS[self._count % len(KINDS)]
        last = self._news.numbers[-1] if self._news.numbers else 1
        self._news.add(kind.make(self._count, last))
        self._count += 1

    def _step(self) -> None:
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
