"""The one thread that starts, stops and kills workers.

Owns the loop: it compares the wanted workers with those that run, has `lifecycle.plan` say what to do, and
does it. Boot, a changed job, a crash and a hang take the same path. Never reads jobs.json, writes a log or
answers HTTP: it is given `desired` to ask and `on_report` to tell, and calls both in its thread.

One turn: wait for a log pipe, the template's socket, a wake-up or the next deadline; take in what came; if
anything changed, plan and act; publish a snapshot.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from disgram.report import Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_client import ForkServer, raise_descriptor_limit
from disgram.workers.generations import Generations
from disgram.workers.heartbeat import BEAT_EVERY
from disgram.workers.spec import Snapshot, WorkerSpec
from disgram.workers.table import WorkerTable

_FOREVER = float("inf")
_LAST_SECOND = 1.0
"""How long before the end of `stop` its patience ends and SIGKILL goes out."""


class Supervisor:
    """Everything public may be called from any thread, but not from a signal handler.

    `desired` returns a mapping that nobody changes afterwards. `on_report` gets every line worth logging,
    beats left out; should it raise, the snapshot's errors say so and work goes on. `on_crash` is called when
    the loop ended by a fault, and with it every worker: nobody restarts them but a new service. Seconds
    throughout; `clock` is monotonic.
    """

    def __init__(
        self,
        desired: Callable[[], Mapping[lifecycle.Key, WorkerSpec]],
        on_report: Callable[[WorkerSpec, Report], None],
        forkserver: ForkServer,
        *,
        monitor_interval: float = 30.0,
        stale_after: float = 360.0,
        clock: Callable[[], float] = time.monotonic,
        on_crash: Callable[[], object] = lambda: None,
    ) -> None:
        self._on_crash = on_crash
        self._desired = desired
        self._forkserver = forkserver
        self._stale_after = stale_after
        # Twice this long without a turn means that we slept, and must stay well within what counts as stale.
        self._interval = min(monitor_interval, stale_after / 4)
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._snapshot = Snapshot()
        self._selector = selectors.DefaultSelector()
        self._woken: socket.socket | None = None
        self._waker: socket.socket | None = None
        beat_every = min(BEAT_EVERY, stale_after / 4)
        self._table = WorkerTable(forkserver, self._selector, on_report, clock, beat_every, self._interval)
        self._generations = Generations()
        self._next_look_at = self._turned_at = clock()
        self._stop_by = _FOREVER
        self._revivals: deque[str] = deque()
        self._restarts: deque[str | None] = deque()

    # --- for any thread ---

    def start(self) -> None:
        """Begin; workers come up as `desired` says."""
        raise_descriptor_limit()
        # Sockets know when they are closed: a late wake-up must not hit a descriptor of somebody else.
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, partial(self._on_wake, self._woken))
        self._next_look_at = self._turned_at = self._clock()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 9.0) -> None:
        """SIGTERM to all, SIGKILL a second before `timeout` is over; none is left on return. Idempotent."""
        if self._thread is None:
            return
        self._stop_by = min(self._stop_by, self._clock() + timeout)
        self.wake()
        self._thread.join(timeout + _LAST_SECOND)

    def wake(self) -> None:
        """The wanted workers have changed."""
        self._generations.ask()
        self._rouse()

    def revive(self, job: str) -> None:
        """Start the job's workers at once that are in back-off or failed."""
        self._revivals.append(job)
        self.wake()

    def restart(self, job: str) -> None:
        """Stop the job's workers; each starts again, and looks at its channel, once its process is gone."""
        self._restarts.append(job)
        self.revive(job)

    def restart_all(self) -> None:
        """Stop every worker; each starts again once its process is gone."""
        self._restarts.append(None)
        self.wake()

    def wait_gone(self, job: str, timeout: float) -> bool:
        """Whether all processes the job had at the time of the call are gone, `timeout` seconds at most."""
        look = self._generations.ask()
        self._rouse()
        return self._generations.wait_gone(job, look, timeout)

    def snapshot(self) -> Snapshot:
        """What was so at the end of the last turn."""
        return self._snapshot

    @property
    def alive(self) -> bool:
        """The thread runs. If it does not though nobody stopped it, the service had better end."""
        return self._thread is not None and self._thread.is_alive()

    def _rouse(self) -> None:
        if self._waker:
            with contextlib.suppress(OSError):  # full of wake-ups, of which one is enough; or closed
                self._waker.send(b"\0")

    # --- its own thread ---

    def _run(self) -> None:
        try:
            while not self._finished():
                self._turn()
        except Exception:  # noqa: BLE001 - a fault of ours; told, and then the end of this thread
            traceback.print_exc()
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
        for key, _ in self._selector.select(max(0.0, self._next_look_at - self._clock())):
            key.data()
        now = self._clock()
        if now - self._turned_at > 2 * self._interval:
            self._table.forgive(now)
        if now >= self._next_look_at or self._table.changed:
            self._look(now)
        self._table.watch_template()
        self._publish(now)
        self._turned_at = self._clock()

    def _look(self, now: float) -> None:
        number = self._generations.asked
        wanted: Mapping[lifecycle.Key, WorkerSpec] = {} if self._stopping else self._desired()
        self._table.changed = False
        if not self._stopping:
            self._forkserver.tend(now)
        self._heed_requests(now)
        for step in lifecycle.plan(wanted, self._table.workers(), now, stale_after=self._stale_after):
            self._table.act(step, number, now)
        if now >= self._stop_by - _LAST_SECOND:
            self._table.kill_rest()
        self._next_look_at = self._deadline(now)
        self._generations.done(number, self._table.processes())

    def _heed_requests(self, now: float) -> None:
        while self._revivals:
            self._table.revive(self._revivals.popleft(), now)
        while self._restarts:
            self._table.stop_all(None, now, self._restarts.popleft())

    def _deadline(self, now: float) -> float:
        """When to look again if nothing happens: the monitor's tick at the latest."""
        startable = self._forkserver.alive and not self._stopping
        workers = [worker for worker in self._table.workers().values() if startable or worker.live]
        moments = [now + self._interval, lifecycle.next_look(workers, self._stale_after)]
        if not self._stopping:
            moments.append(self._forkserver.due_at)
        elif now < self._stop_by - _LAST_SECOND:
            moments.append(self._stop_by - _LAST_SECOND)
        else:
            moments.append(self._stop_by)
        return min(moments)

    def _publish(self, now: float) -> None:
        self._snapshot = Snapshot(
            self._table.statuses(), now, self._forkserver.alive, self._table.trouble(self._forkserver.trouble)
        )

    def _on_wake(self, woken: socket.socket) -> None:
        woken.recv(4096)
        self._table.changed = True

    def _end(self) -> None:
        """Nothing may be left, however the loop ended."""
        self._forkserver.close(_LAST_SECOND if self._stopping else lifecycle.KILL_AFTER)
        self._table.close()
        self._publish(self._clock())
        self._generations.done(_FOREVER, ())
        self._selector.close()
        for end in (self._woken, self._waker):
            if end:
                end.close()
