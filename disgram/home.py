"""The folder of `.env` and, unless DATA_DIR says otherwise, of the data.

Owns that one choice. A clone keeps them beside the code. The wheel cannot: pip replaces the folder of a
package with each upgrade, so there they are in DATA_DIR, else where the XDG base directories put them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

INSTALLED = "disgram_app"
"""The folder in site-packages that the wheel puts the project into (pyproject.toml)."""


def home(code: Path, environ: Mapping[str, str]) -> Path:
    """`code` is the folder of main.py. The result is absolute and need not exist.

    Raises RuntimeError if nothing says where the user's own folder is.
    """
    if code.name != INSTALLED:
        return code
    if data_dir := environ.get("DATA_DIR", "").strip():
        return Path(data_dir).expanduser().absolute()
    state = Path(environ.get("XDG_STATE_HOME", ""))
    # The specification says to ignore a relative path.
    return (state if state.is_absolute() else Path.home() / ".local" / "state") / "disgram"
