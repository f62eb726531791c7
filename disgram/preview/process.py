"""The process that makes a preview, from outside: started, asked, ended.

Never holds a library that reads pages: those are the process's own.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import IO, cast

from disgram.pipes import tell
from disgram.preview.request import PreviewRequest
from disgram.workers.forkserver_process import OPTIONS, ROOT, child_environment

AT_ONCE = 2
"""How many a service may have at once; the others wait for their turn."""

MOST_BYTES = 16 * 1024 * 1024
"""Of its answer: more than the messages of 20 posts can have."""


class PreviewProcess:
    """One run of posts.py. `end` may be called from any thread."""

    def __init__(self, request: PreviewRequest) -> None:
        self._request = request
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def run(self) -> bytes:
        """What it prints, empty if `end` came first. Raises OSError if it cannot be started."""
        with self._lock:
            if self._ended:
                return b""
            self._process = process = self._spawn()
        with process:  # at its end, its exit is waited for
            stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            tell(stdin, self._request.encode())  # and it stays open: its end would end the process
            return stdout.read(MOST_BYTES)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *OPTIONS, "-m", "disgram.preview.posts"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=child_environment(),
            start_new_session=True,
        )

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._process:
                self._process.kill()
