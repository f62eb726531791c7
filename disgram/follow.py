"""Edits and deletions in Telegram, followed in Discord. Costs no request to Telegram: the page at hand tells.

A post whose fingerprint on the page differs from the ledger's is rendered again and compared message
by message: what differs is PATCHed in place, files are kept unless they changed, messages that the
post no longer needs are deleted, further ones are posted. A post missing from the page twice in a
row, in a stretch the page covers, is deleted.

Owns that comparison. Never delivers new posts, never gives up a new post for an edit: what fails
here waits for the next poll.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from disgram.delivery import Courier, Downloads, Shape, identities
from disgram.discord_message import Rung, edited, marked_deleted
from disgram.errors import DiscordUnavailable, MessageGone, MessageRejected, PayloadTooLarge
from disgram.ledger import ChannelLedger, PartRow, PostRow
from disgram.models import ChannelPage, DiscordMessage, PostSlice, TelegramPost
from disgram.report import Level, Reporter

Parse = Callable[[PostSlice], TelegramPost]


class Follower:
    """Compares pages with what was sent, for one worker. `policy`: keep, mark or delete."""

    def __init__(
        self, courier: Courier, ledger: ChannelLedger, *, edits: bool, policy: str, say: Reporter
    ) -> None:
        self._courier = courier
        self._ledger = ledger
        self._edits = edits
        self._policy = policy
        self._say = say
        self._missed: set[int] = set()

    def compare(self, page: ChannelPage, parse: Parse) -> None:
        """One look at the newest page. Raises WebhookGone and Stopping."""
        if not page.slices:
            return
        rows = [row for row in self._ledger.posts_from(page.slices[0].id) if row.state == "sent"]
        if self._edits:
            known = {row.post: row for row in rows}
            for piece in page.slices:
                row = known.get(piece.id)
                if row and row.fingerprint != piece.fingerprint:
                    self._edit(parse(piece), piece, row)
        if self._policy != "keep":
            self._follow_deletions(rows, {number for piece in page.slices for number in piece.ids})

    # edits -----------------------------------------------------------------------------------

    def _edit(self, post: TelegramPost, piece: PostSlice, row: PostRow) -> None:
        shape = Shape.decode(row.shape)
        same_files = shape.media == identities(post)
        try:
            with self._downloads(post, shape, same_files) as downloads:
                fetched = shape.fetched if same_files else downloads.fetched
                messages = self._courier.rendered(post, fetched, shape.rung)
                changed = self._update_parts(post, messages, downloads, same_files=same_files)
        except DiscordUnavailable as error:
            self._say(Level.ERROR, f"{post.url}: the edit waits for the next poll ({error})")
            return
        except MessageGone:
            self._say(Level.STATUS, f"{post.url}: edited, but its message was deleted in Discord")
            self._ledger.deleted(row.post)
            return
        except (MessageRejected, PayloadTooLarge) as error:
            self._say(Level.ERROR, f"{post.url}: Discord refuses the edit ({error})")
            changed = 0
        fresh = Shape(shape.rung, identities(post), fetched)
        self._ledger.finish(PostRow(row.post, post.last_id, "sent", piece.fingerprint, fresh.encode()))
        if changed:
            self._say(Level.INFO, f"{post.url}: followed an edit ({changed} message(s) changed)")

    def _downloads(self, post: TelegramPost, shape: Shape, same_files: bool) -> Downloads:
        if same_files or shape.rung is not Rung.FILES:
            return Downloads()
        return self._courier.download(post)

    def _update_parts(
        self, post: TelegramPost, messages: list[DiscordMessage], downloads: Downloads, *, same_files: bool
    ) -> int:
        """Make the messages in Discord those given; returns how many changed."""
        outbox, changed = self._courier.outbox, 0
        parts = self._ledger.parts(post.id)
        for number, message in enumerate(messages):
            old = parts[number] if number < len(parts) else None
            wanted = outbox.row(number, message)
            if old and (old.digest, old.files) == (wanted.digest, wanted.files) and same_files:
                continue
            keep = bool(old and same_files and old.files == wanted.files)
            self._replace(post, old, number, message, downloads, keep_files=keep)
            changed += 1
        for surplus in parts[len(messages) :]:
            outbox.delete(post.id, surplus)
            changed += 1
        return changed

    def _replace(
        self,
        post: TelegramPost,
        old: PartRow | None,
        number: int,
        message: DiscordMessage,
        downloads: Downloads,
        *,
        keep_files: bool,
    ) -> None:
        outbox = self._courier.outbox
        if not keep_files:
            self._complete(post, message, downloads)
        if old is None or not old.message_id:
            outbox.post(post.id, number, message, downloads.files)
        elif keep_files:
            outbox.edit(post.id, old, message, DiscordMessage(edited(message)), {})
        else:
            # A list of attachments without the old ones takes these away (Edit Webhook Message).
            attachments = message.payload.get("attachments", [])
            body = edited(message) | {"attachments": attachments}
            outbox.edit(post.id, old, message, DiscordMessage(body, message.uploads), downloads.files)

    def _complete(self, post: TelegramPost, message: DiscordMessage, downloads: Downloads) -> None:
        """Fetch the files of a message that must be uploaded again."""
        lacking = {upload.media for upload in message.uploads} - set(downloads.files)
        if lacking:
            downloads.absorb(self._courier.download(post, lacking.__contains__))
            if lacking - set(downloads.files):
                raise DiscordUnavailable("a file of it cannot be fetched just now")

    # deletions -------------------------------------------------------------------------------

    def _follow_deletions(self, rows: Iterable[PostRow], present: set[int]) -> None:
        """A post none of whose numbers is on the page at two looks in a row is gone."""
        absent = {
            row.post for row in rows if present.isdisjoint(range(row.post, row.last_id + 1))
        }  # fmt: skip
        for number in sorted(absent & self._missed):
            try:
                self._remove(number)
                absent.discard(number)
            except DiscordUnavailable as error:
                self._say(Level.ERROR, f"Post {number}: the deletion waits for the next poll ({error})")
            except MessageRejected as error:
                self._say(Level.ERROR, f"Post {number}: Discord refuses to follow its deletion ({error})")
                self._ledger.deleted(number)
        self._missed = absent

    def _remove(self, number: int) -> None:
        outbox = self._courier.outbox
        for part in self._ledger.parts(number):
            if self._policy == "delete":
                outbox.delete(number, part)
            elif part.payload:
                self._strike(number, part)
        self._ledger.deleted(number)
        self._say(Level.INFO, f"Post {number} was deleted in Telegram: followed ({self._policy})")

    def _strike(self, number: int, part: PartRow) -> None:
        payload = marked_deleted(json.loads(part.payload or "{}"))
        message = DiscordMessage(payload)
        try:
            self._courier.outbox.edit(number, part, message, DiscordMessage(edited(message)), {})
        except MessageGone:
            return
