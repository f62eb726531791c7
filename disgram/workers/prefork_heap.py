"""The last step before the forks: what is there stays where it is, and children write elsewhere.

A page of memory is shared until somebody writes to it. Two things would have children write all over the
template's pages: the garbage collector, which marks what it visits (`gc.freeze` keeps it away), and malloc,
which gives them the holes that imports and the rehearsal left in its heap, a few bytes in each of hundreds
of pages. So the holes are filled: what a child allocates lies together on new pages of its own.

Owns that step. Where the C library is not glibc 2.33 or later, the holes stay and workers only weigh more.
"""

from __future__ import annotations

import ctypes
import gc

_SIZES = (*range(32_000, 1_100, -1_000), *range(1_032, 8, -16))
"""Bytes, from large to small; glibc keeps chunks below 1,040 in lists of 16 bytes' difference (malloc.c)."""

_MOST = 100_000
"""Of one size: an end that is never reached, a template leaves some hundred holes."""


def freeze() -> None:
    """Call once, in the template, when everything is loaded."""
    gc.collect()
    fill_heap_holes()
    gc.freeze()


def fill_heap_holes() -> int:
    """Take every free piece below the heap's untouched end, for good. Returns how many bytes."""
    libc = ctypes.CDLL(None)
    try:
        libc.mallinfo2.restype = _Mallinfo2
    except AttributeError:
        return 0
    libc.sbrk.restype = libc.malloc.restype = ctypes.c_void_p
    libc.sbrk.argtypes, libc.malloc.argtypes = [ctypes.c_ssize_t], [ctypes.c_size_t]
    untouched = (libc.sbrk(0) or 0) - libc.mallinfo2().keepcost
    filled = 0
    for size in _SIZES:
        for _ in range(_MOST):
            if (libc.malloc(size) or untouched) >= untouched:
                break
            filled += size
    return filled


class _Mallinfo2(ctypes.Structure):
    """mallinfo(3); `keepcost` is the size of the heap's untouched end."""

    _fields_ = [(f"field{number}", ctypes.c_size_t) for number in range(9)] + [("keepcost", ctypes.c_size_t)]
