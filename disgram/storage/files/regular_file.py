"""Which of the files that others may have put there are read at all.

Opening a FIFO waits for a writer, a device may never end, and a folder where Docker found no file to mount is
no file: all of them are refused before they are opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from disgram.errors import StartRefused

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


def special_kind(path: Path) -> str | None:
    """What the path is, if neither a regular file nor /dev/null (an empty file to both sides) nor absent.

    A symbolic link is what it leads to.
    """
    try:
        found = path.stat()
    except OSError:  # absent, or opening it says why not
        return None
    if stat.S_ISREG(found.st_mode) or (stat.S_ISCHR(found.st_mode) and path.samefile(os.devnull)):
        return None
    return _KINDS[stat.S_IFMT(found.st_mode)]


def refuse_special(path: Path) -> None:
    """Raises StartRefused unless the path is a regular file, /dev/null or absent."""
    kind = special_kind(path)
    if kind:
        raise StartRefused(f"{path} is {kind}, and must be a file. Move it away, or name another DATA_DIR.")
