"""Unix sockets in the data directory, whose path may be longer than a socket's may be (108 bytes).

Owns how they are made and found; the socket is its owner's alone (0600). Never reads or writes.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


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


def listening_socket(path: Path) -> socket.socket:
    """Replaces what is left of an earlier process; whoever sees it can connect. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    unready = path.with_name(f"{path.name}.new")
    try:
        unready.unlink(missing_ok=True)
        made.bind(f"/proc/self/fd/{folder}/{unready.name}")
        made.listen(1024)
        unready.replace(path)
    except BaseException:
        made.close()
        raise
    finally:
        os.umask(before)
        os.close(folder)
    made.setblocking(False)
    return made
