"""The last step of the fork server before it forks: prepare the heap so that children share its pages.

A page of memory is shared until a process writes to it. Two things would make children write to the fork
server's pages: the garbage collector, which marks the objects it visits (`gc.freeze` excludes them), and
malloc, which reuses the free chunks that imports and the warm-up left on hundreds of pages. So these chunks
are allocated for good, and what a child allocates lies together on new pages of its own.

Owns that step. Without glibc 2.33 or later the free chunks stay, and workers need more memory.
"""

from __future__ import annotations

import ctypes
import gc

_SIZES = (*range(32_000, 1_100, -1_000), *range(1_032, 8, -16))
"""Bytes, from large to small; glibc keeps chunks below 1,040 in lists of 16 bytes' difference (malloc.c)."""

_MAX_CHUNKS = 100_000
"""Chunks of one size; a bound that is never reached, since a fork server leaves some hundreds."""


def freeze() -> None:
    """Call once, in the fork server, when everything is loaded."""
    gc.collect()
    fill_heap_holes()
    gc.freeze()


def fill_heap_holes() -> int:
    """Allocate every free chunk below the heap's unused end, for good. Returns the number of bytes."""
    libc = ctypes.CDLL(None)
    try:
        libc.mallinfo2.restype = _Mallinfo2
    except AttributeError:
        return 0
    libc.sbrk.restype = libc.malloc.restype = ctypes.c_void_p
    libc.sbrk.argtypes, libc.malloc.argtypes = [ctypes.c_ssize_t], [ctypes.c_size_t]
    unused_end = (libc.sbrk(0) or 0) - libc.mallinfo2().keepcost
    filled = 0
    for size in _SIZES:
        for _ in range(_MAX_CHUNKS):
            if (libc.malloc(size) or unused_end) >= unused_end:
                break
            filled += size
    return filled


class _Mallinfo2(ctypes.Structure):
    """mallinfo(3); `keepcost` is the size of the heap's unused end."""

    _fields_ = [(f"field{number}", ctypes.c_size_t) for number in range(9)] + [("keepcost", ctypes.c_size_t)]
