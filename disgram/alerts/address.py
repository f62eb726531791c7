"""ALERT_WEBHOOK_URL: a Discord webhook, or any other address that takes `{"content": "…"}`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable

from disgram.addresses import DISCORD_HOSTS, Destination
from disgram.errors import BadWebhookURL
from disgram.origin import Origin

_THREAD = re.compile(r"\?thread_id=(?P<thread>[0-9]{1,19})")


def parse_alert_address(text: str, webhook_hosts: Iterable[str]) -> Destination | str:
    """A webhook of Discord or of WEBHOOK_HOSTS (with `?thread_id=`, if messages go into a thread), else the
    address itself. Raises ValueError, whose text says what to write and repeats no secret."""
    origin = Origin.of(text)
    if not origin or not text.isascii() or re.search(r"[\s\\]", text):
        raise ValueError("must be an http or https address.")
    address, mark, query = text.partition("?")
    thread = _THREAD.fullmatch(mark + query)
    try:
        thread_id = thread["thread"] if thread else None
        return Destination.parse(address if thread else text, thread_id, extra_hosts=webhook_hosts)
    except BadWebhookURL:
        if origin.host in DISCORD_HOSTS:
            raise ValueError(
                "must look like https://discord.com/api/webhooks/{id}/{token} for Discord, "
                "with ?thread_id= and a number after it for a thread."
            ) from None
        return text
