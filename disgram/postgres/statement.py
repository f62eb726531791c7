"""Statements of disgram/storage, which are written for SQLite's placeholders, as the driver takes them.

Owns the two spellings. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

Values = Mapping[str, Any] | Sequence[Any]

_TOKENS = re.compile(r"'[^']*'|::|:(?P<name>[a-z_]+)|\?|%")


@lru_cache(maxsize=256)
def in_drivers_words(statement: str) -> str:
    """`:name` as `%(name)s` and `?` as `%s`, outside of quotes; `%` doubled everywhere."""
    return _TOKENS.sub(_token, statement)


def _token(found: re.Match[str]) -> str:
    if found["name"]:
        return f"%({found['name']})s"
    return "%s" if found[0] == "?" else found[0].replace("%", "%%")


def storable(values: Values) -> Values:
    """Text without NUL, which PostgreSQL has no place for: a Telegram page or an answer may hold one."""
    if isinstance(values, Mapping):
        return {name: _storable(value) for name, value in values.items()}
    return tuple(map(_storable, values))


def _storable(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
