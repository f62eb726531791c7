"""What the login asks of a person and tells them, and how a QR code looks in a terminal. No Telethon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from getpass import getpass


@dataclass(frozen=True, slots=True)
class Terminal:
    """`ask` and `ask_secret` (which does not echo) return one line. EOFError: nobody answers."""

    ask: Callable[[str], str] = input
    ask_secret: Callable[[str], str] = getpass
    show: Callable[[str], object] = print


def drawn(address: str) -> str | None:
    """A QR code of half blocks, dark on light in any terminal; None without the package that makes it."""
    try:
        import qrcode
    except ImportError:
        return None
    code = qrcode.QRCode(border=2)
    code.add_data(address)
    code.make()
    rows = code.get_matrix()
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ("".join(_HALVES[pair] for pair in zip(*two, strict=True)) for two in pairs)
    return "\n".join(f"{_WHITE_ON_BLACK}{line}{_AS_BEFORE}" for line in lines)


_WHITE_ON_BLACK, _AS_BEFORE = "\x1b[97;40m", "\x1b[0m"
_HALVES = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
"""Whether the upper and the lower module are dark -> both in one character, light on dark."""


def printable(text: str) -> str:
    """What others wrote, without what moves the cursor."""
    return "".join(letter for letter in text if letter.isprintable())
