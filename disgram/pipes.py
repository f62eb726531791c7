"""What a process is told through its standard input, which nobody may read any more. Never starts one."""

from __future__ import annotations

import contextlib
import os
from typing import IO


def tell(stdin: IO[bytes], text: bytes) -> None:
    """Write at once, or nothing if the process has ended. Past the buffer of `stdin`: what stays there after
    a write that failed is written again by its `close`, which then fails, too."""
    with contextlib.suppress(OSError):
        os.write(stdin.fileno(), text)
