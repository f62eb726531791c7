"""A call of the ledger and its answer as lines of JSON.

    {"job": "news", "channel": "durov", "epoch": 7, "call": "post", "args": [12], "named": {}}
    {"result": {"PostRow": {"post_id": 12, ...}}, "send_until": 5012.3}
    {"error": "StorageUnavailable", "message": "...", "send_until": 5012.3}

Rows go by name, so that both sides mean the same columns. Owns what may go over, and which calls there are.
Never opens a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from disgram.storage.channel_ledger import ChannelLedger, LastPost, MessageRow, PostRow, Progress
from disgram.storage.channel_source import ChannelSource, Source
from disgram.storage.destinations import Destinations, GoneRow
from disgram.storage.missing_posts import MissingPost, MissingPosts

SOCKET = "ledger.sock"
"""Its name in DATA_DIR."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes. The payload of a message is kept in its row: 100 kB at most."""

MAY_SEND = "may_send"
"""The call that asks for `send_until` alone, and fails where nothing may be sent."""


def _public(kind: type) -> frozenset[str]:
    return frozenset(name for name, it in vars(kind).items() if callable(it) and not name.startswith("_"))


CALLS: Mapping[str, frozenset[str]] = {
    "": _public(ChannelLedger),
    "destinations": _public(Destinations),
    "source": _public(ChannelSource),
    "source.missing": _public(MissingPosts),
    "history": frozenset({"note"}),
}
"""All methods of ChannelLedger and its parts, by the attribute that has them. What else of `history` writes
is part of these."""

_ROWS = {row.__name__: row for row in (GoneRow, LastPost, MessageRow, MissingPost, PostRow, Progress, Source)}
_PLAIN = (str, int, float, bool, type(None))


def line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def to_wire(value: Any) -> Any:
    """A row, a list, a tuple, a dictionary by numbers, or a plain value. Raises TypeError for others."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [to_wire(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[to_wire(key), to_wire(item)] for key, item in value.items()]}
    name = type(value).__name__
    if name in _ROWS:
        return {name: {field: to_wire(getattr(value, field)) for field in value._fields}}
    if type(value) is tuple:
        return {"tuple": [to_wire(item) for item in value]}
    raise TypeError(f"{name} does not go over the ledger's socket")


def from_wire(value: Any) -> Any:
    """Raises KeyError and TypeError for what `to_wire` does not write."""
    if isinstance(value, list):
        return [from_wire(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == "dict":
        return {from_wire(key): from_wire(item) for key, item in content}
    if name == "tuple":
        return tuple(from_wire(item) for item in content)
    return _ROWS[name](**{field: from_wire(item) for field, item in content.items()})
