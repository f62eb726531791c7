"""What Discord refuses of a message.

Owns every documented and observed limit of a webhook's messages (error bodies: errors.py).
Pure: payload in, `Refusal` or None out. Never knows channels, rates or sockets.

Lengths are code points after trimming (staff, discord-api-docs #1315). The one undocumented limit: more than
about 9,960 bytes of UTF-8 in a message are answered with 500 (#7628, #8554, go-gitea/gitea#34084).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from standins.discord.errors import EMPTY, INTERNAL, TOO_MANY_FILES, Path, Refusal, bad_form

FILES = 10
EMBEDS = 10
EMBED_SUM = 6000
BYTES = 9960
MEBIBYTE = 1024 * 1024
UPLOAD_LIMIT = 20 * MEBIBYTE
"""Per file, since 2026-09-03."""
REQUEST_LIMIT = 25 * MEBIBYTE
"""Documented for a whole message (Resources, Message)."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
FLAG_COMPONENTS = 1 << 15
FLAGS = 1 << 2 | 1 << 12 | FLAG_COMPONENTS


@dataclass(slots=True)
class _Form:
    """Collects what is wrong, field by field."""

    errors: list[tuple[Path, str, str]] = field(default_factory=list)

    def refuse(self, path: Path, code: str, message: str) -> None:
        self.errors.append((path, code, message))

    def text(self, path: Path, value: Any, most: int, *, required: bool = False) -> int:
        """Check a text and return its length as Discord counts it."""
        if value is None and not required:
            return 0
        if value is not None and not isinstance(value, str):
            self.refuse(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
            return 0
        length = len((value or "").strip())
        if required and not length:
            self.refuse(path, "BASE_TYPE_REQUIRED", "This field is required")
        if length > most:
            self.refuse(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return length

    def items(self, path: Path, value: Any, most: int) -> list[Any]:
        """Check a list; what is returned can be walked whatever came."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if len(value) > most:
            self.refuse(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def table(self, path: Path, value: Any) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            self.refuse(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return value if isinstance(value, dict) else {}

    def url(self, path: Path, value: Any, schemes: tuple[str, ...]) -> None:
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > 2048:
            return self.refuse(path, "BASE_TYPE_MAX_LENGTH", "Must be 2048 or fewer in length.")
        try:
            parts = urlsplit(value)
        except ValueError:
            return self.refuse(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        if parts.scheme not in schemes:
            message = f'Scheme "{parts.scheme}" is not supported. Scheme must be one of {schemes}.'
            return self.refuse(path, "URL_TYPE_INVALID_SCHEME", message)
        if not parts.netloc or (parts.scheme != "attachment" and re.search(r"\s", value)):
            self.refuse(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        return None

    def number(self, path: Path, value: Any, most: int) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif not 0 <= value <= most:
            self.refuse(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")


_WEB = ("http", "https")
_PICTURE = ("http", "https", "attachment")


def check(payload: Any, *, filenames: list[str], sends: bool = True) -> Refusal | None:
    """The first thing Discord would refuse of this body, or None.

    `filenames` are those of this request. `sends`: this is a new message, not an edit; whether an edit
    leaves an empty message, or too many files, is the caller's to judge.
    """
    if not isinstance(payload, dict):
        return bad_form((("_root",), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"))
    if len(filenames) > FILES:
        return TOO_MANY_FILES
    form = _Form()
    _check_fields(form, payload, len(filenames), sends=sends)
    if form.errors:
        return bad_form(*form.errors)
    if sends and is_empty(payload, len(filenames)):
        return EMPTY
    return INTERNAL if weight(payload) > BYTES or _has_surrogates(payload) else None


def is_empty(payload: dict[str, Any], files: int) -> bool:
    """Nothing of what makes a message."""
    content = str(payload.get("content") or "").strip()
    return not (content or payload.get("embeds") or payload.get("components") or payload.get("poll") or files)


def _check_fields(form: _Form, payload: dict[str, Any], files: int, *, sends: bool) -> None:
    form.text(("content",), payload.get("content"), 2000)
    if sends:
        _check_username(form, payload.get("username"))
        form.url(("avatar_url",), payload.get("avatar_url"), _WEB)
    if not isinstance(payload.get("tts", False), (bool, type(None))):
        form.refuse(("tts",), "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    _check_embeds(form, payload.get("embeds"))
    _check_mentions(form, payload.get("allowed_mentions"))
    _check_attachments(form, payload.get("attachments"), files, sends=sends)
    _check_flags(form, payload)
    _check_buttons(form, payload)


def _check_username(form: _Form, name: Any) -> None:
    if name is None:
        return None
    length = form.text(("username",), name, 10_000)
    if not 1 <= length <= 80:
        return form.refuse(("username",), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    low = str(name).strip().lower()
    for word in ("discord", "clyde"):
        if word in low:
            form.refuse(("username",), "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    if low in {"everyone", "here"}:
        form.refuse(("username",), "USERNAME_INVALID", f'Username cannot be "{low}"')
    return None


def _check_embeds(form: _Form, embeds: Any) -> None:
    total = 0
    for number, embed in enumerate(form.items(("embeds",), embeds, EMBEDS)):
        path = ("embeds", str(number))
        if isinstance(embed, dict):
            total += _check_embed(form, path, embed)
        else:
            form.refuse(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if total > EMBED_SUM:
        form.refuse(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _check_embed(form: _Form, path: Path, embed: dict[str, Any]) -> int:
    """Check one embed; the characters that count towards the 6000 of a message."""
    total = form.text((*path, "title"), embed.get("title"), 256)
    total += form.text((*path, "description"), embed.get("description"), 4096)
    form.url((*path, "url"), embed.get("url"), _WEB)
    form.number((*path, "color"), embed.get("color"), 0xFFFFFF)
    _check_timestamp(form, (*path, "timestamp"), embed.get("timestamp"))
    for name, key, most in (("author", "name", 256), ("footer", "text", 2048)):
        if embed.get(name) is not None:
            part = form.table((*path, name), embed[name])
            total += form.text((*path, name, key), part.get(key), most, required=True)
            form.url((*path, name, "url"), part.get("url"), _WEB)
            form.url((*path, name, "icon_url"), part.get("icon_url"), _PICTURE)
    for name in ("image", "thumbnail"):
        if embed.get(name) is not None:
            form.url((*path, name, "url"), form.table((*path, name), embed[name]).get("url"), _PICTURE)
    for number, one in enumerate(form.items((*path, "fields"), embed.get("fields"), 25)):
        at = (*path, "fields", str(number))
        total += form.text((*at, "name"), form.table(at, one).get("name"), 256, required=True)
        total += form.text((*at, "value"), form.table(at, one).get("value"), 1024, required=True)
    if not any(embed.get(name) for name in VISIBLE):
        form.refuse((*path, "description"), "BASE_TYPE_REQUIRED", "This field is required")
    return total


VISIBLE = ("title", "description", "author", "footer", "image", "thumbnail", "fields")


def _check_timestamp(form: _Form, path: Path, value: Any) -> None:
    if value is None:
        return
    try:
        datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        form.refuse(path, "DATE_TIME_TYPE_PARSE", f"Could not parse {value}. Should be ISO8601.")


def _check_mentions(form: _Form, mentions: Any) -> None:
    table = form.table(("allowed_mentions",), mentions)
    parse = form.items(("allowed_mentions", "parse"), table.get("parse"), 3)
    for number, kind in enumerate(parse):
        if kind not in ("roles", "users", "everyone"):
            path = ("allowed_mentions", "parse", str(number))
            form.refuse(path, "BASE_TYPE_CHOICES", "Value must be one of ('users', 'everyone', 'roles').")
    for kind in ("users", "roles"):
        if form.items(("allowed_mentions", kind), table.get(kind), 100) and kind in parse:
            message = f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."
            form.refuse(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def _check_attachments(form: _Form, attachments: Any, files: int, *, sends: bool) -> None:
    for number, one in enumerate(form.items(("attachments",), attachments, FILES)):
        path = ("attachments", str(number))
        table = form.table(path, one)
        name = str(table.get("id", ""))
        if not name.isdigit():
            form.refuse((*path, "id"), "NUMBER_TYPE_COERCE", f'Value "{name}" is not snowflake.')
        elif sends and int(name) >= files:
            form.refuse((*path, "id"), "UPLOADED_FILE_NOT_FOUND", "No uploaded file has this id.")
        for key in ("filename", "description", "title"):
            form.text((*path, key), table.get(key), 1024)


def _check_flags(form: _Form, payload: dict[str, Any]) -> None:
    flags = payload.get("flags")
    form.number(("flags",), flags, 1 << 30)
    if not isinstance(flags, int):
        return
    if flags & ~FLAGS:
        form.refuse(("flags",), "BASE_TYPE_CHOICES", f"Only these flags can be set: {FLAGS}.")
    if flags & FLAG_COMPONENTS:
        form.items(("components",), payload.get("components"), 40)
        for name in ("content", "embeds", "poll"):
            if payload.get(name):
                code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
                form.refuse((name,), code, f"The '{name}' field cannot be used with components V2.")


def _check_buttons(form: _Form, payload: dict[str, Any]) -> None:
    """Action rows of link buttons, all that a webhook of no application may send without flag 32768."""
    if isinstance(payload.get("flags"), int) and payload["flags"] & FLAG_COMPONENTS:
        return
    for number, row in enumerate(form.items(("components",), payload.get("components"), 5)):
        path: Path = ("components", str(number))
        buttons = form.items((*path, "components"), form.table(path, row).get("components"), 5)
        if row.get("type") != 1 or not buttons:
            form.refuse((*path, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
        for place, button in enumerate(buttons):
            _check_button(form, (*path, "components", str(place)), form.table(path, button))


def _check_button(form: _Form, path: Path, button: dict[str, Any]) -> None:
    if (button.get("type"), button.get("style")) != (2, 5):
        form.refuse((*path, "style"), "BASE_TYPE_CHOICES", "A webhook may send link buttons alone.")
    form.text((*path, "label"), button.get("label"), 80, required=True)
    form.text((*path, "url"), button.get("url"), 512, required=True)
    form.url((*path, "url"), button.get("url"), _WEB)


def weight(payload: dict[str, Any]) -> int:
    """Bytes of UTF-8 in what a reader of the message sees."""
    return sum(len(words.strip().encode("utf-8", "surrogatepass")) for words in _texts(payload))


def _texts(payload: dict[str, Any]) -> Iterable[str]:
    yield str(payload.get("content") or "")
    for embed in payload.get("embeds") or []:
        yield from (str(embed.get(name) or "") for name in ("title", "description"))
        yield str((embed.get("author") or {}).get("name") or "")
        yield str((embed.get("footer") or {}).get("text") or "")
        for one in embed.get("fields") or []:
            yield from (str(one["name"]), str(one["value"]))


def _has_surrogates(payload: dict[str, Any]) -> bool:
    return any("\ud800" <= char <= "\udfff" for words in _texts(payload) for char in words)
