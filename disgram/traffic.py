"""What passes through one channel: the newest post in Telegram, what waits for Discord, what arrived when.

Owns the reading of a worker's facts about posts. Pure; times are wall-clock UTC, since people read them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

HOURS_KEPT = 24
_MOST_MARKS = 100


@dataclass(frozen=True, slots=True)
class Traffic:
    """`waiting`: posts seen at Telegram and not dealt with, a highest bound while older pages are unread.

    `waiting_since`: when the oldest of them was first seen. `last_forwarded_at`: by this service; None also
    if it was before the service's start. `per_hour`: (hours since 1970, posts confirmed in that hour), the
    newest last, HOURS_KEPT at most.
    """

    newest_post_id: int | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    last_forwarded_at: datetime | None = None
    per_hour: tuple[tuple[int, int], ...] = ()
    marks: tuple[tuple[int, datetime], ...] = ()
    """(post id, when a page showed it as the newest) of what is not dealt with, ascending."""
    lag: float | None = None
    """Seconds from the newest confirmed post's publication to its confirmation; None: not known."""
    lag_of: int = 0
    """The id of that post."""

    def updated(self, facts: dict[str, Any], at: datetime) -> Traffic:
        """After a report; values of an unexpected type are ignored."""
        new = self
        match facts:
            case {"last_post_id": int(progress)}:
                new = replace(new, marks=tuple(mark for mark in new.marks if mark[0] > progress))
        match facts:
            case {"newest_post_id": int(newest), "waiting": int(waiting)}:
                new = new._seen(newest, waiting, at)
            case {"waiting": int(waiting)}:
                new = replace(new, waiting=max(0, waiting))
        match facts:
            case {"forwarded": True}:
                new = replace(new, last_forwarded_at=at, per_hour=_counted(new.per_hour, at))
        match facts:
            case {"lag": int() | float() as lag, "last_post_id": int(post_id)} if post_id >= new.lag_of:
                new = replace(new, lag=float(lag), lag_of=post_id)
        since = new.marks[0][1] if new.waiting and new.marks else None
        return new if since == new.waiting_since else replace(new, waiting_since=since)

    def _seen(self, newest: int, waiting: int, at: datetime) -> Traffic:
        marks = self.marks if waiting > 0 else ()
        if waiting > 0 and (not marks or newest > marks[-1][0]):
            # Where there are too many, the newest post takes the time of the one before it.
            marks = (
                (*marks[:-1], (newest, marks[-1][1])) if len(marks) == _MOST_MARKS else (*marks, (newest, at))
            )
        return replace(self, newest_post_id=newest, waiting=max(0, waiting), marks=marks)


NO_TRAFFIC = Traffic()


def posts_in_last_hour(traffic: Traffic, now: datetime) -> int:
    """Of the hour that has begun and the one before, the latter by its share that is not over."""
    hour, past = divmod(now.timestamp(), 3600)
    counts = dict(traffic.per_hour)
    return counts.get(int(hour), 0) + round(counts.get(int(hour) - 1, 0) * (1 - past / 3600))


def _counted(per_hour: tuple[tuple[int, int], ...], at: datetime) -> tuple[tuple[int, int], ...]:
    hour = int(at.timestamp() // 3600)
    count = per_hour[-1][1] if per_hour and per_hour[-1][0] == hour else 0
    before = per_hour[:-1] if count else per_hour
    return (*before, (hour, count + 1))[-HOURS_KEPT:]
