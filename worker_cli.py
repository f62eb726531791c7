"""One worker from a terminal: command line and environment -> WorkerSpec, log lines -> the terminal.

    python webhook.py CHANNEL [URL] [COLOR] [JOB] [--once]
    python threadhook.py CHANNEL [URL] [COLOR] [JOB] [--once]

What the command line leaves out comes from DISCORD_WEBHOOK_URL, DISCORD_THREAD_ID, EMBED_COLOR and JOB_NAME.

Owns that, and the exit codes a person sees: 0 done, 1 the poll failed, 2 wrong usage, 78 trying again does
not help. Never runs under the service, which writes Disgram.log and puts no secret on a command line.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import config
from disgram.addresses import ChannelRef, Destination
from disgram.discord.color import parse_color
from disgram.errors import BadInput, BadSetting, DatabaseTooNew, StartRefused, Stopping, StorageUnavailable
from disgram.logs.log_file import body, stamp
from disgram.report import EXIT_CRASH, EXIT_OK, Level, Reporter
from disgram.storage.before_use import raise_if_any_is_newer
from disgram.storage.files.locks import LOCK_FILE, WorkerLock
from disgram.storage.files.regular_file import refuse_special
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec
from webhook import parse_channel_param, serve

EXIT_USAGE = 2
DEFAULT_JOB = "by hand"
"""Job name, in the ledger and in log lines, if none is given."""

_HELP = """\
usage: python {script} CHANNEL [URL] [COLOR] [JOB] [--once]

Forwards one Telegram channel to one Discord webhook, without the service, until Ctrl+C.

  CHANNEL  name, @name or https://t.me/name; /123 behind it: from post 123 on
  URL      the webhook (better in DISCORD_WEBHOOK_URL: a command line is visible to every user)
  COLOR    six hex digits, such as 89a7d9 (EMBED_COLOR)
  JOB      the name under which progress is kept (JOB_NAME; else "by hand")
  --once   poll once and end

threadhook.py sends into the thread DISCORD_THREAD_ID. All of it may stand in .env.
Exit codes: 0 done, 1 the poll failed, 2 wrong usage, 78 trying again does not help."""


def main(argv: Sequence[str], *, threaded: bool) -> int:
    """Run one worker until Ctrl+C, or for one poll with `--once`; returns the exit code. `threaded`: for a
    thread."""
    if {"-h", "--help"} & set(argv):
        print(_HELP.format(script="threadhook.py" if threaded else "webhook.py"))
        return EXIT_OK
    arguments = [argument for argument in argv if argument != "--once"]
    try:
        environ = config.environment(config.PROJECT / ".env", os.environ)
        refuse_several_hosts(config.SETTINGS)
        spec = worker_spec(arguments, environ, config.SETTINGS, threaded=threaded)
    except BadInput as error:
        print(f"{error.error}: {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        for name in ("disgram.db", "limits.db", LOCK_FILE):
            refuse_special(spec.settings.data_dir / name)
    except StartRefused as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    heartbeat, report = Heartbeat(), terminal_reporter(spec)
    heartbeat.install()
    lock = WorkerLock(spec.settings.data_dir / LOCK_FILE, *spec.key)
    try:
        lock.await_turn(heartbeat, report)
        raise_if_any_is_newer(spec.settings.data_dir)
        return serve(spec, report, heartbeat, once="--once" in argv)
    except Stopping:
        return EXIT_OK
    except DatabaseTooNew as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except StorageUnavailable as error:
        print(error, file=sys.stderr)
        return EXIT_CRASH
    finally:
        lock.release()


def worker_spec(
    arguments: Sequence[str], environ: Mapping[str, str], settings: config.Settings, *, threaded: bool
) -> WorkerSpec:
    """`arguments`: CHANNEL [URL] [COLOR] [JOB]. Raises BadInput, whose message never contains the URL."""
    if not 1 <= len(arguments) <= 4:
        raise BadSetting("Usage", "CHANNEL [URL] [COLOR] [JOB] [--once]; --help says more.")
    channel, url, color, job = [*arguments, *[""] * (4 - len(arguments))]
    thread = environ.get("DISCORD_THREAD_ID", "").strip() if threaded else None
    if threaded and not (thread or "").isdecimal():
        raise BadSetting("DISCORD_THREAD_ID", "must be the thread's id: digits.")
    parsed = parse_color(color) if color else settings.embed_color
    if color and parsed is None:
        raise BadSetting("COLOR", "must be six hex digits such as 89a7d9.")
    return WorkerSpec(
        job=job or environ.get("JOB_NAME", "").strip() or DEFAULT_JOB,
        channel=ChannelRef(*parse_channel_param(channel)),
        destination=Destination.parse(
            url or settings.discord_webhook_url or "", thread, extra_hosts=settings.webhook_hosts
        ),
        embed_color=parsed,
        settings=settings.worker_settings(),
    )


def refuse_several_hosts(settings: config.Settings) -> None:
    """Raises BadSetting: what hosts have sent lies in a database that only their services use."""
    if settings.database_url:
        raise BadSetting(
            "DATABASE_URL",
            "is set, and a worker started by hand takes no part in several hosts. Set it to nothing "
            "(DATABASE_URL= python webhook.py ...) to send what this folder's own disgram.db has not.",
        )


def terminal_reporter(spec: WorkerSpec) -> Reporter:
    """Prints log lines in the form of Disgram.log."""

    def report(level: Level | None, text: str, **facts: Any) -> None:
        if level:
            print(stamp(time.time()) + body(level, text, spec.job, spec.channel.name), flush=True)

    return report
