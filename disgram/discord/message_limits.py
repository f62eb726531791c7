"""Discord's limits of a message, each with its source, and how a payload is measured.

A new limit of Discord's goes here. "Docs" are Discord's developer documentation as of 2026-08; `#N` are
threads of discord/discord-api-docs. Lengths are in code points (#1315); limits are inclusive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

CONTENT = 2000
"""Docs, Execute Webhook; the 4000 of subscribers do not apply to webhooks."""

DESCRIPTION = 4096
"""Docs, Embed Limits."""

TITLE = AUTHOR_NAME = 256
"""Docs, Embed Limits."""

MESSAGE_TEXT = 6000
"""Docs, Embed Limits: title, description, fields, footer and author of all embeds together, each trimmed."""

EMBEDS = 10
"""Docs, Execute Webhook."""

FILES = 10
"""Docs, error 30015."""

URL = 2048
"""OpenAPI schema of 2026-07."""

USERNAME = 80
"""Docs, Execute Webhook."""

BUTTON_ROWS = ROW_BUTTONS = 5
"""Docs, Component Reference: action rows of a message without flag 32768, and buttons of one."""

BUTTON_LABEL, BUTTON_URL = 80, 512
"""Docs, Component Reference, Button."""

PROCESSED_BYTES = 9_900
"""Undocumented: above about 10 kB of UTF-8 the answer is always a 500 (#7628, #8554: 10,170 with 12 for each
string; go-gitea/gitea#34084: 9,964 pass)."""

STRING_OVERHEAD = 12
"""What each string adds to the processed size (#8554)."""

REQUEST_FILES = 24 * 1024 * 1024
"""Bytes. Docs say 25 MiB for the whole request; the rest is for the payload and the multipart boundaries."""


def embed_text(embed: Mapping[str, Any]) -> int:
    """How many code points an embed adds to MESSAGE_TEXT."""
    nested = (embed.get("author", {}).get("name", ""), embed.get("footer", {}).get("text", ""))
    return sum(len(text.strip()) for text in (embed.get("title", ""), embed.get("description", ""), *nested))


def processed_bytes(value: object) -> int:
    """What `content` and `embeds` (or a part of them) add to PROCESSED_BYTES; URLs count, too."""
    return sum(len(text.encode()) + STRING_OVERHEAD for text in _strings(value))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)


_ENCODED = str.maketrans({char: f"%{ord(char):02X}" for char in '|{}^\\`"<>'})
"""What Discord calls "Not a well formed URL" unless it is percent-encoded (#7127)."""


def acceptable_url(url: str | None) -> str | None:
    """The URL as it may be used in an embed, else None: http or https, not too long, a host with a dot and
    without empty labels.

    Discord does not document what it calls well formed; a card with a doubtful URL is sent as lines of text.
    """
    if not url or any(char.isspace() or not char.isprintable() for char in url):
        return None
    try:
        parts = urlsplit(url)
        labels = (parts.hostname or "").split(".")
        valid = parts.scheme in {"http", "https"} and len(labels) > 1 and parts.port != 0
    except ValueError:
        return None
    encoded = url.translate(_ENCODED)
    doubtful = not all(labels) or parts.netloc != parts.netloc.translate(_ENCODED) or len(encoded) > URL
    return encoded if valid and not doubtful else None
