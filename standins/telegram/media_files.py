"""The files behind the media addresses of the stand-in for t.me: the samples in media/.

Owns which sample a name stands for. The same name always gives the same bytes, and no two names do.
"""

from __future__ import annotations

import re
import struct
from functools import cache
from pathlib import Path

_SAMPLES = Path(__file__).parent / "media"
_TYPES = {
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".ogg": "audio/ogg",
    ".tgs": "application/x-tgsticker",
}


def content_type(name: str) -> str:
    """By the extension; thumbnails have none and are JPEG (seen 2026-08)."""
    return _TYPES.get(Path(name).suffix or ".jpg", "application/octet-stream")


def sample(name: str) -> bytes:
    """A media file of the name's extension, and of the size it carries: `hills-400x400.jpg`, else 640x400.

    Names with consecutive numbers look different.
    """
    stem, suffix = Path(name).stem, Path(name).suffix or ".jpg"
    sized = _bodies(f"*-{stem.rpartition('-')[2]}{suffix}")
    bodies = sized or _bodies(f"*-?{suffix}") or _bodies(f"*{suffix}") or (b"",)
    body = bodies[sum(map(int, re.findall(r"\d+", stem))) % len(bodies)]
    # A box of free space: MP4 has it to be skipped, and what follows the end of other files is not read.
    return body + struct.pack(">I", 8 + len(name.encode())) + b"free" + name.encode()


@cache
def _bodies(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(_SAMPLES.glob(pattern)))
