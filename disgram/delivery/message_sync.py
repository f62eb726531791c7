"""The messages of one post in Discord, made into those it should have: sent, edited or deleted, part by part.

A part that Discord has confirmed and that would look the same is left alone; one that differs is PATCHed
in place and keeps its files unless they changed; one that is lacking is sent; one too many is deleted.
So a post resumed after a crash and a post edited in Telegram end in the same state.

Owns that comparison. Never decides when a post is looked at, and never downloads by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from disgram.delivery.downloads import Downloads
from disgram.delivery.sender import Sender
from disgram.discord.message import DiscordMessage
from disgram.discord.render import edited
from disgram.errors import DiscordUnavailable
from disgram.storage.ledger import ChannelLedger, MessageRow

Fetch = Callable[[Container[int], Container[int]], Downloads]
"""Fetches those of the post's files that are wanted (indexes), of some (the second) only their picture."""


class MessageSync:
    """Of one post, by the `number` it has in the ledger."""

    def __init__(
        self, sender: Sender, ledger: ChannelLedger, number: int, downloads: Downloads, fetch: Fetch
    ) -> None:
        self._sender = sender
        self._ledger = ledger
        self._number = number
        self._downloads = downloads
        self._fetch = fetch

    def make(self, messages: list[DiscordMessage], *, same_files: bool = True) -> int:
        """Returns how many messages changed. `same_files`: a file of the same name is the same file.

        Raises DiscordError; what was done until then is booked, and doing it again goes on from there.
        """
        parts = {part.position: part for part in self._ledger.messages(self._number)}
        changed = 0
        for place, message in enumerate(messages):
            changed += self._settle(place, message, parts.pop(place, None), same_files)
        for surplus in parts.values():
            self._sender.delete(self._number, surplus)
        return changed + len(parts)

    def _settle(self, place: int, message: DiscordMessage, old: MessageRow | None, same_files: bool) -> bool:
        if old is None or old.state != "sent":
            self._complete(message)
            self._sender.post(self._number, place, message, self._downloads.files)
            return True
        wanted = self._sender.row(place, message)
        keep = same_files and old.files == wanted.files
        if keep and old.digest == wanted.digest:
            return False
        if keep:
            self._sender.edit(self._number, old, message, DiscordMessage(edited(message)), {})
            return True
        self._complete(message)
        # A list of attachments without the old ones takes these away (Edit Webhook Message).
        body = edited(message) | {"attachments": message.payload.get("attachments", [])}
        request = DiscordMessage(body, message.uploads)
        self._sender.edit(self._number, old, message, request, self._downloads.files)
        return True

    def _complete(self, message: DiscordMessage) -> None:
        """Have the files at hand that a message must be uploaded with."""
        lacking = {upload.media for upload in message.uploads} - set(self._downloads.files)
        if lacking:
            stills = {one.media for one in message.uploads if one.content_type.startswith("image/")}
            self._downloads.absorb(self._fetch(lacking, stills))
            if lacking - set(self._downloads.files):
                raise DiscordUnavailable("a file of it cannot be fetched just now")
