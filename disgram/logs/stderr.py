"""Standard error, for what the log itself may be unable to say.

Owns the one line it takes. Never fails: standard error may be closed, or a file on the same full disk.
"""

from __future__ import annotations

import contextlib
import sys


def warn_stderr(text: str) -> None:
    """One line on standard error, if that takes it."""
    with contextlib.suppress(OSError, ValueError):  # full or gone; closed
        print(f"disgram: {text}", file=sys.stderr, flush=True)
