"""Who this host is: its name, its data directory, and this start of its service.

A name alone could be given twice; an id in the directory tells a service that starts again from another one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from disgram.errors import StorageUnavailable

FILE = "host.id"


def new_incarnation(data_dir: Path) -> str:
    """`<directory>/<start>`: the first part is the same at each start in this directory, and another one in a
    copy of it. Raises StorageUnavailable."""
    path = data_dir / FILE
    try:
        with contextlib.suppress(FileExistsError):
            written = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(written, "w") as file:
                file.write(f"{secrets.token_hex(8)}\n")
        made = path.read_text("ascii", "replace").strip()[:64].replace("/", "")
        number = path.stat().st_ino
    except OSError as error:
        raise StorageUnavailable(f"{FILE}: {error.strerror}") from error
    return f"{made}-{number:x}/{secrets.token_hex(8)}"
