"""What the service's own process needs around it: a folder, no core, and an end where it is of no use."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
from pathlib import Path

from disgram.errors import StartRefused
from disgram.logs.stderr import warn_stderr


def leave_no_core() -> None:
    """A core dump of this process or a worker would contain the password and webhook tokens."""
    with contextlib.suppress(OSError, ValueError):  # what the system refuses stays unchanged
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def end_at_once() -> None:
    """Without its supervisor the service forwards nothing, so systemd or pm2 has to start it again.

    `os._exit`, since an orderly stop would end with exit code 0. All files survive a crash.
    """
    logging.shutdown()  # the log's last lines are still queued
    warn_stderr("the supervisor has crashed (see Disgram.log); the service ends with exit code 1")
    os._exit(1)


def make_folder(folder: Path) -> None:
    """The data directory, for its owner alone. Raises StartRefused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartRefused(f"DATA_DIR {folder} cannot be created: {error.strerror}") from None
