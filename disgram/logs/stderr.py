"""Standard error, for what cannot be written into Disgram.log.

Owns the form of the line. Never raises: standard error may be closed, or a file on the same full disk.
"""

from __future__ import annotations

import contextlib
import sys


def warn_stderr(text: str) -> None:
    """One line on standard error; nothing if that cannot be written."""
    if sys.stderr is None:  # closed before the start; `print` would take standard output
        return
    with contextlib.suppress(OSError, ValueError):  # full or gone; closed
        print(f"disgram: {text}", file=sys.stderr, flush=True)
