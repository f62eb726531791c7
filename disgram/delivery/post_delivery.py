"""One post to Discord: its files fetched, the messages rendered, sent part by part, and booked.

Owns the ladder: what Discord refuses is sent again one rung lower (without the largest file, with
links for files, as plain text, as a bare link), so that a post is never dropped for its looks. Never
speaks HTTP, never parses HTML, never decides which posts are due.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import partial

from disgram.delivery.downloads import Downloads
from disgram.delivery.message_sync import MessageSync
from disgram.delivery.sender import Sender
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, render
from disgram.errors import (
    DiscordError,
    DiscordUnavailable,
    MediaUnavailable,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    PoisonMessage,
    TelegramUnavailable,
)
from disgram.post import (
    Media,
    MediaFile,
    Reply,
    TelegramPost,
)
from disgram.report import Level, Reporter
from disgram.storage.ledger import ChannelLedger, MessageRow, PostRow
from disgram.telegram.client import Download, TelegramClient

MEDIA_TRIES = 3
"""A file that cannot be had by then becomes a link; the post does not wait for it."""

_STORED_FALLBACKS = {
    "files": Fallback.FILES,
    "links": Fallback.LINKS,
    "text": Fallback.TEXT,
    "link_only": Fallback.LINK_ONLY,
}
"""Their names in the ledger, where Disgram 3.0.0 stored their places in this order (from 0)."""
_STORED_NAMES = {fallback: name for name, fallback in _STORED_FALLBACKS.items()}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a post was rendered: with the same shape, an edited text needs no file a second time."""

    fallback: Fallback
    media: tuple[str, ...]
    fetched: dict[int, MediaFile]

    def encode(self) -> str:
        """The form stored in the ledger."""
        fetched = {
            index: {"size": one.size, "content_type": one.content_type} for index, one in self.fetched.items()
        }
        return json.dumps({"fallback": _STORED_NAMES[self.fallback], "media": self.media, "fetched": fetched})

    @classmethod
    def decode(cls, text: str) -> Shape:
        """Also of the form up to 3.0.0: `[fallback's number, media, {index: [size, content type]}]`."""
        stored = json.loads(text)
        if isinstance(stored, list):
            number, media, pairs = stored
            fallback = tuple(_STORED_FALLBACKS.values())[number]
            fetched = {index: MediaFile(*pair) for index, pair in pairs.items()}
        else:
            fallback, media = _STORED_FALLBACKS[stored["fallback"]], stored["media"]
            fetched = {index: MediaFile(**one) for index, one in stored["fetched"].items()}
        return cls(fallback, tuple(media), {int(index): one for index, one in fetched.items()})


def identities(post: TelegramPost) -> tuple[str, ...]:
    """What tells the post's files from others, in the order of `post.media`."""
    return tuple(f"{media.kind.value} {media.identity}" for media in post.media)


class PostDelivery:
    """Delivers posts of one channel to one destination."""

    def __init__(
        self,
        sender: Sender,
        ledger: ChannelLedger,
        telegram: TelegramClient,
        *,
        color: int,
        max_upload_bytes: int,
        report: Reporter,
        wait: Callable[[float], None],
    ) -> None:
        self.sender = sender
        self._ledger = ledger
        self._telegram = telegram
        self._color = color
        self._max_upload_bytes = max_upload_bytes
        self._report = report
        self._wait = wait

    def deliver(self, post: TelegramPost, fingerprint: str) -> None:
        """Send what is not yet confirmed of a post, and book it. Raises WebhookGone and Stopping; where a
        part confirmed earlier has to be edited first, or where Discord neither takes nor refuses any form of
        it, DiscordUnavailable (the next poll goes on)."""
        self._tell_doubt(post)
        self.sender.server_errors.forget()
        with self.download(post) as downloads:
            fallback, refused = self._climb_down(post, downloads)
            shape = Shape(fallback, identities(post), downloads.fetched)
        row = PostRow(post.id, post.last_id, "failed" if refused else "sent", fingerprint, shape.encode())
        if refused:
            self._fail(post, row, refused)
        else:
            self.sender.book(self._ledger.finish, row)
            self._report(Level.NEW_MESSAGE, f"Forwarded {post.url}", last_post_id=post.last_id)

    def _climb_down(self, post: TelegramPost, downloads: Downloads) -> tuple[Fallback, DiscordError | None]:
        """Send in the best form Discord takes; the error if it takes none."""
        fallback = Fallback.FILES
        while True:
            messages = self.rendered(post, downloads.fetched, fallback)
            try:
                self._send(post, messages, downloads, fallback)
                return fallback, None
            except MessageGone:
                self._report(Level.STATUS, f"{post.url}: its first message was deleted in Discord meanwhile")
                return fallback, None
            except (PayloadTooLarge, MessageRejected, PoisonMessage) as error:
                if isinstance(error, PayloadTooLarge) and self._lighter(post, messages, downloads):
                    continue
                if fallback is Fallback.LINK_ONLY and isinstance(error, PoisonMessage):
                    told = f"{post.url}: not even its link gets through ({error})"
                    raise DiscordUnavailable(told) from error
                if fallback is Fallback.LINK_ONLY:
                    return fallback, error
                self._report(Level.ERROR, f"{post.url}: Discord refused it ({error}); trying a simpler form")
                fallback = Fallback(fallback + 1)

    def rendered(
        self, post: TelegramPost, fetched: Mapping[int, MediaFile], fallback: Fallback
    ) -> list[DiscordMessage]:
        """The messages of a post."""
        return render(
            post, color=self._color, fetched=fetched, fallback=fallback, reply_link=self._reply_link(post)
        )

    def download(
        self, post: TelegramPost, wanted: Container[int] | None = None, stills: Container[int] = ()
    ) -> Downloads:
        """Fetch the post's files (`wanted`: only these). One that cannot be had is left out, and the log says
        why. `stills`: of these the picture is wanted that stands for them, where there is one."""
        downloads = Downloads()
        try:
            for index in range(len(post.media)):
                if wanted is None or index in wanted:
                    self._add(post, index, downloads, still=index in stills)
        except BaseException:
            downloads.close()
            raise
        return downloads

    def _add(self, post: TelegramPost, index: int, downloads: Downloads, *, still: bool) -> None:
        """The file, or else the picture that stands for it, or nothing."""
        media = post.media[index]
        urls = [media.preview_url] if still and media.preview_url else [media.url, media.preview_url]
        for url in filter(None, urls):
            try:
                return downloads.add(index, self._fetch(url))
            except (MediaUnavailable, TelegramUnavailable) as error:
                self._report(Level.ERROR, f"{post.url}: {_named(media)} becomes a link: {error}")
        return None

    def _fetch(self, url: str) -> Download:
        for attempt in range(1, MEDIA_TRIES):
            try:
                return self._telegram.media(url, self._max_upload_bytes)
            except TelegramUnavailable:
                self._wait(float(attempt))
        return self._telegram.media(url, self._max_upload_bytes)

    def _tell_doubt(self, post: TelegramPost) -> None:
        if any(part.state == "attempting" for part in self._ledger.messages(post.id)):
            self._report(
                Level.ERROR,
                f"{post.url}: a message was under way before and was never confirmed; "
                "sending it again, it may appear twice",
            )

    def _confirmed(self, post: TelegramPost) -> int:
        """How many messages of the post Discord has confirmed: the number of the next one due."""
        return sum(part.state == "sent" for part in self._ledger.messages(post.id))

    def _send(
        self, post: TelegramPost, messages: list[DiscordMessage], downloads: Downloads, fallback: Fallback
    ) -> None:
        """What was confirmed of an earlier form, or before an edit, is made to fit what follows; only the
        barest form stands behind it as it is."""
        confirmed = self._confirmed(post)
        if fallback is Fallback.LINK_ONLY and confirmed:
            self.sender.post(post.id, confirmed, messages[0], {})
        else:
            self.message_sync(post, post.id, downloads).make(messages)

    def message_sync(self, post: TelegramPost, number: int, downloads: Downloads) -> MessageSync:
        """Of a post that has `number` in the ledger."""
        fetch = partial(self.download, post)
        return MessageSync(self.sender, self._ledger, number, downloads, fetch)

    def _lighter(self, post: TelegramPost, messages: list[DiscordMessage], downloads: Downloads) -> bool:
        """Leave out the largest file of the message that was refused; False if it carried none."""
        due = min(self._confirmed(post), len(messages) - 1)
        before = downloads.fetched
        index = downloads.drop_largest(messages[due])
        if index is None:
            return False
        media = post.media[index]
        self._report(Level.ERROR, f"{post.url}: Discord finds {_named(media)} too large; it becomes a link")
        if media.preview_url and not before[index].content_type.startswith("image/"):
            self._add(post, index, downloads, still=True)
        return True

    def _fail(self, post: TelegramPost, row: PostRow, error: DiscordError) -> None:
        messages = self.rendered(post, {}, Fallback.LINKS)
        payload = json.dumps([message.payload for message in messages], ensure_ascii=False)
        self.sender.book(self._ledger.fail, row, str(error), payload)
        self._report(
            Level.ERROR,
            f"{post.url}: Discord refuses it in every form ({error}); it waits in GET /job/failed",
            last_post_id=post.last_id,
        )

    def _reply_link(self, post: TelegramPost) -> str | None:
        """The Discord copy of the post replied to, when the ledger has it."""
        reply = next((block for block in post.blocks if isinstance(block, Reply)), None)
        channel, _, number = (reply.url or "").rpartition("/") if reply else ("", "", "")
        if not number.isdecimal() or channel.rpartition("/")[2].lower() != post.channel.lower():
            return None
        first: MessageRow | None = next(iter(self._ledger.messages(int(number))), None)
        if first is None or not first.message_id or not first.channel_id:
            return None
        guild = self.sender.guild()
        return (
            f"https://discord.com/channels/{guild}/{first.channel_id}/{first.message_id}" if guild else None
        )


def _named(media: Media) -> str:
    return f"{media.kind.value.lower()} {media.name}".strip()
