"""The thread that tells the operator: it looks at the problems, decides, sends, and remembers what was sent.

An address that takes no message is asked twice, then once an hour; what began and ended meanwhile is never
told, and the rest is joined. Owns these times. Decides nothing itself, and speaks no HTTP.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from disgram.alerts.decision import Memory, decide, of_this_host
from disgram.alerts.memory import AlertMemory
from disgram.errors import (
    DiscordError,
    HttpError,
    RateLimited,
    StartRefused,
    Stopping,
    StorageUnavailable,
    UnreadableResponse,
)
from disgram.health.problems import Channels, Problem
from disgram.health.watch import View
from disgram.report import Level

LOOK_EVERY = 5.0
SECOND_TRY, LATER_TRIES = 60.0, 3600.0
"""Seconds after the first refusal, and after each further one."""


class Alerts:
    """`send` delivers a text: it raises DiscordError, HttpError and Stopping. `after` is ALERT_AFTER in
    seconds; `clock` is monotonic."""

    def __init__(
        self,
        send: Callable[[str], None],
        memory: AlertMemory,
        after: float,
        *,
        log: Callable[[Level, str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._file = memory
        self._after = after
        self._log = log
        self._clock = clock
        self._failures = 0
        self._ask_at = clock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        try:
            self._memory = memory.load()
        except StartRefused as error:
            log(Level.ERROR, f"What was alerted before is not known, and may be alerted again: {error}")
            self._memory = Memory()

    def start(self, view: Callable[[], View | None], is_mine: Callable[[], bool] = lambda: True) -> None:
        """`is_mine`: whether this host tells of all jobs, and not another one."""
        self._thread = threading.Thread(target=self._run, args=(view, is_mine), name="alerts", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """A message under way has `timeout` seconds; what then happens to it nobody waits for."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout)

    def wait(self, seconds: float) -> None:
        """For `send`. Raises Stopping."""
        if self._stop.wait(seconds):
            raise Stopping("the service stops")

    def look_at_this_host(self, problems: Iterable[Problem], now: datetime) -> None:
        """Another host tells of the jobs. Raises Stopping."""
        self._memory = self._memory.of_this_host()
        self.look(of_this_host(problems), (), now)

    def look(self, problems: Iterable[Problem], unheard: Channels, now: datetime) -> None:
        """Send what is due. Raises Stopping."""
        if self._clock() < self._ask_at:
            return
        alert = decide(problems, unheard, self._memory, now, self._after)
        if alert is None:
            return
        try:
            self._send(alert.content)
        except UnreadableResponse:
            pass  # a relay's success; asking again would tell it twice
        except RateLimited:
            self._ask_at = self._clock() + SECOND_TRY
            return
        except (DiscordError, HttpError, StorageUnavailable) as error:
            self._refused(error)
            return
        if self._failures:
            self._log(Level.STATUS, "ALERT_WEBHOOK_URL takes messages again")
        self._failures = 0
        self._memory = alert.memory
        self._save()

    def _refused(self, error: Exception) -> None:
        self._failures += 1
        wait = SECOND_TRY if self._failures == 1 else LATER_TRIES
        self._ask_at = self._clock() + wait
        self._log(
            Level.ERROR,
            f"An alert could not be sent to ALERT_WEBHOOK_URL ({error}); next try in {wait / 60:.0f} min",
        )

    def _save(self) -> None:
        try:
            self._file.save(self._memory)
        except StorageUnavailable as error:
            self._log(Level.ERROR, f"Alerts may be sent again after a restart: {error}")

    def _run(self, view: Callable[[], View | None], is_mine: Callable[[], bool]) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                seen, now = view(), datetime.now(timezone.utc)
                if seen and is_mine():
                    self.look(seen.problems, seen.unheard, now)
                elif seen:
                    self.look_at_this_host(seen.problems, now)
            except Stopping:
                return
            except Exception:
                logging.getLogger(__name__).exception("Alerting failed")
