"""The embed colour of a channel for which nobody chose one. Reads no setting: EMBED_COLOR is config's."""

from __future__ import annotations

import colorsys
import hashlib


def stable_color(channel: str) -> int:
    """0xRRGGBB, bright enough to tell channels apart, and always the same for the same name in any case."""
    hue = hashlib.sha256(channel.lower().encode()).digest()[0] / 256
    red, green, blue = (round(value * 255) for value in colorsys.hsv_to_rgb(hue, 0.65, 0.9))
    return red << 16 | green << 8 | blue
