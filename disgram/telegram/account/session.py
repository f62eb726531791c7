"""Whether there is an account, and what its process needs to use it. Never imports Telethon, asks nobody.

`make account` writes the session's file; TG_SESSION_STRING does instead.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SESSION_FILE = "telegram.session"
"""Its name in DATA_DIR."""

SOCKET = "account.sock"
"""Where the account's process listens, in DATA_DIR."""

NO_LIBRARY = "An account is logged in, but without requirements-account.txt nothing is read through it."
"""For a warning at the start."""

_STRING_SESSION = re.compile(r"1[A-Za-z0-9_-]+={0,2}")
_SESSION_BYTES, _KEY_BYTES = {263, 275}, 256
"""Data centre, IPv4 or IPv6 address, port and key (Telethon 1.45, sessions/string.py)."""


@dataclass(frozen=True, slots=True)
class AccountLogin:
    """`session`: a string session, else the one in `session_file` counts, which was written at `written`
    (nanoseconds since 1970)."""

    api_id: int
    api_hash: str = field(repr=False)
    session: str | None = field(repr=False)
    session_file: Path
    socket: Path
    written: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """As the account's process reads it from its standard input. Secret: never log it."""
        return {
            "api_id": self.api_id,
            "api_hash": self.api_hash,
            "session": self.session,
            "session_file": None if self.session else str(self.session_file),
            "socket": str(self.socket),
        }


def account_login(
    api_id: int | None, api_hash: str | None, session: str | None, data_dir: Path
) -> AccountLogin | None:
    """None while nobody has logged in."""
    if not (api_id and api_hash):
        return None
    file, socket = data_dir / SESSION_FILE, data_dir / SOCKET
    if session:
        return AccountLogin(api_id, api_hash, session, file, socket)
    try:
        return AccountLogin(api_id, api_hash, None, file, socket, file.stat().st_mtime_ns)
    except OSError:
        return None


def is_string_session(text: str) -> bool:
    """Whether it has the form of one; whether Telegram knows it, only Telegram can tell."""
    if not (text.isascii() and _STRING_SESSION.fullmatch(text)):
        return False
    try:
        data = base64.urlsafe_b64decode(text[1:])
        return len(data) in _SESSION_BYTES and any(data[-_KEY_BYTES:])
    except (binascii.Error, ValueError):
        return False


@lru_cache(maxsize=1)
def library_installed() -> bool:
    """Whether requirements-account.txt is; without loading it, which costs 38 MB."""
    return find_spec("telethon") is not None
