"""What the service asks of the posts of all channels at once, a few times a minute at most.

Owns these two queries; both read a few rows a channel, however many posts it ever had.
"""

from __future__ import annotations

from typing import NamedTuple

from disgram.storage.channel_ledger import FAILED_INDEX, IS_FAILED
from disgram.storage.sqlite import Database

Channel = tuple[str, str]
"""Job and channel, the latter in lower case."""


class Failed(NamedTuple):
    """How many posts, and when the first was refused, in seconds since 1970; 0.0 if that is not known."""

    number: int
    since: float


_MOMENT = "CASE WHEN typeof(at) = 'real' AND abs(at) < 1e11 THEN at ELSE 0.0 END"


def failed(database: Database) -> dict[Channel, Failed]:
    """Posts that Discord refused in every form, but for those that are to be sent again."""
    query = (
        f"SELECT CAST(job AS BLOB), CAST(channel AS BLOB), COUNT(*), MIN({_MOMENT}) FROM post {FAILED_INDEX} "
        f"WHERE {IS_FAILED} AND state = 'failed' GROUP BY job, channel"
    )
    with database.reading() as run:
        return {_channel(job, name): Failed(number, since) for job, name, number, since in run.execute(query)}


def last_confirmed(database: Database) -> dict[Channel, float]:
    """When the newest post of each channel was confirmed by Discord, in seconds since 1970."""
    query = (
        "SELECT CAST(job AS BLOB), CAST(channel AS BLOB), (SELECT at FROM post WHERE post.job = progress.job "
        "AND post.channel = progress.channel AND state = 'sent' ORDER BY post_id DESC LIMIT 1) AS moment "
        "FROM progress WHERE typeof(moment) = 'real' AND abs(moment) < 1e11"
    )
    with database.reading() as run:
        return {_channel(job, name): float(at) for job, name, at in run.execute(query)}


def _channel(job: bytes, name: bytes) -> Channel:
    return job.decode("utf-8", "replace"), name.decode("utf-8", "replace")
