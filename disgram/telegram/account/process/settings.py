"""What the service tells its account process: one line of JSON on standard input. No Telethon.

Never on the command line or in the environment, which others may read in /proc.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disgram.errors import BadSetting


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """`session`: a Telethon string session; empty if it cannot be had, and then `unusable` says why."""

    api_id: int
    api_hash: str = field(repr=False)
    session: str = field(repr=False)
    socket: Path
    unusable: str = ""


def read_settings(line: bytes) -> AccountSettings:
    """From {"api_id", "api_hash", "session" or "session_file", "socket"}. Raises BadSetting."""
    try:
        given: dict[str, Any] = json.loads(line)
        api_id, api_hash, socket = int(given["api_id"]), str(given["api_hash"]), Path(given["socket"])
        session, path = given.get("session"), given.get("session_file")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadSetting("stdin", "The account's process got no settings on standard input") from None
    try:
        session = session or (read_session(Path(path)) if path else "")
    except BadSetting as error:
        return AccountSettings(api_id, api_hash, "", socket, f"{error}")
    return AccountSettings(api_id, api_hash, session, socket)


def read_session(path: Path) -> str:
    """The string session in the file that the login wrote. Raises BadSetting."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        raise BadSetting("session", f"There is no {path}: log in with `make account`") from None
    except (OSError, ValueError):
        raise BadSetting("session", f"{path} cannot be read: log in with `make account`") from None
