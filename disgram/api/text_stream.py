"""A long text as an answer, in pieces, as fast as the client takes them.

Owns the size of a piece. Never knows where the lines come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PIECE = 32 * 1024
"""Characters in memory for one reader, beside what its socket buffers."""


class TextStream(StreamingResponse):
    """`lines` without their line breaks. `close` is called once at the end, however the answer ends."""

    def __init__(self, lines: Iterable[str], close: Callable[[], None]) -> None:
        headers = {"X-Content-Type-Options": "nosniff"}
        super().__init__(pieces(lines), media_type="text/plain", headers=headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


def pieces(lines: Iterable[str]) -> Iterator[str]:
    """The lines, joined into texts of about PIECE characters."""
    piece: list[str] = []
    length = 0
    for line in lines:
        piece.append(line)
        length += len(line) + 1
        if length >= PIECE:
            yield "\n".join([*piece, ""])
            piece, length = [], 0
    if piece:
        yield "\n".join([*piece, ""])
