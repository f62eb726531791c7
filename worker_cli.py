"""One worker from a terminal: command line and environment -> WorkerSpec, its log lines -> the terminal.

    python webhook.py CHANNEL [URL] [COLOR] [JOB] [--once]
    python threadhook.py CHANNEL [URL] [COLOR] [JOB] [--once]

What the command line leaves out comes from DISCORD_WEBHOOK_URL, DISCORD_THREAD_ID, EMBED_COLOR and
JOB_NAME. Owns that, and the exit codes a person sees: 0 done, 1 failed, 2 misused, 78 no repetition
helps. Never runs under the service, which writes the log and puts no secret on a command line.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import config
from disgram.addresses import ChannelRef, Destination
from disgram.errors import BadInput, BadSetting, DatabaseTooNew, Stopping, StorageUnavailable
from disgram.logs.log_file import body, stamp
from disgram.report import EXIT_CRASH, EXIT_OK, Level, Reporter
from disgram.storage.locks import LOCK_FILE, WorkerLock
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec

EXIT_MISUSED = 2
JOB = "by hand"
"""The job's name in the ledger where none is given."""


class Serve(Protocol):
    """webhook.serve."""

    def __call__(self, spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat, *, once: bool) -> int: ...


def main(argv: Sequence[str], serve: Serve, *, threaded: bool) -> int:
    """Run one worker until Ctrl+C, or for one poll with `--once`; returns the exit code."""
    words = [word for word in argv if word != "--once"]
    try:
        environ = config.environment(config.PROJECT / ".env", os.environ)
        spec = spec_by_hand(words, environ, config.SETTINGS, threaded=threaded)
    except BadInput as error:
        print(f"{error.error}: {error}", file=sys.stderr)
        return EXIT_MISUSED
    heartbeat, report = Heartbeat(), terminal_reporter(spec)
    heartbeat.install()
    lock = WorkerLock(spec.settings.data_dir / LOCK_FILE, *spec.key)
    try:
        lock.await_turn(heartbeat, report)
        return serve(spec, report, heartbeat, once="--once" in argv)
    except Stopping:
        return EXIT_OK
    except DatabaseTooNew as error:
        print(error, file=sys.stderr)
        return EXIT_MISUSED
    except StorageUnavailable as error:
        print(error, file=sys.stderr)
        return EXIT_CRASH
    finally:
        lock.release()


def spec_by_hand(
    words: Sequence[str], environ: Mapping[str, str], settings: config.Settings, *, threaded: bool
) -> WorkerSpec:
    """`words`: CHANNEL [URL] [COLOR] [JOB]. Raises BadInput, which never repeats the URL."""
    if not 1 <= len(words) <= 4:
        raise BadSetting("Usage", "CHANNEL [URL] [COLOR] [JOB] [--once]")
    channel, url, color, job = [*words, *[""] * (4 - len(words))]
    thread = environ.get("DISCORD_THREAD_ID", "").strip() if threaded else None
    if threaded and not (thread or "").isdecimal():
        raise BadSetting("DISCORD_THREAD_ID", "must be the thread's id: digits.")
    parsed = config.parse_color(color) if color else settings.embed_color
    if color and parsed is None:
        raise BadSetting("COLOR", "must be six hex digits such as 89a7d9.")
    return WorkerSpec(
        job=job or environ.get("JOB_NAME", "").strip() or JOB,
        channel=ChannelRef.parse(channel),
        destination=Destination.parse(
            url or settings.discord_webhook_url or "", thread, extra_hosts=settings.webhook_hosts
        ),
        embed_color=parsed,
        settings=settings.worker_settings(),
    )


def terminal_reporter(spec: WorkerSpec) -> Reporter:
    """Prints log lines as the service would write them."""

    def report(level: Level | None, text: str, **facts: Any) -> None:
        if level:
            print(stamp(time.time()), body(level, text, spec.job, spec.channel.name), flush=True)

    return report
