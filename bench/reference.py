"""The reference's own worker over the same stand-in, for the figures beside ours.

Nothing of it is in this repository: its checkout is an argument, its packages are those of the checkout's
`.venv` (or of this interpreter). It is run as its service runs it, `python webhook.py CHANNEL URL COLOR JOB`,
in a folder of its own, with a log that says that every post was forwarded, so that its polls are quiet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.processes import cpu_seconds, pss
from bench.stage import ROOT, StandIn, eventually

_CHANNEL, _JOB = "channel_0001", "job"
_POLLS = 60


def figures(checkout: Path) -> Iterator[Figure]:
    """Memory after polls, CPU of the start and of a quiet poll."""
    stand_in = StandIn()
    with tempfile.TemporaryDirectory(prefix="disgram-bench-") as folder:
        process = _start(checkout, Path(folder) / "reference", stand_in)
        try:
            eventually(lambda: stand_in.counts()["pages"] >= 2, 60)
            started = cpu_seconds(process.pid)
            yield Figure("worker's start and two polls, CPU", "", "", f"{started:.2f} s")
            eventually(lambda: stand_in.counts()["pages"] >= 2 + _POLLS, 120)
            polled = (cpu_seconds(process.pid) - started) / (stand_in.counts()["pages"] - 2)
            yield Figure("quiet poll, its HTTP request included, CPU", "", "", f"{polled * 1e3:.0f} ms")
            yield Figure("worker that only polled, PSS", "", "", f"{pss(process.pid):.1f} MB")
        finally:
            process.kill()
            process.wait()
            stand_in.close()


def _start(checkout: Path, folder: Path, stand_in: StandIn) -> subprocess.Popen[bytes]:
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(".venv", ".git", "*.log"))
    said = f"2026-09-01 12:00:00 [{_JOB}] New message found: https://t.me/{_CHANNEL}/99999999\n"
    (folder / "Disgram.log").write_text(said)
    own = checkout.absolute() / ".venv" / "bin" / "python"
    env = {
        "PYTHONPATH": str(ROOT / "bench" / "redirect"),
        "BENCH_STAND_IN": stand_in.url,
        "BENCH_LONGEST_SLEEP": "0.1",
    }
    webhook = "https://discord.com/api/webhooks/1/" + "a" * 68
    return subprocess.Popen(
        [own if own.exists() else sys.executable, "webhook.py", _CHANNEL, webhook, "89a7d9", _JOB],
        cwd=folder, env=os.environ | env, stdout=subprocess.DEVNULL,
    )  # fmt: skip
