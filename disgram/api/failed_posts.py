"""A failed post as the API shows it: from the ledger's row to the answer.

Never reads the ledger. Whatever stands in a row, an answer can be made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from disgram.addresses import ChannelRef
from disgram.api.schemas import FailedPost, iso_time


def shown(row: Mapping[str, Any]) -> FailedPost:
    """`row`: as FailedPosts.all of the ledger gives it."""
    return FailedPost(
        job=row["job"],
        channel=row["channel"],
        post_id=row["post_id"],
        url=ChannelRef(row["channel"], row["post_id"]).address,
        reason=row["reason"],
        at=iso_time(row["at"]),
        payload=_json(row["payload"]),
    )


def _json(text: str | None) -> Any:
    """The value; the text itself if it is no JSON, or none that can be sent."""
    try:
        value = json.loads(text or "null", parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeEncodeError, of a lone surrogate, is a ValueError
        return text
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
