"""Embed colours: as people write them, and that of a channel for which nobody chose one. Reads no setting."""

from __future__ import annotations

import colorsys
import hashlib
import re

_COLOR = re.compile(r"(?:#|0[xX])?([0-9a-fA-F]{6})")


def parse_color(text: str) -> int | None:
    """Six hex digits, `#` or `0x` in front or not; None for anything else."""
    found = _COLOR.fullmatch(text.strip())
    return int(found[1], 16) if found else None


def stable_color(channel: str) -> int:
    """0xRRGGBB, bright enough to tell channels apart, and always the same for the same name in any case."""
    hue = hashlib.sha256(channel.lower().encode()).digest()[0] / 256
    red, green, blue = (round(value * 255) for value in colorsys.hsv_to_rgb(hue, 0.65, 0.9))
    return red << 16 | green << 8 | blue
