"""Writes a message every second like a worker, in a process of its own: `python -m bench.several_hosts.writer
SOCKET EPOCH`. The seconds of each write come on stdout, as a list, when stdin ends.

The process with the stand-ins is busy at times, and would measure itself.
"""

from __future__ import annotations

import itertools
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from disgram.errors import StorageUnavailable
from disgram.storage.channel_ledger import MessageRow
from disgram.storage.remote.client import RemoteLedger
from standins.stage import ROOT

NAME = ("bench", "bench")
"""Of job and channel."""

PER_MESSAGE = 2
"""Calls, each of which is timed, and a transaction: the attempt, and its confirmation."""


@contextmanager
def writing(socket: Path, epoch: int) -> Iterator[list[float]]:
    """Filled at the end, ascending."""
    took: list[float] = []
    started = subprocess.Popen(
        [sys.executable, "-m", "bench.several_hosts.writer", socket, str(epoch)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield took
    finally:
        said, _ = started.communicate(timeout=30)
    took += sorted(json.loads(said))


def _write_until_stdin_ends(socket: Path, epoch: int) -> None:
    took: list[float] = []
    with closing(RemoteLedger(socket, epoch)) as ledger:
        rows = ledger.of(*NAME)
        for post_id in itertools.count(1):
            for state, message_id in (("attempting", None), ("sent", "1400000000000000001")):
                began = time.monotonic()
                with suppress(StorageUnavailable):  # a worker tries again; it shows in how long it took
                    rows.put_message(post_id, MessageRow(0, state, message_id, digest="d" * 40))
                took.append(time.monotonic() - began)
            if select.select([sys.stdin], [], [], 1.0)[0]:
                break
    print(json.dumps(took))


if __name__ == "__main__":
    _write_until_stdin_ends(Path(sys.argv[1]), int(sys.argv[2]))
