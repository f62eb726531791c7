"""Edits and deletions in Telegram, followed in Discord. The page at hand tells; only what is missing at its
end takes a request more.

A post whose fingerprint on the page differs from the ledger's is rendered again and compared message
by message: what differs is PATCHed in place, files are kept unless they changed, messages that the
post no longer needs are deleted, further ones are posted.

A post missing from the page twice in a row, in a stretch the page covers, is deleted. That stretch ends with
the page's newest post. What is missing behind it may be deleted, or the page is an old one, of a time before
it was published. A cache keeps a page under its address, so the second look behind the end is at a page of
another address: it must end with the same post.

Owns that comparison. Never delivers new posts, never gives up a new post for an edit: what fails
here waits for the next poll.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from disgram.delivery.downloads import Downloads
from disgram.delivery.post_delivery import PostDelivery, Shape, identities
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, edited, marked_deleted
from disgram.errors import (
    DiscordUnavailable,
    MessageGone,
    MessageRejected,
    PageNotUnderstood,
    PayloadTooLarge,
    TelegramUnavailable,
)
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.report import Level, Reporter
from disgram.storage.ledger import ChannelLedger, MessageRow, PostRow

Parse = Callable[[PostSlice], TelegramPost]
Read = Callable[[int], ChannelPage]
"""`read(before)`: the page of posts with numbers below `before`."""


class Follower:
    """Compares pages with what was sent, for one worker. `policy`: keep, mark or delete."""

    def __init__(
        self,
        delivery: PostDelivery,
        ledger: ChannelLedger,
        *,
        edits: bool,
        policy: str,
        report: Reporter,
    ) -> None:
        self._delivery = delivery
        self._ledger = ledger
        self._edits = edits
        self._policy = policy
        self._report = report
        self._missed: set[int] = set()

    def compare(self, page: ChannelPage, parse: Parse, read: Read) -> None:
        """One look at the newest page. Raises WebhookGone and Stopping."""
        if not page.slices:
            return
        rows = [row for row in self._ledger.posts_from(page.slices[0].id) if row.state == "sent"]
        if self._edits:
            # An album whose first item was deleted goes by the number of its second one.
            known = {number: row for row in rows for number in range(row.post_id, row.last_id + 1)}
            for piece in page.slices:
                row = known.get(piece.id)
                if row and row.fingerprint != piece.fingerprint:
                    self._edit(parse(piece), piece, row)
        if self._policy != "keep":
            self._follow_deletions(rows, page, read)

    # edits -----------------------------------------------------------------------------------

    def _edit(self, post: TelegramPost, piece: PostSlice, row: PostRow) -> None:
        shape = Shape.decode(row.shape)
        same_files = shape.media == identities(post)
        try:
            with self._downloads(post, shape, same_files) as downloads:
                fetched = shape.fetched if same_files else downloads.fetched
                messages = self._delivery.rendered(post, fetched, shape.fallback)
                message_sync = self._delivery.message_sync(post, row.post_id, downloads)
                changed = message_sync.make(messages, same_files=same_files)
        except DiscordUnavailable as error:
            self._report(Level.ERROR, f"{post.url}: the edit waits for the next poll ({error})")
            return
        except MessageGone as error:
            self._report(Level.STATUS, f"{post.url}: edited, but its message cannot be ({error})")
            self._ledger.deleted(row.post_id)
            return
        except (MessageRejected, PayloadTooLarge) as error:
            self._report(Level.ERROR, f"{post.url}: Discord refuses the edit ({error})")
            changed = 0
        fresh = Shape(shape.fallback, identities(post), fetched)
        last_id = max(row.last_id, post.last_id)
        self._ledger.finish(PostRow(row.post_id, last_id, "sent", piece.fingerprint, fresh.encode()))
        if changed:
            self._report(Level.INFO, f"{post.url}: followed an edit ({changed} message(s) changed)")

    def _downloads(self, post: TelegramPost, shape: Shape, same_files: bool) -> Downloads:
        if same_files or shape.fallback is not Fallback.FILES:
            return Downloads()
        return self._delivery.download(post)

    # deletions -------------------------------------------------------------------------------

    def _follow_deletions(self, rows: list[PostRow], page: ChannelPage, read: Read) -> None:
        """A post is missed when none of its numbers is on the page. `rows` ascend."""
        present = {number for piece in page.slices for number in piece.ids}
        missed = [row for row in rows if present.isdisjoint(range(row.post_id, row.last_id + 1))]
        again = [row for row in missed if row.post_id in self._missed]
        gone = self._inside_or_confirmed(again, page.slices[-1].last_id, read)
        done = {row.post_id for row in gone if self._removed(row.post_id)}
        self._missed = {row.post_id for row in missed} - done

    def _inside_or_confirmed(self, missed: list[PostRow], end: int, read: Read) -> list[PostRow]:
        """Without those behind the page's end, unless another page agrees that nothing is there."""
        inside = [row for row in missed if row.last_id < end]
        behind = missed[len(inside) :]
        return missed if behind and self._ends_with(end, read, behind[-1].last_id + 1) else inside

    def _ends_with(self, end: int, read: Read, before: int) -> bool:
        try:
            page = read(before)
        except (TelegramUnavailable, PageNotUnderstood) as error:
            self._report(
                Level.INFO, f"Whether post {before - 1} was deleted cannot be told just now: {error}"
            )
            return False
        if page.slices and page.slices[-1].last_id == end:
            return True
        self._report(
            Level.INFO, f"The newest page ends with post {end}, another does not: one of them is old"
        )
        return False

    def _removed(self, number: int) -> bool:
        """Whether that is done with; else the next poll tries again."""
        try:
            self._remove(number)
        except DiscordUnavailable as error:
            self._report(Level.ERROR, f"Post {number}: the deletion waits for the next poll ({error})")
            return False
        except (MessageRejected, PayloadTooLarge) as error:
            self._report(Level.ERROR, f"Post {number}: Discord refuses to follow its deletion ({error})")
            self._ledger.deleted(number)
        return True

    def _remove(self, number: int) -> None:
        sender, parts = self._delivery.sender, self._ledger.messages(number)
        if self._policy == "delete":
            for part in parts:
                sender.delete(number, part)
        else:
            marked = [self._strike(number, part) for part in parts if part.payload]
            if not any(marked):
                self._report(Level.STATUS, f"Post {number} was deleted in Telegram; nothing is left to mark")
                return self._ledger.deleted(number)
        self._ledger.deleted(number)
        self._report(Level.INFO, f"Post {number} was deleted in Telegram: followed ({self._policy})")
        return None

    def _strike(self, number: int, part: MessageRow) -> bool:
        """False: the message is gone from Discord, too."""
        message = DiscordMessage(marked_deleted(json.loads(part.payload or "{}")))
        try:
            self._delivery.sender.edit(number, part, message, DiscordMessage(edited(message)), {})
        except MessageGone:
            return False
        return True
