"""The warm process workers are forked from: `python -m disgram.workers.forkserver MODULE…`, socket as stdin.

Owns the fork, the child's first steps, and the children's exit statuses. It imports the modules once, has
those rehearse that can (`warm_up()`) and freezes all, so that a child shares their memory and starts within
milliseconds. Never decides what runs: it obeys its socket, one JSON object a line, and answers likewise.

    {"n": 1, "module": "webhook", "beat": seconds, "spec": …} + the log pipe's writing end
                                     -> {"n": 1, "started": pid} or {"n": 1, "failed": why}
    {"signal": pid, "number": 15}    -> {"signalled": pid}   (nothing is sent once the child was reaped)
                                     -> {"exited": pid, "status": wait status}, unasked

The end of the socket is the end of the service, however it died: the children are told to stop, then
killed. Should this process die itself, the kernel sends its children SIGTERM (Linux), and elsewhere each
notices at its next beat. It stays single-threaded: the kernel's signal follows the thread that forked.
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
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from setproctitle import setproctitle

from disgram.errors import DatabaseTooNew, Stopping
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT, Level, service_reporter
from disgram.storage.locks import LOCK_FILE, WorkerLock
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.prefork_heap import freeze
from disgram.workers.spec import WorkerSpec

GRACE = 6.0
"""Seconds from SIGTERM to SIGKILL once the service is gone; all is to be gone within ten."""

_PR_SET_PDEATHSIG = 1
_HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals that wait while a fork is under way, so that a child gets them once it can obey."""


class ForkServerLoop:
    """Between the control socket and the children."""

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
        """Until the service is gone, and all children with it."""
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
        # A descriptor that was cut off would give the next worker another one's pipe.
        self._connected = bool(chunk) and not flags & socket.MSG_CTRUNC
        self._pipes.extend(pipes)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines if self._connected else ():
            self._obey(json.loads(line))

    def _obey(self, request: dict[str, Any]) -> None:
        if "spec" in request:
            self._start(request)
            return
        if request["signal"] in self._children:
            os.kill(request["signal"], request["number"])
        self._answer({"signalled": request["signal"]})

    def _start(self, request: dict[str, Any]) -> None:
        pipe, parent = self._pipes.popleft(), os.getpid()
        with _signals_held():
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
        for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1.0)):
            for pid in self._children:
                os.kill(pid, number)
            until = time.monotonic() + patience
            while self._children and (left := until - time.monotonic()) > 0:
                if self._poll.poll(left * 1000):
                    self._reap()


def _wake_on_signals() -> int:
    """What becomes readable when a child ends. SIGTERM and SIGINT are the service's to obey."""
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *_HELD):
        signal.signal(number, _wake_up)
    return woken


def _wake_up(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor has done it; a handler that is not SIG_IGN keeps held signals pending."""


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)


def _death_signal() -> Callable[[], object]:
    """What a child calls to die with this process; looked up before any fork (prctl(2))."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


# --- the child ----------------------------------------------------------------------------------


def _become_worker(
    request: dict[str, Any], pipe: int, parent: int, die_with_parent: Callable[[], object]
) -> NoReturn:
    """From the fork to the exit. What goes wrong is printed, and stdout and stderr are the log pipe."""
    code = EXIT_CRASH
    try:
        die_with_parent()
        _take_descriptors(pipe)
        code = _work(request, parent)
    except BaseException:  # noqa: BLE001 - the last frame of this process: beyond it is the template's own loop
        traceback.print_exc()
    finally:
        os._exit(code)  # stdout is unbuffered (-u)


def _take_descriptors(pipe: int) -> None:
    """Leave this process stdin (/dev/null, as the template's) and its own pipe, nothing else."""
    signal.set_wakeup_fd(-1)
    os.dup2(pipe, 1)
    os.dup2(pipe, 2)
    for inherited in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if inherited > 2:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(inherited)
    faulthandler.enable()


def _work(request: dict[str, Any], parent: int) -> int:
    heartbeat = Heartbeat(_write_line, parent=parent, every=request["beat"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    heartbeat.install()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    spec = WorkerSpec.from_wire(request["spec"])
    setproctitle(f"{spec.script} {spec.channel.name}")
    report = service_reporter(_writer_that_notices(heartbeat))
    try:
        heartbeat.check()  # the first beat: this worker has come up
        lock = WorkerLock(spec.settings.data_dir / LOCK_FILE, *spec.key)
        lock.await_turn(heartbeat, report)
        return int(sys.modules[request["module"]].serve(spec, report, heartbeat))
    except Stopping:
        return EXIT_OK
    except DatabaseTooNew as error:
        report(Level.ERROR, str(error), reason=error.reason)
        return EXIT_PERMANENT


def _writer_that_notices(heartbeat: Heartbeat) -> Callable[[bytes], object]:
    """A line that nobody reads any more is lost, but not the work in hand: the next wait ends it."""

    def write(line: bytes) -> None:
        try:
            _write_line(line)
        except BrokenPipeError:
            heartbeat.request_stop()

    return write


def _write_line(line: bytes) -> None:
    """All of it: a signal can cut a write to a full pipe short."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(1, rest) :]


# --- the start ----------------------------------------------------------------------------------


def main(modules: Sequence[str]) -> None:
    """Import, rehearse, freeze, serve. What fails ends this process with its traceback on stderr."""
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
