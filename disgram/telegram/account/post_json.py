"""`TelegramPost` <-> JSON: how the account's process hands posts to a worker.

A dataclass is an object without the fields that have their default, a block has its class's name as `block`.
Reading is strict: whatever `write_post` does not write is refused. Imports no Telethon.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from disgram import post as post_module
from disgram.errors import PageNotUnderstood
from disgram.post import Block, TelegramPost

_BLOCK = "block"
_BLOCKS: Mapping[str, type] = {block.__name__: block for block in get_args(Block)}


def write_post(post: TelegramPost) -> str:
    return json.dumps(_write(post), separators=(",", ":"))


def read_post(text: str) -> TelegramPost:
    """Exactly the post that was written. Raises PageNotUnderstood for anything else."""
    try:
        post: TelegramPost = _read_dataclass(TelegramPost, _object(json.loads(text)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PageNotUnderstood(f"a post of the account cannot be read: {type(error).__name__}") from error
    return post


# --- writing ------------------------------------------------------------------------------------


def _write(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        kind = {_BLOCK: type(value).__name__} if type(value) in _BLOCKS.values() else {}
        changed = ((name, getattr(value, name), default) for name, _, default in _fields(type(value)))
        return kind | {name: _write(own) for name, own, default in changed if own != default}
    if isinstance(value, tuple):
        return [_write(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(str(_write(each)) for each in value)
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[tuple[str, Any, object], ...]:
    """Name, type and default (MISSING if there is none) of each field."""
    hints = get_type_hints(kind, vars(post_module))
    return tuple((each.name, hints[each.name], each.default) for each in fields(kind))


# --- reading ------------------------------------------------------------------------------------


def _read(kind: Any, value: object) -> object:
    """`value` as JSON has it -> as the type `kind` has it."""
    if kind == Block:
        return _read_block(value)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_optional(kind, value)
    if origin in _CONTAINERS:
        return _CONTAINERS[origin](_read(get_args(kind)[0], each) for each in _list(value))
    if is_dataclass(kind):
        return _read_dataclass(kind, _object(value))
    if issubclass(kind, Enum):
        return kind(_exactly(str, value))
    if kind is datetime:
        return _aware(datetime.fromisoformat(str(_exactly(str, value))))
    return _exactly(kind, value)


_CONTAINERS: Mapping[Any, Callable[..., object]] = {tuple: tuple, frozenset: frozenset}


def _read_block(value: object) -> object:
    found = _object(value)
    return _read_dataclass(_BLOCKS[str(found[_BLOCK])], found)


def _read_optional(kind: Any, value: object) -> object:
    """`X | None` is the only union beside `Block`."""
    (inner,) = (each for each in get_args(kind) if each is not type(None))
    return None if value is None else _read(inner, value)


def _read_dataclass(kind: Any, value: Mapping[str, object]) -> Any:
    known = {name: hint for name, hint, _ in _fields(kind)}
    if kind in _BLOCKS.values():
        value = _without_name(kind, value)
    read = kind(**{name: _read(known[name], each) for name, each in value.items()})
    if isinstance(read, TelegramPost):
        _check_ids(read)
    return read


def _without_name(kind: type, value: Mapping[str, object]) -> Mapping[str, object]:
    if value[_BLOCK] != kind.__name__:
        raise ValueError("another block")
    return {name: each for name, each in value.items() if name != _BLOCK}


def _check_ids(post: TelegramPost) -> None:
    if post.id not in post.ids[:1] or list(post.ids) != sorted(set(post.ids)) or post.id < 1:
        raise ValueError("ids that are not ascending")


def _aware(date: datetime) -> datetime:
    if date.tzinfo is None:
        raise ValueError("a date without its zone")
    return date


def _object(value: object) -> Mapping[str, object]:
    return _exactly(dict, value)  # type: ignore[return-value]


def _list(value: object) -> list[object]:
    return _exactly(list, value)  # type: ignore[return-value]


def _exactly(kind: type, value: object) -> object:
    """JSON's true is no number here."""
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} instead of {kind.__name__}")
    return value
