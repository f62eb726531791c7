"""A gzip body while it arrives, which is whole or said not to be.

urllib3 takes one that is cut off for whole, and so half a page or half an answer for all of it. Owns the
members of the body and the size of what is given out at once. Never reads from a network.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_WITH_GZIP_HEADER = 31
"""zlib's `wbits`: the largest window, and a gzip header in front."""
_MAGIC = b"\x1f"
"""How each member begins (RFC 1952, section 2.3)."""


class GzipBody:
    """Give it the bytes as they come. `chunk_size`: of what is given out at once, in bytes."""

    def __init__(self, chunk_size: int) -> None:
        self._chunk_size = chunk_size
        self._member: zlib._Decompress | None = None
        self._is_first = True
        self._is_over = False

    @property
    def whole(self) -> bool:
        """No member is cut off. No bytes at all are a whole body, too."""
        return self._member is None

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """What these bytes add. What follows the last member is ignored. Raises zlib.error."""
        more_to_come = False
        while (data or more_to_come) and not self._is_over:
            if self._member is None:
                self._is_over = not (self._is_first or data.startswith(_MAGIC))
                self._member = None if self._is_over else zlib.decompressobj(_WITH_GZIP_HEADER)
                continue
            decoded = self._member.decompress(data, self._chunk_size)
            if decoded:
                yield decoded
            more_to_come = len(decoded) == self._chunk_size
            data = self._member.unconsumed_tail
            if self._member.eof:
                data, more_to_come = self._member.unused_data, False
                self._member, self._is_first = None, False
