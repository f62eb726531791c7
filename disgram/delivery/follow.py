"""Edits and deletions in Telegram, followed in Discord. The newest page, which is read anyway, shows them;
one more page is read only where posts are missing at its end.

A post whose fingerprint differs from the ledger's was edited: it is rendered again and compared message by
message (message_sync.py).

A post missing from the page at two polls in a row was deleted, if the page covers its place, which it does
up to its own newest post. A post missing behind that one may have been deleted, or the page is an old one
from a cache. Caches keep pages by their address, so a page of another address is read: if it ends with the
same post, the missing one was deleted.

Owns that comparison. Never delivers new posts and never holds them up: what fails here is tried again at the
next poll.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from disgram.delivery.downloads import Downloads
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.shape import Shape, media_identities
from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, has_buttons, without_old_buttons
from disgram.errors import (
    DiscordUnavailable,
    EditWaits,
    MessageGone,
    MessageRejected,
    PageNotUnderstood,
    PayloadTooLarge,
    TelegramUnavailable,
)
from disgram.post import ChannelPage, MediaFile, PostSlice, TelegramPost
from disgram.report import Level, Reporter
from disgram.storage.channel_ledger import ChannelLedger, MessageRow, PostRow

Parse = Callable[[PostSlice], TelegramPost]
Read = Callable[[int], ChannelPage]
"""`read(before)`: the page of the newest posts whose ids are below `before`."""


class Follower:
    """Follows edits and deletions for one worker. `edits` is FOLLOW_EDITS, `policy` FOLLOW_DELETIONS (keep,
    mark or delete)."""

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
        self._missing_before: set[int] = set()
        """Post ids that were missing at the poll before this one."""

    def compare(self, page: ChannelPage, parse: Parse, read: Read) -> None:
        """Compare the newest page with the ledger. Raises WebhookGone and Stopping."""
        if not page.slices or self._delivery.sender.edits_wait:
            return
        rows = [row for row in self._ledger.posts_from(page.slices[0].id) if row.state == "sent"]
        try:
            if self._edits:
                self._follow_edits(rows, page, parse)
            if self._policy != "keep":
                self._follow_deletions(rows, page, read)
        except EditWaits as error:
            self._report(Level.INFO, f"Edits and deletions wait; new posts go on ({error})")

    # edits -----------------------------------------------------------------------------------

    def _follow_edits(self, rows: list[PostRow], page: ChannelPage, parse: Parse) -> None:
        # By each id of an album: one that lost its first item has the id of its second on the page.
        by_id = {post_id: row for row in rows for post_id in range(row.post_id, row.last_id + 1)}
        for post_slice in page.slices:
            row = by_id.get(post_slice.id)
            if row and row.fingerprint != post_slice.fingerprint:
                self._edit(parse(post_slice), post_slice.fingerprint, row)

    def _edit(self, post: TelegramPost, fingerprint: str, row: PostRow) -> None:
        if not all(map(self._delivery.sender.owns, self._ledger.messages(row.post_id))):
            self._report(Level.INFO, f"{post.url}: edited in Telegram; it was sent through another webhook")
            self._ledger.finish(row._replace(fingerprint=fingerprint))
            return
        shape = Shape.decode(row.shape)
        same_files = shape.media == media_identities(post)
        try:
            with self._downloads(post, shape, same_files) as downloads:
                fetched = shape.fetched if same_files else downloads.fetched
                forms = self._forms(post, fetched, shape)
                message_sync = self._delivery.message_sync(post, row.post_id, downloads)
                changed, refused = message_sync.apply_any(forms, same_files=same_files)
        except EditWaits:
            raise
        except DiscordUnavailable as error:
            if not self._is_given_up(row.post_id, error):
                text = f"{post.url}: Discord did not take the edit ({error}); next try at the next poll"
                self._report(Level.ERROR, text)
                return
            changed, refused = 0, 0
        except MessageGone as error:
            self._report(
                Level.STATUS,
                f"{post.url}: edited in Telegram, but its message in Discord is gone ({error}); "
                "it is not followed any more",
            )
            self._ledger.deleted(row.post_id)
            return
        except (MessageRejected, PayloadTooLarge) as error:
            self._report(
                Level.ERROR, f"{post.url}: Discord refused the edit ({error}); it keeps the text it had"
            )
            changed, refused = 0, 0
        if refused:
            self._report(Level.STATUS, f"{post.url}: Discord does not take its buttons; they become text")
        new_shape = replace(
            shape,
            media=media_identities(post),
            fetched=dict(fetched),
            link_buttons=shape.link_buttons and not refused,
            has_buttons=shape.has_buttons or has_buttons(forms[0]),
        )
        last_id = max(row.last_id, post.last_id)
        self._delivery.sender.poison_edits.ended(row.post_id)
        edited = PostRow(row.post_id, last_id, "sent", fingerprint, new_shape.encode())
        self._ledger.finish(edited, edited=bool(changed))
        if changed:
            self._report(Level.INFO, f"{post.url}: followed an edit ({changed} message(s) changed)")

    def _forms(
        self, post: TelegramPost, fetched: Mapping[int, MediaFile], shape: Shape
    ) -> list[list[DiscordMessage]]:
        """The messages of an edited post. Where it has or had buttons, two more, in case Discord refuses
        them: with buttons as text, and so that the old ones are not even named."""
        first, text = (
            self._delivery.render(post, fetched, shape.fallback, link_buttons=linked)
            for linked in (shape.link_buttons, False)
        )
        if not (shape.has_buttons or has_buttons(first)):
            return [first]
        return [without_old_buttons(first), without_old_buttons(text), text]

    def _is_given_up(self, post_id: int, error: DiscordUnavailable) -> bool:
        """Whether an edit or a deletion got nothing but 500s for so long that it is not tried again."""
        sender = self._delivery.sender
        if not sender.poison_edits.is_poison(post_id, error):
            return False
        sender.edit_given_up()
        self._report(
            Level.ERROR,
            f"{sender.post_url(post_id)}: Discord answers its change with nothing but errors ({error}); "
            "it is given up, and the message stays as it was",
            reason=sender.health_reason,
        )
        return True

    def _downloads(self, post: TelegramPost, shape: Shape, same_files: bool) -> Downloads:
        """The post's files, if they have to be uploaded again."""
        if same_files or shape.fallback is not Fallback.FILES:
            return Downloads()
        return self._delivery.download(post)

    # deletions -------------------------------------------------------------------------------

    def _follow_deletions(self, rows: list[PostRow], page: ChannelPage, read: Read) -> None:
        """A post is missing when none of its ids is on the page. `rows` ascend."""
        present = {post_id for post_slice in page.slices for post_id in post_slice.ids}
        missing = [row for row in rows if present.isdisjoint(range(row.post_id, row.last_id + 1))]
        twice = [row for row in missing if row.post_id in self._missing_before]
        deleted = self._certainly_deleted(twice, page.slices[-1].last_id, read)
        done = {row.post_id for row in deleted if self._follow_deletion(row.post_id)}
        self._missing_before = {row.post_id for row in missing} - done

    def _certainly_deleted(self, missing: list[PostRow], end: int, read: Read) -> list[PostRow]:
        """Those before the page's `end`, and those behind it if another page ends there as well."""
        inside = [row for row in missing if row.last_id < end]
        behind = missing[len(inside) :]
        return missing if behind and self._another_page_ends_with(end, behind[-1].last_id, read) else inside

    def _another_page_ends_with(self, end: int, last_id: int, read: Read) -> bool:
        """Whether the page of the posts up to `last_id` ends with post `end`."""
        url = self._delivery.sender.post_url(last_id)
        try:
            page = read(last_id + 1)
        except (TelegramUnavailable, PageNotUnderstood) as error:
            self._report(Level.INFO, f"{url} may be deleted, but Telegram cannot be asked now ({error})")
            return False
        if page.slices and page.slices[-1].last_id == end:
            return True
        self._report(
            Level.INFO,
            f"{url} may be deleted: the newest page ends with post {end}, another page does not. "
            "One of them is old; both are read again at the next poll",
        )
        return False

    def _follow_deletion(self, post_id: int) -> bool:
        """False: the next poll tries again."""
        url = self._delivery.sender.post_url(post_id)
        try:
            if self._policy == "delete":
                self._delete(post_id, url)
            else:
                self._mark(post_id, url)
        except EditWaits:
            raise
        except DiscordUnavailable as error:
            if self._is_given_up(post_id, error):
                self._ledger.deleted(post_id)
                return True
            self._report(
                Level.ERROR,
                f"{url}: deleted in Telegram, but Discord did not take the change ({error}); "
                "next try at the next poll",
            )
            return False
        except (MessageRejected, PayloadTooLarge) as error:
            self._report(
                Level.ERROR, f"{url}: deleted in Telegram, but Discord refused the change ({error}); it stays"
            )
        self._delivery.sender.poison_edits.ended(post_id)
        self._ledger.deleted(post_id)
        return True

    def _delete(self, post_id: int, url: str) -> None:
        for row in self._ledger.messages(post_id):
            self._delivery.sender.delete(post_id, row)
        self._report(Level.INFO, f"{url}: deleted in Telegram, and now in Discord")

    def _mark(self, post_id: int, url: str) -> None:
        rows = [row for row in self._ledger.messages(post_id) if row.payload]
        marked = [self._mark_message(post_id, row) for row in rows]
        if any(marked):
            self._report(Level.INFO, f"{url}: deleted in Telegram, and now marked so in Discord")
        else:
            self._report(
                Level.STATUS,
                f"{url}: deleted in Telegram; nothing is left to mark in Discord (its messages are gone, "
                "or were sent before FOLLOW_DELETIONS was set to mark)",
            )

    def _mark_message(self, post_id: int, row: MessageRow) -> bool:
        """False: the message is gone from Discord, too."""
        message = DiscordMessage(marked_deleted(json.loads(row.payload or "{}")))
        try:
            self._delivery.sender.edit(post_id, row, message)
        except MessageGone:
            return False
        return True
