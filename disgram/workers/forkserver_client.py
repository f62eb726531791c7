"""The service's side of its workers' processes: the warm template, and one object per child.

Owns how a child is made, its log pipe, its exit status, and the template's own life. Never decides when
a child starts, ends or starts again, and never blocks on either pipe or socket. For one thread alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from disgram.backoff import RESTART_BACKOFF_MAX, STABLE_AFTER, backoff
from disgram.workers import lifecycle
from disgram.workers.heartbeat import BEAT_EVERY
from disgram.workers.log_pipe import LogPipe
from disgram.workers.spec import WorkerSpec

_SECRETS = {"AUTH_PASSWORD", "DISCORD_WEBHOOK_URL"}
"""Variables of the service that no worker needs: settings travel over the socket."""
_FRUGAL = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
"""Give the memory of a page or a file back at once; glibc would learn to keep it (mallopt(3))."""
_PATIENCE = 30.0
"""Seconds a template may leave requests unanswered before it counts as hung; importing takes one or two."""
_ROOT = Path(__file__).resolve().parents[2]


class WorkerProcess:
    """One child. `pid` is None until the template answered; `failure` says why there is no child."""

    def __init__(self, spec: WorkerSpec, log: LogPipe) -> None:
        self.spec = spec
        self.log = log
        self.pid: int | None = None
        self.code: int | None = None
        self.failure: str | None = None
        self.orphaned = False
        self.signals_due: list[int] = []

    @property
    def gone(self) -> bool:
        """No such process any more. An orphan's exit nobody can report; its pipe ends with it."""
        return self.code is not None or self.failure is not None or (self.orphaned and self.log.at_end)


def script_module(spec: WorkerSpec) -> str:
    """The module at the project's root that works for this spec."""
    return spec.script.removesuffix(".py")


class ForkServer:
    """The warm process, from outside. `tend` it, ask it to `start` workers, `receive` what became of them.

    Once its process has died (`alive` is False) its children are orphans that the kernel told to stop,
    and `tend` makes a new process. `modules` are imported from the folder `disgram/` is in.
    """

    def __init__(
        self,
        modules: Sequence[str],
        *,
        module_of: Callable[[WorkerSpec], str] = script_module,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._modules = list(modules)
        self._module_of = module_of
        self._clock = clock
        self._numbers = iter(range(1, sys.maxsize))
        self._process: subprocess.Popen[bytes] | None = None
        self._opened_at = self._due_at = self._heard_at = clock()
        self._failures = 0
        self.alive = False
        self.trouble = ""
        """Why there was or is no template, until one has answered."""
        self._clear()

    def _clear(self) -> None:
        self._asked: dict[int, WorkerProcess] = {}
        self._children: dict[int, WorkerProcess] = {}
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        self._unread = b""
        self._unanswered = 0

    # --- its life ---

    def tend(self, now: float) -> None:
        """Open it if it is due, kill it if it hangs (SIGSTOP, no memory): `receive` tells the end."""
        if self._unanswered and now - self._heard_at > _PATIENCE and self._process:
            self._process.kill()
        if self.alive or now < self._due_at:
            return
        try:
            self._open(now)
        except OSError as error:
            self._failed(f"cannot be started: {error.strerror}", now)

    @property
    def due_at(self) -> float:
        """When `tend` will want to open it again."""
        return float("inf") if self.alive else self._due_at

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self.alive else None

    def forgive(self, now: float) -> None:
        """The machine slept; silence meanwhile means nothing."""
        self._heard_at = now

    def _open(self, now: float) -> None:
        self._opened_at = now
        ours, its = socket.socketpair()
        with its:
            try:
                self._process = self._popen(its.fileno())
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        self._socket = ours
        self._clear()
        self.alive = True

    def _popen(self, control: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -u and utf8: what a worker prints goes down its pipe at once, whatever the locale.
            # no_debug_ranges: code objects without columns are a third smaller (PEP 657).
            [
                sys.executable,
                "-u",
                "-X",
                "utf8",
                "-X",
                "no_debug_ranges",
                "-m",
                "disgram.workers.forkserver",
                *self._modules,
            ],
            stdin=control,
            stdout=subprocess.DEVNULL,
            cwd=_ROOT,
            env={name: value for name, value in os.environ.items() if name not in _SECRETS} | _FRUGAL,
            start_new_session=True,  # Ctrl+C reaches the service alone, and it decides
        )

    def _failed(self, trouble: str, now: float) -> None:
        """The first death, and the first after a stable minute, costs no time."""
        stable = now - self._opened_at >= STABLE_AFTER
        self._failures = 1 if stable else self._failures + 1
        self._due_at = now + (backoff(self._failures - 1, RESTART_BACKOFF_MAX) if self._failures > 1 else 0.0)
        self.trouble = f"the template process {trouble}"

    def close(self, timeout: float) -> None:
        """Let it end (it stops what children it has), kill it after `timeout` seconds. Idempotent."""
        if not self.alive or not self._process:
            return
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self._bury()

    def _bury(self) -> None:
        """All that was asked of it and not answered is void, and its children are nobody's."""
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):  # a socket ends a moment before its process
                self._process.wait(1.0)
            self._process.kill()
            self._failed(lifecycle.words_for_exit(self._process.wait()), self._clock())
        self.alive = False
        self._socket.close()
        for _, pipes in self._unsent:
            for pipe in pipes:
                os.close(pipe)
        for worker in (*self._asked.values(), *self._children.values()):
            worker.orphaned = True
        self._clear()

    # --- its socket ---

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_to_send(self) -> bool:
        """Call `flush` once the socket can be written."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what the socket takes. A template that died is noticed by `receive`."""
        # Full (EAGAIN), too many descriptors on their way (ETOOMANYREFS), or dead: later, or never.
        with contextlib.suppress(OSError):
            while self._unsent:
                self._send_first()

    def _send_first(self) -> None:
        line, pipes = self._unsent[0]
        sent = socket.send_fds(self._socket, [line], pipes) if pipes else self._socket.send(line)
        for pipe in pipes:
            os.close(pipe)
        self._unsent[0] = (line[sent:], [])
        if sent == len(line):
            self._unsent.popleft()

    def receive(self) -> list[WorkerProcess]:
        """Read the answers; the workers that are gone by them. Sets `alive` to False at the socket's end."""
        try:
            chunk = self._socket.recv(65536)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self._bury()
            return []
        self._heard_at = self._clock()
        self.trouble = ""
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        return [gone for line in lines if (gone := self._take(json.loads(line)))]

    def _take(self, answer: dict[str, Any]) -> WorkerProcess | None:
        if "exited" in answer:
            worker = self._children.pop(answer["exited"])
            worker.code = os.waitstatus_to_exitcode(answer["status"])
            return worker
        self._unanswered -= 1
        if "failed" in answer:
            worker = self._asked.pop(answer["n"])
            worker.failure = answer["failed"]
            return worker
        if "started" in answer:
            self._started(self._asked.pop(answer["n"]), answer["started"])
        return None

    def _started(self, worker: WorkerProcess, pid: int) -> None:
        worker.pid = pid
        self._children[pid] = worker
        for number in worker.signals_due:
            self.signal(worker, number)

    def _ask(self, request: dict[str, Any], pipes: list[int]) -> None:
        if not self._unanswered:
            self._heard_at = self._clock()
        self._unanswered += 1
        self._unsent.append((json.dumps(request).encode() + b"\n", pipes))
        self.flush()

    # --- its children ---

    def start(self, spec: WorkerSpec, *, beat_every: float = BEAT_EVERY) -> WorkerProcess:
        """Ask for a child; `beat_every` in seconds. Raises OSError when no descriptor is left for its pipe.

        `spec.settings.data_dir` must be absolute: the child's working directory is the template's.
        """
        log = LogPipe()
        worker = WorkerProcess(spec, log)
        number = next(self._numbers)
        self._asked[number] = worker
        request = {"n": number, "module": self._module_of(spec), "beat": beat_every, "spec": spec.to_wire()}
        self._ask(request, [log.writing])
        return worker

    def signal(self, worker: WorkerProcess, number: int) -> None:
        """Through the template, which has not reaped it yet, so that no other process can be meant."""
        if worker.orphaned:
            self.signal_directly(worker, number)
        elif worker.pid is None:
            worker.signals_due.append(number)
        else:
            self._ask({"signal": worker.pid, "number": number}, [])

    def signal_directly(self, worker: WorkerProcess, number: int) -> None:
        """Without a template to ask. Only while the pipe shows that the child lives: pids are reused."""
        if worker.pid is not None and not worker.log.hung_up():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, number)


def raise_descriptor_limit(enough: int = 65_536) -> None:
    """Each worker costs the service one descriptor, and systemd's default soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
    with contextlib.suppress(OSError, ValueError):  # what the system refuses stays as it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
