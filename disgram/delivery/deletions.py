"""What becomes of the messages of posts that were deleted in Telegram: they are marked, or deleted, too.

Owns FOLLOW_DELETIONS in Discord. Does not decide which posts were deleted (telegram/missing_posts.py).
"""

from __future__ import annotations

import json

from disgram.delivery.sender import Sender
from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordUnavailable, EditWaits, MessageGone, MessageRejected, PayloadTooLarge
from disgram.report import Level, Reporter
from disgram.storage.channel_ledger import ChannelLedger, MessageRow
from disgram.storage.missing_posts import BACK, REMOVED

_ONE_DELETED = {"posts deleted": 1}


class Deletions:
    """For one worker. `policy` is FOLLOW_DELETIONS: keep, mark or delete."""

    def __init__(self, sender: Sender, ledger: ChannelLedger, policy: str, report: Reporter) -> None:
        self._sender = sender
        self._ledger = ledger
        self._policy = policy
        self._report = report

    def follow(self, post_id: int) -> None:
        """Mark or delete the messages of a post that was deleted in Telegram. What fails is tried again when
        it is called again. Raises EditWaits and WebhookGone."""
        url = self._sender.post_url(post_id)
        try:
            if self._policy == "delete":
                self._delete(post_id, url)
            else:
                self._mark(post_id, url)
        except EditWaits:
            raise
        except DiscordUnavailable as error:
            if self._sender.gives_up_change(post_id, error):
                self._ledger.deleted(post_id)
                return
            self._report(
                Level.ERROR,
                f"{url}: deleted in Telegram, but Discord did not take the change ({error}); "
                "next try at the next poll",
            )
            return
        except (MessageRejected, PayloadTooLarge) as error:
            self._report(
                Level.ERROR, f"{url}: deleted in Telegram, but Discord refused the change ({error}); it stays"
            )
        else:
            self._ledger.source.missing.put_state(post_id, REMOVED)
        self._sender.poison_edits.ended(post_id)
        self._ledger.deleted(post_id)

    def withdraw(self, post_id: int) -> None:
        """Treat the messages of a post that a rule of the job leaves out since an edit as if it were deleted.
        Raises DiscordError; what is done by then need not be done again."""
        if self._policy == "delete":
            for row in self._ledger.messages(post_id):
                self._sender.delete(post_id, row)
        elif self._policy == "mark":
            for row in self._ledger.messages(post_id):
                if row.payload:
                    self._mark_message(post_id, row)

    def was_wrong(self, post_id: int) -> None:
        """The post is back, and its messages are: it is never taken for deleted again."""
        self._ledger.source.missing.put_state(post_id, BACK)

    def _delete(self, post_id: int, url: str) -> None:
        for row in self._ledger.messages(post_id):
            self._sender.delete(post_id, row)
        self._report(Level.INFO, f"{url}: deleted in Telegram, and now in Discord", counts=_ONE_DELETED)

    def _mark(self, post_id: int, url: str) -> None:
        rows = [row for row in self._ledger.messages(post_id) if row.payload]
        marked = [self._mark_message(post_id, row) for row in rows]
        if any(marked):
            text = f"{url}: deleted in Telegram, and now marked so in Discord"
            self._report(Level.INFO, text, counts=_ONE_DELETED)
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
            self._sender.edit(post_id, row, message)
        except MessageGone:
            return False
        return True
