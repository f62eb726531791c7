"""What the service asks of the posts of all channels at once, a few times a minute at most.

Owns these two queries; both read a few rows a channel, however many posts it ever had.
"""

from __future__ import annotations

from typing import NamedTuple

from disgram.storage.channel_ledger import IS_FAILED
from disgram.storage.engine import Dialect, Engine, as_text

Channel = tuple[str, str]
"""Job and channel, the latter in lower case."""


class Failed(NamedTuple):
    """How many posts, and when the first was refused, in seconds since 1970; 0.0 if that is not known."""

    number: int
    since: float


def failed(database: Engine) -> dict[Channel, Failed]:
    """Posts that Discord refused in every form, but for those that are to be sent again."""
    dialect = database.dialect
    moment = f"CASE WHEN {dialect.is_moment.format('at', '1e11')} THEN at ELSE 0.0 END"
    query = (
        f"SELECT {_names(dialect)}, COUNT(*), MIN({moment}) FROM post {dialect.failed_index} "
        f"WHERE {IS_FAILED} AND state = 'failed' GROUP BY job, channel"
    )
    with database.reading() as run:
        return {_channel(job, name): Failed(number, since) for job, name, number, since in run.execute(query)}


def last_confirmed(database: Engine) -> dict[Channel, float]:
    """When the newest post of each channel was confirmed by Discord, in seconds since 1970."""
    query = (
        f"SELECT {_names(database.dialect)}, moment FROM (SELECT job, channel, (SELECT at FROM post "
        "WHERE post.job = progress.job AND post.channel = progress.channel AND state = 'sent' "
        "ORDER BY post_id DESC LIMIT 1) AS moment FROM progress) AS newest "
        f"WHERE {database.dialect.is_moment.format('moment', '1e11')}"
    )
    with database.reading() as run:
        return {_channel(job, name): float(at) for job, name, at in run.execute(query)}


def _names(dialect: Dialect) -> str:
    return f"{dialect.as_read.format('job')}, {dialect.as_read.format('channel')}"


def _channel(job: bytes | str, name: bytes | str) -> Channel:
    return as_text(job), as_text(name)
