"""Unix sockets in the data directory, whose path may be longer than a socket's may be (108 bytes).

Owns how they are made and found; the socket is its owner's alone (0600). Never reads or writes.
"""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket at `path`; `made` tells it from one that another process has put there since."""

    socket: socket.socket
    path: Path
    made: tuple[int, int]

    def close(self) -> None:
        """The path is left alone if another process listens there now."""
        self.socket.close()
        with contextlib.suppress(OSError):
            if _made(self.path) == self.made:
                self.path.unlink()


def _made(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def connected(path: Path, timeout: float) -> socket.socket:
    """`timeout` in seconds, of the connection and of everything after it. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout)
        made.connect(f"/proc/self/fd/{folder}/{path.name}")
    except BaseException:
        made.close()
        raise
    finally:
        os.close(folder)
    return made


def listening_socket(path: Path) -> Listening:
    """Replaces what is left of an earlier process; whoever sees it can connect. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unready = path.with_name(f"{path.name}.new")
    try:
        unready.unlink(missing_ok=True)
        os.fchmod(made.fileno(), 0o600)  # Linux makes the path with it; a umask would hold for all threads
        made.bind(f"/proc/self/fd/{folder}/{unready.name}")
        made.listen(1024)
        identity = _made(unready)
        unready.replace(path)
    except BaseException:
        made.close()
        raise
    finally:
        os.close(folder)
    made.setblocking(False)
    return Listening(made, path, identity)
