"""Orphans: processes of others whose parent has died, and that the kernel gives to this one.

That happens to the first process of a container, and to a subreaper (prctl(2)). Somebody has to read their
exit status, or each stays in the process table for ever. Owns this; never touches our own children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Collection

LOOK_EVERY = 1.0
"""Seconds."""

_PR_GET_CHILD_SUBREAPER = 37


def inherits_orphans() -> bool:
    """Whether this process is given orphans."""
    if sys.platform != "linux":
        return os.getpid() == 1
    subreaper = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(subreaper))
    return os.getpid() == 1 or bool(subreaper.value)


def reap_orphans(own: Collection[int | None]) -> None:
    """Reap what has ended, as far as the first of our `own` children that has, too: it is reaped elsewhere.

    For the thread that starts our children: another one could take the end of a child nobody knows yet.
    """
    with contextlib.suppress(ChildProcessError):  # no child at all
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, 0)
