"""After `fill_heap_holes`, new objects lie beyond all existing ones."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_PROBE = """
import os
from disgram.workers.prefork_heap import fill_heap_holes
blocks = [os.urandom(2000) for _ in range(2000)]
highest = max(map(id, blocks))
del blocks[::2]
filled = fill_heap_holes() if FILL else 0
later = [id(block) for block in [os.urandom(2000) for _ in range(500)]]
print(filled > 1_000_000, sum(address < highest for address in later))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33")
@pytest.mark.parametrize(("fill", "expected"), [(True, "True 0"), (False, "False 500")])
def test_new_objects_lie_beyond_the_old_ones_once_the_heap_is_filled(fill: bool, expected: str) -> None:
    """The second case shows that there were free chunks, and that new objects would have used them."""
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE.replace("FILL", f"{fill}")],
        cwd=ROOT, env={"MALLOC_ARENA_MAX": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert probe.stdout.strip() == expected
