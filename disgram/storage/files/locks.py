"""Who may run: one service per data directory, one worker per job and channel on this host.

Owns the lock file. Both locks are byte ranges of it (POSIX record locks): the kernel drops them when
their process dies, however it dies, and a forked child does not inherit them. Byte 0 is the service's;
each worker has a byte at the hash of its key. The service also locks the directory itself (flock(2)): who
removes the file lets nobody in. Never decides what to do when a lock is taken.

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

_RETRY_SECONDS = 1.0
"""Between two tries to take a worker lock that another process holds."""
_CLOSED = -1


class Waits(Protocol):
    """What `WorkerLock.await_turn` needs of a Heartbeat."""

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
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, depending on the system (fcntl(2))
            return False
        return True

    def release(self) -> None:
        """Also when it is not held."""
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED

    def write_pid(self) -> None:
        """Write this process's pid into the file, for the error of a process that finds the byte locked."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def holder_pid(self) -> str:
        """The pid in the file; "" if there is none."""
        text = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
        return text if text.isdigit() else ""

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._path} cannot be opened: {error.strerror}") from error


class _DirectoryLock:
    """The directory, held by this process or not. Where a file system knows no such lock, nobody holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = _CLOSED

    def acquire(self) -> bool:
        """False if another process holds it."""
        try:
            self._fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        except OSError:  # some network file systems; the byte of the file remains
            self.release()
        return True

    def release(self) -> None:
        """Also when it is not held."""
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED


class InstanceLock:
    """The service's lock. As a context manager it is held inside the block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._byte = _ByteLock(path, 0)
        self._directory = _DirectoryLock(path.parent)

    def acquire(self) -> None:
        """Raises StartRefused, which names the holder's pid if the file has it."""
        try:
            held = self._byte.acquire()
        except StorageUnavailable as error:
            raise StartRefused(str(error)) from error
        if not held or not self._directory.acquire():
            pid = "" if held else self._byte.holder_pid()
            self._byte.release()
            who = f"another Disgram (pid {pid})" if pid else "another Disgram"
            raise StartRefused(f"{who} is running on {self._path.parent}")
        with contextlib.suppress(OSError):  # a full disk: the lock is held nevertheless
            self._byte.write_pid()

    def release(self) -> None:
        """The file stays."""
        self._directory.release()
        self._byte.release()

    def __enter__(self) -> InstanceLock:
        self.acquire()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


class WorkerLock:
    """A worker's lock, by its job's name and its channel's key. Held until `release` or the process's end."""

    def __init__(self, path: Path, job: str, channel: str) -> None:
        self._byte = _ByteLock(path, _offset(job, channel))

    def acquire(self) -> bool:
        """Whether this process now holds it; never waits. Raises StorageUnavailable."""
        return self._byte.acquire()

    def release(self) -> None:
        self._byte.release()

    def await_turn(self, heartbeat: Waits, report: Reporter) -> None:
        """Wait until no other process has this lock: an old worker that is stopping, or one run by hand."""
        if self.acquire():
            return
        report(Level.STATUS, "Another process forwards this channel; waiting until it ends", reason="waiting")
        while not self.acquire():
            heartbeat.wait(_RETRY_SECONDS)
        report(Level.STATUS, "The other process has ended", reason=None)


def _offset(job: str, channel: str) -> int:
    """1 to 2**62: never the service's byte 0, and within a signed 64-bit offset."""
    digest = hashlib.blake2b(f"{job}\0{channel}".encode(), digest_size=8).digest()
    return 1 + (int.from_bytes(digest, "big") >> 2)
