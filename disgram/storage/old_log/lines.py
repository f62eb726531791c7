"""Disgram.log read as a record of what was forwarded: by a Disgram that had no database yet, by one that was
run again later, or, where the database was lost, by this one.

Owns the reading of its lines; what becomes of the numbers is the ledger's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

_POST_LINK = re.compile(
    r"https?://t\.me/(?:s/)?(c/[1-9][0-9]{0,18}|[A-Za-z][A-Za-z0-9_]{2,31})/([0-9]{1,10})(?![0-9])"
)
_TIME = re.compile(r"[0-9-]{10} [0-9:]{8} +")
_LEVEL = re.compile(r"\[(INFO|ERROR|NEW_MESSAGE|STATUS|SYSTEM)\] ")
"""Follows the time in every line of a Disgram that has a database, and in no older one's."""
_FIELD = re.compile(r"\[(.*?)\] ")
_NOT_FORWARDED = ("Error", "Initializing bot", "Starting bot", "Bot working for", "Successfully extracted")
"""How an older Disgram's lines begin that may link a post it has not forwarded."""

_DIGESTED = 256
"""Bytes before a position by which it is found again."""

Highest = Mapping[tuple[str | None, str], int]
"""The highest number forwarded of a channel (in lower case), by the job as the line spells it; None for a
line that names no job."""


class LogPosition(NamedTuple):
    """Up to which byte a log was read. `before` is a digest of the bytes in front of it: where they are
    others, the file is another one, and none of its lines was read."""

    offset: int
    before: str


def forwarded_since(log: Path, position: LogPosition | None) -> tuple[Highest, LogPosition]:
    """What was forwarded by the lines behind `position`, and where the file ends now.

    Lines of a Disgram that has a database count only without a position: they are in that database. No file
    is an empty one. Raises OSError.
    """
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return {}, LogPosition(0, _digest(b""))
    with file:
        if position and position.offset and _position_at(file, position.offset) == position:
            file.seek(position.offset)
        else:
            file.seek(0)
        highest = _highest(file, own_lines=position is None)
        return highest, _position_at(file, file.tell())


def _position_at(file: BinaryIO, offset: int) -> LogPosition:
    file.seek(max(0, offset - _DIGESTED))
    return LogPosition(offset, _digest(file.read(min(offset, _DIGESTED))))


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _highest(lines: Iterable[bytes], *, own_lines: bool) -> Highest:
    highest: dict[tuple[str | None, str], int] = {}
    for raw in lines:
        if b"t.me/" not in raw:
            continue
        job, text = _forwarded(raw.decode("utf-8", "replace"), own_lines=own_lines)
        for name, number in _POST_LINK.findall(text):
            key = job, name.lower()
            highest[key] = max(int(number), highest.get(key, 0))
    return highest


def _forwarded(line: str, *, own_lines: bool) -> tuple[str | None, str]:
    """The job a line names, and that of its text which tells of forwarded posts."""
    timed = _TIME.match(line)
    if not timed:
        return None, line  # of a list that a person wrote
    text = line[timed.end() :]
    level = _LEVEL.match(text)
    if level:
        if level[1] != "NEW_MESSAGE" or not own_lines:
            return None, ""
        text = text[level.end() :]
    field = _FIELD.match(text)
    text = text[field.end() :].lstrip() if field else text
    return (field[1] if field else None), "" if text.startswith(_NOT_FORWARDED) else text
