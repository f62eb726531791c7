"""A message of which Discord refuses single fields: sent again without those, so that its words, styles and
files stay. The `errors` of a 400 name the fields (Reference, Error Messages).

Owns which fields a message can do without. Never sends.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any

from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordError, MessageRejected
from disgram.report import Level, Reporter

Path = tuple[str, ...]
"""Where a field is in a payload; items of lists are numbers in decimal: `("embeds", "0", "url")`."""

MOST_STEPS = 5
"""How often one message is sent again with fewer fields; Discord may name them one at a time."""

_OF_MESSAGE = frozenset({"username", "avatar_url", "tts", "flags"})
_OF_EMBED = frozenset({"url", "timestamp", "color", "footer", "image", "thumbnail", "author"})
_OF_AUTHOR = frozenset({"url", "icon_url"})
_VISIBLE = frozenset({"title", "description", "author", "footer", "image", "thumbnail"})
"""An embed with none of them is refused."""

_OF_CHANNEL = frozenset({"username", "avatar_url", "author", "author.icon_url"})
"""Alike in all posts of a channel: refused once, they are left out of the next post at once."""


def without(
    payload: dict[str, Any], refused: Collection[Path], *, edit: bool = False
) -> dict[str, Any] | None:
    """The payload without the refused fields; None if it cannot do without all of them, or has not got them.

    `edit`: it is the body of a PATCH, in which `attachments` says which files stay.
    """
    fields = [_dispensable(payload, path, edit=edit) for path in refused]
    if not fields or None in fields:
        return None
    left = copy.deepcopy(payload)
    for field in filter(None, fields):
        holder = _at(left, field[:-1])
        if isinstance(holder, dict):  # the whole author may be gone with another path
            holder.pop(field[-1], None)
    embeds = left.get("embeds", [])
    return left if all(_VISIBLE & embed.keys() for embed in embeds) else None


def _dispensable(payload: dict[str, Any], path: Path, *, edit: bool) -> Path | None:
    """The path of what has to go for this one, or None."""
    match path:
        case (name,) if name in _OF_MESSAGE:
            field = path
        case ("allowed_mentions", *_) if not payload.get("content"):  # embeds ping nobody; content would
            field = ("allowed_mentions",)
        case ("attachments", *_) if not edit:  # the files of a new message are taken without it, too
            field = ("attachments",)
        case ("embeds", number, "author", name) if name in _OF_AUTHOR:
            field = ("embeds", number, "author", name)
        case ("embeds", number, name, *_) if name in _OF_EMBED:
            field = ("embeds", number, name)
        case _:
            return None
    holder = _at(payload, field[:-1])
    return field if isinstance(holder, dict) and field[-1] in holder else None


def _at(payload: dict[str, Any], path: Path) -> Any:
    """What stands there, or None."""
    value: Any = payload
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 4 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


class RefusedFields:
    """For one worker: remembers what Discord refused of the channel's name and picture."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._known: set[tuple[str, str]] = set()
        """Name in _OF_CHANNEL and value."""

    def outgoing(self, message: DiscordMessage, url: str, *, edit: bool = False) -> OutgoingMessage:
        """A message that is about to be sent, without what is known to be refused. `url`: its post's."""
        known = [path for path, name in _of_channel(message) if self._key(message, path, name) in self._known]
        payload = without(message.payload, known, edit=edit)
        return OutgoingMessage(
            self, DiscordMessage(payload, message.uploads) if payload else message, url, edit
        )

    def left_out(self, message: DiscordMessage, error: MessageRejected, url: str) -> None:
        """Remember and report the fields that `message` is sent without."""
        gone = error.fields.keys()
        keys = {self._key(message, path, name) for path, name in _of_channel(message) if _covered(path, gone)}
        self._known |= keys
        fields = ((".".join(path), why) for path, why in error.fields.items())
        names = ", ".join(f"{name} ({why})" if why else name for name, why in fields)[:300]
        further = ", and so are further posts" if keys else ""
        self._report(Level.STATUS, f"{url}: Discord refused {names}; it is sent without{further}")

    @staticmethod
    def _key(message: DiscordMessage, path: Path, name: str) -> tuple[str, str]:
        value = _at(message.payload, path)
        return name, str(value.get("name") if isinstance(value, dict) else value)


class OutgoingMessage:
    """One message on its way: `message` is what to send next."""

    def __init__(self, fields: RefusedFields, message: DiscordMessage, url: str, edit: bool) -> None:
        self.message = message
        self._fields = fields
        self._url = url
        self._edit = edit
        self._steps = MOST_STEPS

    def leave_out(self, error: DiscordError) -> bool:
        """Take from `message` what this response refuses of it. False if that is not possible."""
        if not isinstance(error, MessageRejected) or not self._steps:
            return False
        payload = without(self.message.payload, error.fields, edit=self._edit)
        if payload is None:
            return False
        self._steps -= 1
        self._fields.left_out(self.message, error, self._url)
        self.message = DiscordMessage(payload, self.message.uploads)
        return True


def _of_channel(message: DiscordMessage) -> Iterator[tuple[Path, str]]:
    """Where the message has fields of _OF_CHANNEL."""
    yield from (((name,), name) for name in ("username", "avatar_url") if name in message.payload)
    for number, embed in enumerate(message.payload.get("embeds", [])):
        if "author" in embed:
            yield ("embeds", str(number), "author"), "author"
        if "icon_url" in embed.get("author", {}):
            yield ("embeds", str(number), "author", "icon_url"), "author.icon_url"


def _covered(path: Path, gone: Collection[Path]) -> bool:
    return path in gone or (path[-1] == "author" and (*path, "name") in gone)
