"""The messages of one post in Discord, made equal to those it should have: sent, edited or deleted.

A message that Discord has confirmed and that would look the same is left alone; one that differs is PATCHed
in place and keeps its files unless they changed; a missing one is sent; one too many is deleted. So a post
resumed after a crash and a post edited in Telegram end in the same state.

Owns that comparison. Never decides which post is compared, and never downloads by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from disgram.delivery.downloads import Downloads
from disgram.delivery.sender import Sender
from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordUnavailable
from disgram.storage.ledger import ChannelLedger, MessageRow

Fetch = Callable[[Container[int], Container[int]], Downloads]
"""`fetch(wanted, previews)` downloads those files of the post (indexes of `post.media`); of those in
`previews` only the preview picture."""


class MessageSync:
    """For one post, by the `post_id` it has in the ledger."""

    def __init__(
        self, sender: Sender, ledger: ChannelLedger, post_id: int, downloads: Downloads, fetch: Fetch
    ) -> None:
        self._sender = sender
        self._ledger = ledger
        self._post_id = post_id
        self._downloads = downloads
        self._fetch = fetch

    def apply(self, messages: list[DiscordMessage], *, same_files: bool = True) -> int:
        """Make Discord show `messages`; returns how many were sent, edited or deleted.

        `same_files`: a file of the same name has not changed. Raises DiscordError; each message is in the
        ledger as soon as Discord confirmed it, and calling again goes on with the rest.
        """
        rows = {row.position: row for row in self._ledger.messages(self._post_id)}
        changed = 0
        for position, message in enumerate(messages):
            changed += self._apply_one(position, message, rows.pop(position, None), same_files)
        for surplus in rows.values():
            self._sender.delete(self._post_id, surplus)
        return changed + len(rows)

    def _apply_one(
        self, position: int, message: DiscordMessage, old: MessageRow | None, same_files: bool
    ) -> bool:
        """Whether anything had to be sent."""
        if old is None or old.state != "sent":
            self._ensure_files(message)
            self._sender.send(self._post_id, position, message, self._downloads.files)
            return True
        new = self._sender.new_row(position, message)
        keeps_files = same_files and old.files == new.files
        if keeps_files and old.digest == new.digest:
            return False
        if keeps_files:
            self._sender.edit(self._post_id, old, message)
        else:
            self._ensure_files(message)
            self._sender.edit(self._post_id, old, message, self._downloads.files)
        return True

    def _ensure_files(self, message: DiscordMessage) -> None:
        """Download the message's files that are not at hand. Raises DiscordUnavailable if one cannot be."""
        missing = {upload.media for upload in message.uploads} - set(self._downloads.files)
        if missing:
            pictures = {one.media for one in message.uploads if one.content_type.startswith("image/")}
            self._downloads.merge(self._fetch(missing, pictures))
            if missing - set(self._downloads.files):
                raise DiscordUnavailable("one of its files cannot be downloaded now")
