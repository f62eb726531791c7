"""The one thread that starts, stops and kills workers.

Owns the loop: it compares the desired workers with those that run, asks `lifecycle.plan` what to do, and
does it. Start, a changed job, a crash and a hang take the same path. Never reads jobs.json, writes a log or
answers HTTP: `desired` and `on_report` are passed in, and both are called in its thread.

One turn: wait for a log pipe, the fork server's socket, a wake-up or the next deadline; process what came;
if anything changed, plan and act; publish a snapshot.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from disgram.descriptors import raise_descriptor_limit
from disgram.report import Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.generations import Generations
from disgram.workers.heartbeat import BEAT_EVERY
from disgram.workers.orphans import LOOK_EVERY, inherits_orphans, reap_orphans
from disgram.workers.spec import Snapshot, WorkerSpec
from disgram.workers.table import WorkerTable

_FOREVER = float("inf")
_KILL_BEFORE_END = 1.0
"""Seconds before the end of `stop` at which SIGKILL is sent."""


class Supervisor:
    """Everything public may be called from any thread, but not from a signal handler.

    `desired` returns a mapping that is not changed afterwards. `on_report` gets every line to be logged and
    every poll, without heartbeats; if it raises, the snapshot's errors say so and work goes on. `on_facts`
    gets the job and the facts of every line, and raises nothing. `on_crash` is called when the loop ended by
    an unexpected exception, after it has stopped every worker. Times are in seconds; `clock` is monotonic.
    """

    def __init__(
        self,
        desired: Callable[[], Mapping[lifecycle.Key, WorkerSpec]],
        on_report: Callable[[WorkerSpec, Report], None],
        forkserver: ForkServerProcess,
        *,
        monitor_interval: float = 30.0,
        stale_after: float = 360.0,
        clock: Callable[[], float] = time.monotonic,
        on_crash: Callable[[], object] = lambda: None,
        on_turn: Callable[[], object] = lambda: None,
        on_facts: Callable[[str, Mapping[str, Any]], object] = lambda job, facts: None,
    ) -> None:
        self._on_turn = on_turn
        self._on_crash = on_crash
        self._desired = desired
        self._forkserver = forkserver
        self._stale_after = stale_after
        # Twice this long without a turn means that the machine slept; must be well below `stale_after`.
        self._interval = min(monitor_interval, stale_after / 4)
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._snapshot = Snapshot()
        self._selector = selectors.DefaultSelector()
        self._woken: socket.socket | None = None
        self._waker: socket.socket | None = None
        beat_every = min(BEAT_EVERY, stale_after / 4)
        self._table = WorkerTable(
            forkserver, self._selector, on_report, clock, beat_every, self._interval, on_facts
        )
        self._generations = Generations()
        self._next_step_at = self._last_turn_at = clock()
        self._stop_by = _FOREVER
        self._inherits_orphans = inherits_orphans()
        self._backoff_resets: deque[str] = deque()
        self._restarts: deque[str] = deque()

    # --- for any thread ---

    def start(self) -> None:
        """Start the thread, which starts the desired workers."""
        raise_descriptor_limit()
        # Not a pipe: a wake-up after the end must not write to a descriptor that was reused.
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, partial(self._on_wake, self._woken))
        self._next_step_at = self._last_turn_at = self._clock()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 9.0) -> None:
        """SIGTERM to all, SIGKILL a second before `timeout` is over; none is left on return. Idempotent."""
        if self._thread is None:
            return
        self._stop_by = min(self._stop_by, self._clock() + timeout)
        self.wake()
        self._thread.join(timeout + _KILL_BEFORE_END)

    def wake(self) -> None:
        """The desired workers have changed."""
        self._generations.request()
        self._wake_up()

    def reset_backoff(self, job: str) -> None:
        """Start at once those of the job's workers that are in backoff or failed."""
        self._backoff_resets.append(job)
        self.wake()

    def restart(self, job: str) -> None:
        """Stop the job's workers; each starts again, and polls its channel, once its process is gone."""
        self._restarts.append(job)
        self.reset_backoff(job)

    def wait_gone(self, job: str, timeout: float) -> bool:
        """Whether all processes the job had at the time of the call are gone, `timeout` seconds at most."""
        generation = self._generations.request()
        self._wake_up()
        return self._generations.wait_gone(job, generation, timeout)

    def idle(self) -> bool:
        """Whether no worker process is left. For its own thread, from `desired`."""
        return not self._table.processes()

    def live(self) -> frozenset[lifecycle.Key]:
        """Which workers have a process, or may have one. For its own thread, as in `on_turn`."""
        return self._table.live()

    def snapshot(self) -> Snapshot:
        """The workers at the end of the last turn."""
        return self._snapshot

    def _wake_up(self) -> None:
        if self._waker:
            with contextlib.suppress(OSError):  # full of wake-ups, one of which is enough; or closed
                self._waker.send(b"\0")

    # --- its own thread ---

    def _run(self) -> None:
        try:
            while not self._finished():
                self._turn()
        except Exception:
            logging.getLogger(__name__).exception("The supervisor crashed")
            self._end()
            self._on_crash()
        else:
            self._end()

    @property
    def _stopping(self) -> bool:
        return self._stop_by < _FOREVER

    def _finished(self) -> bool:
        return self._stopping and (not self._table.processes() or self._clock() >= self._stop_by)

    def _turn(self) -> None:
        wait = max(0.0, self._next_step_at - self._clock())
        for key, _ in self._selector.select(min(wait, LOOK_EVERY) if self._inherits_orphans else wait):
            key.data()
        if self._inherits_orphans:
            reap_orphans({self._forkserver.pid})
        now = self._clock()
        if now - self._last_turn_at > 2 * self._interval:
            self._table.reset_liveness(now)
        if now >= self._next_step_at or self._table.changed:
            self._step(now)
        self._table.watch_forkserver()
        self._publish(now)
        self._on_turn()
        self._last_turn_at = self._clock()

    def _step(self, now: float) -> None:
        generation = self._generations.requested
        desired: Mapping[lifecycle.Key, WorkerSpec] = {} if self._stopping else self._desired()
        self._table.changed = False
        if not self._stopping:
            self._table.ensure_forkserver(now)
        self._handle_requests(now)
        for step in lifecycle.plan(desired, self._table.workers(), now, stale_after=self._stale_after):
            self._table.act(step, generation, now)
        if now >= self._stop_by - _KILL_BEFORE_END:
            self._table.kill_all()
        self._next_step_at = self._deadline(now)
        self._generations.observe(generation, self._table.processes())

    def _handle_requests(self, now: float) -> None:
        while self._backoff_resets:
            self._table.reset_backoff(self._backoff_resets.popleft(), now)
        while self._restarts:
            self._table.stop_all(None, now, self._restarts.popleft())

    def _deadline(self, now: float) -> float:
        """When to plan again if nothing happens: at the monitor's next tick at the latest."""
        startable = self._forkserver.alive and not self._stopping
        workers = [worker for worker in self._table.workers().values() if startable or worker.live]
        moments = [now + self._interval, lifecycle.next_deadline(workers, self._stale_after)]
        if not self._stopping:
            moments.append(self._forkserver.due_at)
        elif now < self._stop_by - _KILL_BEFORE_END:
            moments.append(self._stop_by - _KILL_BEFORE_END)
        else:
            moments.append(self._stop_by)
        return min(moments)

    def _publish(self, now: float) -> None:
        self._snapshot = Snapshot(self._table.statuses(), now, self._table.errors())

    def _on_wake(self, woken: socket.socket) -> None:
        woken.recv(4096)
        self._table.changed = True

    def _end(self) -> None:
        """Leave no process, however the loop ended."""
        self._table.close(_KILL_BEFORE_END if self._stopping else lifecycle.KILL_AFTER)
        self._publish(self._clock())
        self._generations.observe(_FOREVER, ())
        self._selector.close()
        for end in (self._woken, self._waker):
            if end:
                end.close()
