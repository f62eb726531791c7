"""The types of a job's fields: each takes what a header, jobs.json or a JSON body holds.

All raise BadInput, which pydantic lets through as it is; no message repeats a webhook URL. Never knows which
field a job needs, or what it is for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from disgram.addresses import ChannelRef, Destination, without_query
from disgram.discord.color import parse_color
from disgram.errors import BadInput

_THREAD_ID = re.compile(r"[0-9]{1,20}")
_MAX_CHANNELS = 1000


def job_name(value: object) -> str:
    """1 to 100 printable characters of any script. Raises BadInput."""
    name = text_of("JOB_NAME", value)
    if not 1 <= len(name) <= 100 or any(map(_unprintable, name)) or not any(map(_visible, name)):
        raise BadInput("Invalid JOB_NAME", "A job name is 1 to 100 printable characters, on one line.")
    return name


def _webhook_url(value: object, info: ValidationInfo) -> str:
    """A webhook of Discord, or of a host in the context's `webhook_hosts`."""
    url = text_of("DISCORD_WEBHOOK_URL", value)
    Destination.parse(url, extra_hosts=(info.context or {}).get("webhook_hosts", ()))
    return url


def with_thread_of_webhook(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A `?thread_id=` in the webhook's URL becomes the thread, unless one is named beside it."""
    url = fields.get("webhookUrl") if isinstance(fields, Mapping) else None
    if not isinstance(url, str) or "?" not in url:
        return fields
    bare, thread_id = without_query(url.strip())
    thread = {"threadId": thread_id} if thread_id and fields.get("threadId") in (None, "") else {}
    return {**fields, "webhookUrl": bare, **thread}


def _channels(value: object) -> tuple[str, ...]:
    """A list, or text with commas -> `https://t.me/name[/123]`, each channel once (the first one counts)."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise BadInput("Invalid TELEGRAM_CHANNELS", "There must be a list of channel addresses.")
    found: dict[str, ChannelRef] = {}
    if not all(isinstance(item, str) for item in items):
        raise BadInput("Invalid TELEGRAM_CHANNELS", "Each channel of the list must be a string.")
    for item in filter(None, (item.strip() for item in items)):
        channel = ChannelRef.parse(item)
        found.setdefault(channel.key, channel)
    if not 1 <= len(found) <= _MAX_CHANNELS:
        raise BadInput(
            "Invalid TELEGRAM_CHANNELS",
            f"Name 1 to {_MAX_CHANNELS} channels, a comma between two: https://t.me/name, @name or name.",
        )
    return tuple(channel.address for channel in found.values())


def _thread_id(value: object) -> str | None:
    """Digits; None for nothing. Older files hold a number."""
    digits = text_of("DISCORD_THREAD_ID", value)
    if digits and not (_THREAD_ID.fullmatch(digits) and 0 < int(digits) < 2**63):  # a snowflake
        raise BadInput(
            "Invalid DISCORD_THREAD_ID", "A thread id is a number, as Discord's Copy Thread ID gives it."
        )
    return digits or None


def _embed_color(value: object) -> str | None:
    """Six lower-case hex digits; None for nothing. Older files hold a number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFF:
        return f"{value:06x}"
    text = text_of("EMBED_COLOR", value)
    color = parse_color(text)
    if text and color is None:
        raise BadInput(
            "Invalid EMBED_COLOR", "A colour is six hex digits such as 89a7d9 (# in front is accepted)."
        )
    return None if color is None else f"{color:06x}"


def text_of(name: str, value: object) -> str:
    """Without blanks around; "" for nothing. `name`: the header's. Raises BadInput."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"Invalid {name}", "There must be a string.")
    return str(value).strip()


def _unprintable(character: str) -> bool:
    """Controls, line ends and marks that reorder text; joiners and flag tags belong to scripts and emoji."""
    if character in "\u200c\u200d" or "\U000e0020" <= character <= "\U000e007f":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cn" or category[0] in "LNPS"  # Cn: newer than this Python's tables, such as an emoji


def _paused(value: object) -> bool | None:
    """None for anything but true, so that it is left out of jobs.json."""
    if value not in ("", None) and not isinstance(value, bool):
        raise BadInput("Invalid paused", "It is true or false.")
    return value is True or None


JobName = Annotated[str, BeforeValidator(job_name)]
WebhookUrl = Annotated[str, BeforeValidator(_webhook_url)]
ChannelList = Annotated[tuple[str, ...], BeforeValidator(_channels)]
ThreadId = Annotated[str | None, BeforeValidator(_thread_id)]
EmbedColor = Annotated[str | None, BeforeValidator(_embed_color)]
Paused = Annotated[bool | None, BeforeValidator(_paused)]
