"""Who may run: one service per data directory, one worker per job and channel on this host.

Owns the lock file. Both locks are byte ranges of it (POSIX record locks): the kernel drops them when
their process dies, however it dies, and a forked child does not inherit them. Byte 0 is the service's;
each worker has a byte far behind, at the hash of its key. Never decides what to do when a lock is taken.

Closing *any* descriptor of the file drops all locks its process has there, so a process opens the file
once, through one of these classes, and through no other way.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

from disgram.errors import StartRefused, StorageUnavailable
from disgram.report import Level, Reporter

LOCK_FILE = "disgram.lock"
"""Its name in DATA_DIR."""

_LOOK_AGAIN = 1.0
"""Seconds between two looks at a worker lock that another process holds."""
_CLOSED = -1


class Waits(Protocol):
    """What `WorkerLock.await_turn` needs of a Pulse."""

    def wait(self, seconds: float) -> None: ...


class _ByteLock:
    """One byte of the lock file, held by this process or not."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self._offset = offset
        self._fd = _CLOSED

    def acquire(self) -> bool:
        """Whether this process now holds it. Raises StorageUnavailable when the file cannot be opened."""
        if self._fd == _CLOSED:
            self._fd = self._open()
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._offset)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as the system likes (fcntl(2))
            return False
        return True

    def release(self) -> None:
        """Also when it is not held."""
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED

    def sign(self) -> None:
        """Leave this process's pid in the file, for whoever finds the byte taken."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def signature(self) -> str:
        """What the holder left, if it looks like a pid."""
        text = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
        return text if text.isdigit() else ""

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._path} cannot be opened: {error.strerror}") from error


class InstanceLock:
    """The service's own. As a context manager it is held inside the block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._byte = _ByteLock(path, 0)

    def acquire(self) -> None:
        """Raises StartRefused, which names the holder's pid where the file tells it."""
        try:
            held = self._byte.acquire()
        except StorageUnavailable as error:
            raise StartRefused(str(error)) from error
        if not held:
            pid = self._byte.signature()
            self._byte.release()
            who = f"another Disgram (pid {pid})" if pid else "another Disgram"
            raise StartRefused(f"{who} is running on {self._path.parent}")
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            self._byte.sign()

    def release(self) -> None:
        """At the end. The file stays; nobody reads it but who finds the byte taken."""
        self._byte.release()

    def __enter__(self) -> InstanceLock:
        self.acquire()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


class WorkerLock:
    """One worker's, by its job's name and its channel's key. Held until `release` or the process's end."""

    def __init__(self, path: Path, job: str, channel: str) -> None:
        self._byte = _ByteLock(path, _offset(job, channel))

    def acquire(self) -> bool:
        """Whether this process now holds it; never waits. Raises StorageUnavailable."""
        return self._byte.acquire()

    def release(self) -> None:
        self._byte.release()

    def await_turn(self, heartbeat: Waits, report: Reporter) -> None:
        """Wait for the other worker to end: an old one still finishing, or one that somebody runs by hand."""
        if self.acquire():
            return
        report(Level.STATUS, "another worker has this channel; waiting for it to end", reason="waiting")
        while not self.acquire():
            heartbeat.wait(_LOOK_AGAIN)
        report(Level.STATUS, "the other worker has ended", reason=None)


def _offset(job: str, channel: str) -> int:
    """1 to 2**62: clear of the service's byte, within a signed 64-bit offset."""
    digest = hashlib.blake2b(f"{job}\0{channel}".encode(), digest_size=8).digest()
    return 1 + (int.from_bytes(digest, "big") >> 2)
