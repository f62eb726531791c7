"""The fork server: `python -m disgram.workers.forkserver MODULE…`, with a socket as stdin.

Owns the fork, the child's first steps, and the children's exit statuses. It imports the modules once, calls
their `warm_up()` if they have one, and freezes the heap, so that children share this memory and start within
milliseconds. Never decides what runs: requests and answers are JSON objects, one a line, on its socket.

    {"n": 1, "module": "webhook", "beat": seconds, "spec": …} + the log pipe's writing end
                                     -> {"n": 1, "started": pid} or {"n": 1, "failed": why}
    {"signal": pid, "number": 15}    -> {"signalled": pid}   (no signal is sent if the child was reaped)
                                     -> {"exited": pid, "status": wait status}, when a child has ended

When the socket ends, the service has ended, however it died: the children get SIGTERM, then SIGKILL. If this
process dies itself, the kernel sends its children SIGTERM (Linux), and elsewhere each notices at its next
heartbeat. It stays single-threaded, since the kernel's signal follows the thread that forked.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from setproctitle import setproctitle

from disgram.errors import DatabaseTooNew, LeaseLost, Stopping, StorageUnavailable
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT, Level, Reporter, service_reporter
from disgram.storage.files.locks import LOCK_FILE, WorkerLock
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.prefork_heap import freeze
from disgram.workers.spec import WorkerSpec

GRACE = 6.0
"""Seconds from SIGTERM to SIGKILL once the service is gone; every process must end within ten."""

_PR_SET_PDEATHSIG = 1
_OOM_SCORE = 500
"""Of 1,000, added to a worker's: as if it used half of all memory more (proc_pid_oom_score_adj(5))."""
_BLOCKED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals blocked during a fork, so that a child gets them once its handlers are installed."""


class ForkServerLoop:
    """Starts, signals and reaps children as the control socket requests."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._connected = True
        self._unread = b""
        self._pipes: deque[int] = deque()
        self._children: set[int] = set()
        self._die_with_parent = _death_signal()
        self._woken = _wake_on_signals()
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)

    def run(self) -> None:
        """Until the service and all children are gone."""
        self._poll.register(self._control, select.POLLIN)
        while self._connected:
            ready = dict(self._poll.poll())
            if self._woken in ready:
                self._reap()
            if self._control.fileno() in ready:
                self._receive()
        self._poll.unregister(self._control)
        self._end_children()

    def _receive(self) -> None:
        try:
            chunk, pipes, flags, _ = socket.recv_fds(self._control, 65536, 64)
        except ConnectionError:
            chunk, pipes, flags = b"", [], 0
        # With a lost descriptor, the next worker would get the pipe of another one.
        self._connected = bool(chunk) and not flags & socket.MSG_CTRUNC
        self._pipes.extend(pipes)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines if self._connected else ():
            self._handle(json.loads(line))

    def _handle(self, request: dict[str, Any]) -> None:
        if "spec" in request:
            self._start(request)
            return
        if request["signal"] in self._children:
            os.kill(request["signal"], request["number"])
        self._answer({"signalled": request["signal"]})

    def _start(self, request: dict[str, Any]) -> None:
        pipe, parent = self._pipes.popleft(), os.getpid()
        with _signals_blocked():
            try:
                pid = os.fork()
            except OSError as error:
                self._answer({"n": request["n"], "failed": f"fork: {error.strerror}"})
            else:
                if pid == 0:
                    _become_worker(request, pipe, parent, self._die_with_parent)
                self._children.add(pid)
                self._answer({"n": request["n"], "started": pid})
        os.close(pipe)

    def _answer(self, answer: dict[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps(answer).encode() + b"\n")
        except ConnectionError:
            self._connected = False

    def _reap(self) -> None:
        os.read(self._woken, 512)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._children.discard(pid)
            if self._connected:
                self._answer({"exited": pid, "status": status})

    def _end_children(self) -> None:
        for number, timeout in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1.0)):
            for pid in self._children:
                os.kill(pid, number)
            until = time.monotonic() + timeout
            while self._children and (left := until - time.monotonic()) > 0:
                if self._poll.poll(left * 1000):
                    self._reap()


def _wake_on_signals() -> int:
    """The descriptor that becomes readable when a child ends. SIGTERM and SIGINT are for the service."""
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *_BLOCKED):
        signal.signal(number, _wake_up)
    return woken


def _wake_up(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the wake-up descriptor has been written. With SIG_IGN, blocked signals would be lost."""


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)


def _death_signal() -> Callable[[], object]:
    """What a child calls to get SIGTERM when this process dies; looked up before any fork (prctl(2))."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


# --- the child ----------------------------------------------------------------------------------


def _become_worker(
    request: dict[str, Any], pipe: int, parent: int, die_with_parent: Callable[[], object]
) -> NoReturn:
    """From the fork to the exit. An exception is reported through stderr, which is the log pipe."""
    code = EXIT_CRASH
    try:
        die_with_parent()
        _take_descriptors(pipe)
        _offer_to_oom_killer()
        code = _work(request, parent)
    except BaseException:  # noqa: BLE001 - the outermost frame of the child: above it is the fork server's loop
        _report_crash(service_reporter(partial(os.write, 2)))
    finally:
        os._exit(code)  # stdout is unbuffered (-u)


def _report_crash(report: Reporter) -> None:
    """The exception being handled, as one line of the log, which masks it."""
    report(Level.ERROR, f"The worker crashed\n{traceback.format_exc().rstrip()}")


def _take_descriptors(pipe: int) -> None:
    """Keep stdin (/dev/null) and the log pipe as stdout and stderr; close everything else."""
    signal.set_wakeup_fd(-1)
    os.dup2(pipe, 1)
    os.dup2(pipe, 2)
    for inherited in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if inherited > 2:
            with contextlib.suppress(OSError):  # the descriptor of the listing itself
                os.close(inherited)
    faulthandler.enable()


def _offer_to_oom_killer() -> None:
    """When memory runs out, let the kernel kill a worker, which is started again, before the service."""
    with contextlib.suppress(OSError, ValueError):  # not Linux, or not allowed
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(min(int(score.read_text()) + _OOM_SCORE, 1000)))


def _work(request: dict[str, Any], parent: int) -> int:
    heartbeat = Heartbeat(_write_line, parent=parent, every=request["beat"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    heartbeat.install()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
    spec = WorkerSpec.from_wire(request["spec"])
    setproctitle(f"{spec.script} {spec.channel.name}")
    report = service_reporter(_write_or_stop(heartbeat))
    try:
        heartbeat.check()  # the first heartbeat: this worker runs
        lock = WorkerLock(spec.settings.data_dir / LOCK_FILE, *spec.key)
        lock.await_turn(heartbeat, report)
        return int(sys.modules[request["module"]].serve(spec, report, heartbeat))
    except LeaseLost as error:
        report(Level.STATUS, f"The worker ends: {error}")
        return EXIT_OK
    except Stopping:
        return EXIT_OK
    except DatabaseTooNew as error:
        report(Level.ERROR, str(error), reason=error.reason)
        return EXIT_PERMANENT
    except StorageUnavailable as error:
        report(Level.ERROR, f"The worker cannot work: {error}", reason=error.reason)
        return EXIT_CRASH


def _write_or_stop(heartbeat: Heartbeat) -> Callable[[bytes], object]:
    """Without a reader the line is lost; the message in flight is finished, and the next wait ends."""

    def write(line: bytes) -> None:
        try:
            _write_line(line)
        except BrokenPipeError:
            heartbeat.request_stop()

    return write


def _write_line(line: bytes) -> None:
    """Write the whole line: a signal can cut a write to a full pipe short."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(1, rest) :]


# --- the start ----------------------------------------------------------------------------------


def main(modules: Sequence[str]) -> None:
    """Import, warm up, freeze, serve. An exception ends this process with a traceback on stderr."""
    control = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    setproctitle("disgram: fork server")
    loop = ForkServerLoop(control)
    for name in modules:
        module = importlib.import_module(name)
        if hasattr(module, "warm_up"):
            module.warm_up()
    freeze()
    loop.run()


if __name__ == "__main__":
    main(sys.argv[1:])
