"""Edits and deletions in Telegram, followed in Discord. The newest page, which is read anyway, shows them.

A post whose fingerprint differs from the ledger's was edited: it is rendered again and compared message by
message (message_sync.py). Which posts were deleted is told by disgram/telegram/missing_posts.py; what becomes
of their messages is in deletions.py.

Owns the comparison of the page with the ledger. Never delivers new posts and never holds them up: what fails
here is tried again at the next poll.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from disgram.delivery.deletions import Deletions
from disgram.delivery.downloads import Downloads
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.rule_verdicts import RuleVerdicts
from disgram.delivery.shape import Shape, media_identities
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, has_buttons, without_old_buttons
from disgram.errors import (
    DiscordUnavailable,
    EditWaits,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
)
from disgram.post import ChannelPage, MediaFile, PostSlice, TelegramPost
from disgram.report import Level, Notice, Reporter
from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.telegram.empty_page import Read
from disgram.telegram.missing_posts import OLDEST_COPY, DeletedPosts

Parse = Callable[[PostSlice], TelegramPost]


class Follower:
    """Follows edits and deletions for one worker. `edits` is FOLLOW_EDITS, `policy` FOLLOW_DELETIONS (keep,
    mark or delete); `oldest_copy`: how many seconds a page may be old; `clock`: seconds since 1970."""

    def __init__(
        self,
        delivery: PostDelivery,
        ledger: ChannelLedger,
        *,
        edits: bool,
        policy: str,
        report: Reporter,
        oldest_copy: float = OLDEST_COPY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._delivery = delivery
        self._ledger = ledger
        self._edits = edits
        self._policy = policy
        self._report = report
        self._deleted_posts = DeletedPosts(
            ledger, delivery.sender.post_url, report=report, clock=clock, oldest=oldest_copy
        )
        self._deletions = Deletions(delivery.sender, ledger, policy, report)
        self._verdicts = RuleVerdicts(delivery.rules, ledger, delivery.sender.post_url, report=report)
        self._waiting = Notice(report)

    def compare(self, page: ChannelPage, parse: Parse, read: Read) -> None:
        """Compare the newest page with the ledger; `read` reads others. Raises WebhookGone and Stopping, and
        DestinationRefuses and DiscordUnavailable of a post that is sent again."""
        if not page.slices or self._delivery.sender.edits_wait:
            return
        found = self._ledger.posts_from(page.slices[0].id)
        rows = [row for row in found if not self._delivery.sender.edits_of_post_wait(row.post_id)]
        try:
            if self._edits:
                self._follow_edits([row for row in rows if row.state == "sent"], page, parse)
            if self._policy != "keep":
                self._follow_deletions(rows, page, parse, read)
        except EditWaits as error:
            self._waiting.begins(f"Edits and deletions wait; new posts go on ({error})")
        else:
            self._waiting.ends("Edits and deletions go on")

    # edits -----------------------------------------------------------------------------------

    def _follow_edits(self, rows: list[PostRow], page: ChannelPage, parse: Parse) -> None:
        # By each id of an album: one that lost its first item has the id of its second on the page.
        by_id = {post_id: row for row in rows for post_id in range(row.post_id, row.last_id + 1)}
        for post_slice in page.slices:
            row = by_id.get(post_slice.id)
            if row and row.fingerprint != post_slice.fingerprint and not post_slice.protected:
                self._change(row, partial(self._edit, parse(post_slice), post_slice.fingerprint, row))

    def _change(self, row: PostRow, change: Callable[[], object]) -> None:
        """Make a change; in an archived thread other than that of new posts it waits without the others,
        as each post of a forum has a thread of its own. Raises EditWaits if all changes wait."""
        sender = self._delivery.sender
        try:
            change()
        except EditWaits as error:
            if sender.edits_wait or not sender.edits_of_post_wait(row.post_id):
                raise
            self._report(Level.INFO, f"{sender.post_url(row.post_id)}: its change waits ({error})")

    def _edit(self, post: TelegramPost, fingerprint: str, row: PostRow) -> bool:
        """Whether the edit is done with; False: the next poll tries again. Raises EditWaits."""
        seen = row._replace(state="sent", fingerprint=fingerprint, last_id=max(row.last_id, post.last_id))
        if not all(map(self._delivery.sender.owns, self._ledger.messages(row.post_id))):
            self._report(Level.INFO, f"{post.url}: edited in Telegram; it was sent through another webhook")
            self._ledger.finish(seen)
            return True
        edited = False
        try:
            if self._verdicts.withdraw(post, row, fingerprint, self._deletions.withdraw):
                return True
            shape, edited = self._apply(post, row)
            seen = seen._replace(shape=shape)
        except EditWaits:
            raise
        except DiscordUnavailable as error:
            if not self._delivery.sender.gives_up_change(row.post_id, error):
                text = f"{post.url}: Discord did not take the edit ({error}); next try at the next poll"
                self._report(Level.ERROR, text)
                return False
        except MessageGone as error:
            text = f"{post.url}: edited in Telegram, but its message in Discord is gone ({error}); "
            self._report(Level.STATUS, f"{text}it is not followed any more")
            self._ledger.deleted(row.post_id)
            return True
        except (MessageRejected, PayloadTooLarge) as error:
            text = f"{post.url}: Discord refused the edit ({error}); it keeps the text it had"
            self._report(Level.ERROR, text)
        self._delivery.sender.poison_edits.ended(row.post_id)
        self._ledger.finish(seen, edited=edited)
        return True

    def _apply(self, post: TelegramPost, row: PostRow) -> tuple[str, bool]:
        """Change the messages that differ; returns the post's new shape, encoded, and whether any had to be
        changed. Raises DiscordError."""
        shape = Shape.decode(row.shape)
        same_files = shape.media == media_identities(post)
        with self._downloads(post, shape, same_files) as downloads:
            fetched = shape.fetched if same_files else downloads.fetched
            forms = self._forms(post, fetched, shape)
            message_sync = self._delivery.message_sync(post, row.post_id, downloads)
            changed, refused = message_sync.apply_any(forms, same_files=same_files)
        if refused:
            self._report(Level.STATUS, f"{post.url}: Discord does not take its buttons; they become text")
        if changed:
            text = f"{post.url}: followed an edit ({changed} message(s) changed)"
            self._report(Level.INFO, text, counts={"posts edited": 1})
        new = replace(
            shape,
            media=media_identities(post),
            fetched=dict(fetched),
            link_buttons=shape.link_buttons and not refused,
            has_buttons=shape.has_buttons or has_buttons(forms[0]),
        )
        return new.encode(), bool(changed)

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

    def _downloads(self, post: TelegramPost, shape: Shape, same_files: bool) -> Downloads:
        """The post's files, if they have to be uploaded again."""
        if same_files or shape.fallback is not Fallback.FILES:
            return Downloads()
        return self._delivery.download(post)

    # deletions -------------------------------------------------------------------------------

    def _follow_deletions(self, rows: list[PostRow], page: ChannelPage, parse: Parse, read: Read) -> None:
        changes = self._deleted_posts.compare(rows, page, read)
        for row in changes.deleted:
            self._change(row, partial(self._deletions.follow, row.post_id))
        shown = {post_id: post_slice for post_slice in page.slices for post_id in post_slice.ids}
        for row in changes.back:
            post_slice = shown[next(one for one in range(row.post_id, row.last_id + 1) if one in shown)]
            self._change(row, partial(self._take_back, post_slice, row, parse))

    def _take_back(self, post_slice: PostSlice, row: PostRow, parse: Parse) -> None:
        """The post was not deleted. Its mark is taken off by an edit. A message that was deleted is sent
        again, late if others came after it, as the posts of a gap are: a lost post is worse than a late one.
        It happens once for a post, so that pages which never agree send no second copy."""
        if self._ledger.messages(row.post_id):
            back = self._edit(parse(post_slice), post_slice.fingerprint, row)
        else:
            self._delivery.deliver(parse(post_slice), post_slice.fingerprint)
            back = True
        if back:
            self._deletions.was_wrong(row.post_id)
