"""The files of the dashboard's page, as they lie in static/: hand-written, served as they are.

Owns which there are and what they are. `make demo` shows its messages with the same ones.
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"

PAGE = "page.html"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

FILES = {path.name: _TYPES[path.suffix] for path in sorted(STATIC.iterdir())}
"""Name -> media type."""
