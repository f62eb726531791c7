"""The messages of one post in Discord, made equal to those it should have: sent, edited or deleted.

A message that Discord has confirmed and that would look the same is left alone; one that differs is PATCHed
in place and keeps its files unless they changed; a missing one is sent; one too many is deleted. So a post
resumed after a crash and a post edited in Telegram end in the same state.

Owns that comparison. Never decides which post is compared, and never downloads by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial

from disgram.delivery.downloads import Downloads
from disgram.delivery.sender import Sender
from disgram.discord.link_buttons import refuses_buttons
from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordUnavailable, EditRefused, MessageRejected
from disgram.storage.channel_ledger import ChannelLedger, MessageRow

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
        self.edits_left = False
        """Whether `apply` left a message as it was that should be edited or deleted."""

    def apply(
        self, messages: list[DiscordMessage], *, same_files: bool = True, may_leave_edits: bool = False
    ) -> int:
        """Make Discord show `messages`; returns how many were sent, edited or deleted.

        `same_files`: a file of the same name has not changed. `may_leave_edits`: what is new is sent although
        an older message cannot be edited. Raises DiscordError; each message is in the ledger as soon as
        Discord confirmed it, and calling again goes on with the rest.
        """
        rows = {row.position: row for row in self._ledger.messages(self._post_id)}
        changed = 0
        for position, message in enumerate(messages):
            old = rows.pop(position, None)
            if old is None or old.state != "sent":
                self._ensure_files(message)
                self._sender.send(self._post_id, position, message, self._downloads.files)
                changed += 1
            else:
                edit = partial(self._edit, message, old, same_files)
                changed += self._edited(edit, may_leave=may_leave_edits)
        for surplus in rows.values():
            changed += self._edited(partial(self._delete, surplus), may_leave=may_leave_edits)
        return changed

    def apply_any(self, forms: Sequence[list[DiscordMessage]], *, same_files: bool = True) -> tuple[int, int]:
        """Make Discord show the first of `forms` that it does not refuse for its buttons; the last one is
        taken as it is. Returns what `apply` does, and how many forms were refused. Raises as `apply`."""
        for refused, messages in enumerate(forms[:-1]):
            try:
                return self.apply(messages, same_files=same_files), refused
            except MessageRejected as error:
                if not refuses_buttons(error):
                    raise
        return self.apply(forms[-1], same_files=same_files), len(forms) - 1

    def _edited(self, edit: Callable[[], bool], *, may_leave: bool) -> bool:
        """What `edit` returns; False if it had to be left, which is allowed if `may_leave`."""
        try:
            return edit()
        except (DiscordUnavailable, EditRefused):
            if not may_leave:
                raise
            self.edits_left = True
            return False

    def _delete(self, old: MessageRow) -> bool:
        self._sender.delete(self._post_id, old)
        return True

    def _edit(self, message: DiscordMessage, old: MessageRow, same_files: bool) -> bool:
        """Whether anything had to be changed."""
        new = self._sender.new_row(old.position, message)
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
