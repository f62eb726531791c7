"""Which posts were deleted in Telegram, and which are back: what pages say about posts that they lack.

A page may be an old copy: t.me's servers lag behind each other by minutes, for several polls in a row and on
all addresses. Therefore:

A post missing *in the middle* of the page is deleted once two polls in a row miss it. However old a copy is,
a page with a later post was made when the earlier one was gone.

A post missing *at the end*, with nothing newer on the page, looks exactly as on an old copy. It is deleted
once it is missing for longer than copies are old (`oldest_copy`), or once a newer post makes it one in the
middle.

In both cases a page of another address, so that no cache answers twice, must show the same posts around it.

A post that was taken for deleted and is on the page at two polls in a row was not deleted, unless an old copy
may still show it. After that it is not taken for deleted again: Telegram's pages do not agree on it.

Owns that comparison; the ledger keeps since when a post is missing. Changes nothing in Discord.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.post import ChannelPage
from disgram.report import Notice, Reporter
from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.storage.missing_posts import BACK, MISSING, REMOVED, MissingPost
from disgram.telegram.empty_page import Read

OLDEST_COPY = 3600.0
"""Seconds that a page may be old. Lags of minutes were seen (2026-11)."""

POLLS_OF_A_COPY = 12
"""An hour at the default COOLDOWN. Who polls more often wants to see deletions sooner, and one believed too
early is put right when the post is back."""

ALBUM_IDS = 10
"""Ids of an album's items, whose first one names it in the ledger."""


def oldest_copy(cooldown: float) -> float:
    """How long a post must be missing at the end of the newest page, in seconds."""
    return min(OLDEST_COPY, POLLS_OF_A_COPY * cooldown)


class Changes(NamedTuple):
    """Posts that certainly were deleted, and posts that were not after all; rows of the ledger."""

    deleted: list[PostRow]
    back: list[PostRow]


class DeletedPosts:
    """For one worker. `clock`: seconds since 1970; `post_url` gives a post's link for log lines;
    `oldest`: how many seconds a page may be old."""

    def __init__(
        self,
        ledger: ChannelLedger,
        post_url: Callable[[int], str],
        *,
        report: Reporter,
        clock: Callable[[], float],
        oldest: float = OLDEST_COPY,
    ) -> None:
        self._oldest = oldest
        self._missing = ledger.source.missing
        self._post_url = post_url
        self._clock = clock
        self._missing_before: set[int] = set()
        self._back_before: set[int] = set()
        self._at_end = Notice(report)
        self._in_doubt = Notice(report)

    def compare(self, rows: list[PostRow], page: ChannelPage, read: Read) -> Changes:
        """Compare the newest page with the ledger's rows of it, which ascend. Call once a poll."""
        known = self._missing.from_id(page.slices[0].id - ALBUM_IDS)
        present = {post_id for post_slice in page.slices for post_id in post_slice.ids}
        shown = {row.post_id for row in rows if not present.isdisjoint(range(row.post_id, row.last_id + 1))}
        missing = [row for row in rows if row.state == "sent" and row.post_id not in shown]
        missing = [row for row in missing if _state(known, row) != BACK]
        known |= self._write_down(missing, known)
        back = [row for row in rows if row.post_id in shown and _state(known, row) == REMOVED]
        changes = Changes(self._deleted(missing, known, page, read), self._back(back, known))
        self._missing_before = {row.post_id for row in missing}
        self._back_before = {row.post_id for row in back}
        return changes

    def _write_down(self, missing: list[PostRow], known: dict[int, MissingPost]) -> dict[int, MissingPost]:
        """Those that were not missing at the poll before; and forget those that are there again."""
        ids = {row.post_id for row in missing}
        for post_id in [one for one, what in known.items() if what.state == MISSING and one not in ids]:
            self._missing.forget(post_id)
        now = self._clock()
        new = {post_id: MissingPost(now, MISSING) for post_id in sorted(ids - set(known))}
        for post_id in new:
            self._missing.begin(post_id, now)
        return new

    def _deleted(
        self, missing: list[PostRow], known: dict[int, MissingPost], page: ChannelPage, read: Read
    ) -> list[PostRow]:
        twice = [row for row in missing if row.post_id in self._missing_before]
        end = page.slices[-1].last_id
        self._report_end([row for row in twice if row.last_id > end])
        due = [row for row in twice if row.last_id < end or self._is_older_than_copies(known, row)]
        if not due:
            self._in_doubt.ends("Telegram's pages agree again on which posts there are")
            return []
        return self._confirmed(due, page, read)

    def _back(self, back: list[PostRow], known: dict[int, MissingPost]) -> list[PostRow]:
        twice = [row for row in back if row.post_id in self._back_before]
        return [row for row in twice if self._is_older_than_copies(known, row)]

    def _is_older_than_copies(self, known: dict[int, MissingPost], row: PostRow) -> bool:
        return self._clock() - known[row.post_id].since >= self._oldest

    def _report_end(self, rows: list[PostRow]) -> None:
        if rows:
            self._at_end.begins(
                f"{self._post_url(rows[0].post_id)} is missing at the end of the newest page: it was "
                f"deleted, or the page is old. It counts as deleted after {self._oldest:.0f} s, or "
                "once there is a newer post"
            )
        else:
            self._at_end.ends("No post is missing at the end of the newest page any more")

    def _confirmed(self, due: list[PostRow], page: ChannelPage, read: Read) -> list[PostRow]:
        """Those of `due` around which another page shows the same posts as the newest one."""
        url, before = self._post_url(due[-1].post_id), due[-1].last_id + 1
        try:
            other = read(before)
        except (TelegramUnavailable, PageNotUnderstood) as error:
            self._in_doubt.begins(f"{url} may be deleted, but Telegram cannot be asked now ({error})")
            return []
        if not other.slices or _ids(page, other, before) != _ids(other, page, before):
            self._in_doubt.begins(
                f"{url} may be deleted: the newest page and another one do not show the same posts. One of "
                "them is old; they are compared again at every poll"
            )
            return []
        self._in_doubt.ends("Telegram's pages agree again on which posts there are")
        return [row for row in due if row.post_id > other.slices[0].id]


def _state(known: dict[int, MissingPost], row: PostRow) -> str | None:
    return known[row.post_id].state if row.post_id in known else None


def _ids(page: ChannelPage, other: ChannelPage, before: int) -> set[int]:
    """The ids of a page's posts below `before`, down to where the other page begins."""
    return {post.id for post in page.slices if other.slices[0].id <= post.id < before}
