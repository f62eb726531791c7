"""One post to Discord: files downloaded, messages rendered and sent, and the result written to the ledger.

Owns the walk down the fallback chain (`Fallback`): a post that Discord refuses is sent again in a simpler
form (without its largest file, with links for files, as plain text, as a link alone), so that no post is lost
because of how it looks. Never speaks HTTP, never parses HTML, never decides which posts are due.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Container, Mapping
from functools import partial

from disgram.delivery.backlog import lag_facts
from disgram.delivery.downloads import Downloads, MediaSource
from disgram.delivery.message_options import MessageOptions
from disgram.delivery.message_sync import MessageSync
from disgram.delivery.refused.posts import RefusedPosts
from disgram.delivery.reply_link import reply_link_of
from disgram.delivery.sender import Sender
from disgram.delivery.shape import Shape, media_identities
from disgram.discord.link_buttons import refuses_buttons, with_link_buttons
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, has_buttons, render
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
from disgram.post import Media, MediaFile, MediaKind, TelegramPost
from disgram.report import Level, Reporter
from disgram.rules.rules import NO_RULES, Rules
from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.telegram.client import Download
from disgram.telegram.media_budget import MediaBudget

MEDIA_TRIES = 3
"""Tries to download a file before a link stands in its place; the post does not wait longer for it."""

_FAMILIES = {
    MediaKind.PHOTO: "image",
    MediaKind.VIDEO: "video",
    MediaKind.GIF: "video",
    MediaKind.ROUND_VIDEO: "video",
    MediaKind.VOICE: "audio",
}
"""What a file must be; stickers and the rest are of several formats."""

EDITS_LEFT = ""
"""The fingerprint of a post with a message that is still to be edited: unlike that of any page."""

SIMPLER_FORM = {
    Fallback.LINKS: "with links for its files",
    Fallback.TEXT: "as plain text",
    Fallback.LINK_ONLY: "as a link alone",
}
"""How a log line names the forms that follow the full one."""


class PostDelivery:
    """Delivers posts of one channel to one destination. `color` is 0xRRGGBB; `max_upload_bytes` per file;
    `wait` raises Stopping on SIGTERM; `clock` is monotonic."""

    def __init__(
        self,
        sender: Sender,
        ledger: ChannelLedger,
        files: MediaSource,
        *,
        color: int,
        max_upload_bytes: int,
        report: Reporter,
        wait: Callable[[float], None],
        rules: Rules = NO_RULES,
        options: MessageOptions = MessageOptions(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sender = sender
        self.rules = rules
        self._options = options
        self.refused_posts = RefusedPosts(ledger, sender.refusals, sender.persist)
        self._ledger = ledger
        self._files = files
        self._color = color
        self._max_upload_bytes = max_upload_bytes
        self._link_buttons = True
        """Until Discord refuses or ignores them; asked again by the next worker."""
        self._report = report
        self._wait = wait
        self._clock = clock
        self._edits_left = False
        """Whether the post under way has a message that is still to be edited."""

    def deliver(self, post: TelegramPost, fingerprint: str) -> None:
        """Send those messages of a post that are not confirmed yet; then write it to the ledger as `sent`, or
        as `failed` if Discord refuses every form.

        A message confirmed earlier that cannot be edited now holds nothing up: it is left to the comparison
        with the page (follow.py). Raises WebhookGone, DestinationRefuses and Stopping; and
        DiscordUnavailable, for the next poll to go on, if Discord answers every form with 500.
        """
        self._warn_if_unconfirmed(post)
        self.sender.poison.reset()
        self._edits_left = False
        with self.download(post) as downloads:
            fallback, refusal = self._send_in_some_form(post, downloads)
            buttons = self._link_buttons and bool(with_link_buttons(post)[1])
            shape = Shape(
                fallback, media_identities(post), downloads.fetched, self._link_buttons, has_buttons=buttons
            )
        seen = EDITS_LEFT if self._edits_left else fingerprint
        row = PostRow(post.id, post.last_id, "failed" if refusal else "sent", seen, shape.encode())
        if refusal:
            self._record_refusal(post, row, refusal)
        else:
            self.refused_posts.accepted()
            self.sender.persist(self._ledger.finish, row)
            facts = {"last_post_id": post.last_id, "forwarded": True, **lag_facts(post, self._ledger)}
            self._report(Level.NEW_MESSAGE, f"Forwarded {post.url}", **facts, counts={"posts sent": 1})

    def _warn_if_unconfirmed(self, post: TelegramPost) -> None:
        if any(row.state == "attempting" for row in self._ledger.messages(post.id)):
            self._report(
                Level.ERROR,
                f"{post.url}: a message was under way before, and Discord never confirmed it; "
                "sending it again, it may appear twice",
            )

    # the fallback chain ----------------------------------------------------------------------

    def _send_in_some_form(
        self, post: TelegramPost, downloads: Downloads
    ) -> tuple[Fallback, DiscordError | None]:
        """Send in the fullest form that Discord accepts; returns that form, and Discord's refusal if it
        accepts none. Raises DiscordUnavailable if the last form is answered with nothing but 500s."""
        refusal: DiscordError | None = None
        for fallback in Fallback:
            if refusal:
                form = SIMPLER_FORM[fallback]
                self._report(Level.ERROR, f"{post.url}: Discord refused it ({refusal}); sending it {form}")
            try:
                self._send_dropping_files(post, downloads, fallback)
                return fallback, None
            except MessageGone:
                self._report(
                    Level.STATUS,
                    f"{post.url}: its first message was deleted in Discord meanwhile; the rest is not sent",
                )
                return fallback, None
            except (PayloadTooLarge, MessageRejected, PoisonMessage) as error:
                refusal = error
        if isinstance(refusal, PoisonMessage):
            raise DiscordUnavailable(
                f"{post.url}: Discord accepts not even its link ({refusal})"
            ) from refusal
        return Fallback.LINK_ONLY, refusal

    def _send_dropping_files(self, post: TelegramPost, downloads: Downloads, fallback: Fallback) -> None:
        """Send in this form; as often as Discord answers 413, again without the largest file; and where it
        does not take link buttons, again with buttons as text."""
        while True:
            messages = self.render(post, downloads.fetched, fallback)
            try:
                self._send(post, messages, downloads, fallback)
                if not self._buttons_became_text(post, messages, ignored=self.sender.buttons_ignored):
                    return
            except MessageRejected as error:
                if not self._buttons_became_text(post, messages, ignored=refuses_buttons(error)):
                    raise
            except PayloadTooLarge:
                if not self._drop_largest_file(post, messages, downloads):
                    raise

    def _buttons_became_text(
        self, post: TelegramPost, messages: list[DiscordMessage], *, ignored: bool
    ) -> bool:
        """Whether these messages have link buttons that Discord does not take; further ones have none."""
        if not (ignored and self._link_buttons and has_buttons(messages)):
            return False
        self._link_buttons = False
        self._report(Level.STATUS, f"{post.url}: Discord does not take its buttons; they become text")
        return True

    def _send(
        self, post: TelegramPost, messages: list[DiscordMessage], downloads: Downloads, fallback: Fallback
    ) -> None:
        """Messages already confirmed, in a fuller form or before an edit, are edited to match what follows;
        but a link alone is sent behind them, and they stay."""
        confirmed = self._confirmed_count(post)
        if fallback is Fallback.LINK_ONLY and confirmed:
            self.sender.send(post.id, confirmed, self.render(post, {}, fallback, pings=False)[0], {})
        else:
            message_sync = self.message_sync(post, post.id, downloads)
            message_sync.apply(messages, may_leave_edits=True)
            self._edits_left = message_sync.edits_left

    def _confirmed_count(self, post: TelegramPost) -> int:
        """How many messages of the post Discord has confirmed, which is the position of the next."""
        return sum(row.state == "sent" for row in self._ledger.messages(post.id))

    def _drop_largest_file(
        self, post: TelegramPost, messages: list[DiscordMessage], downloads: Downloads
    ) -> bool:
        """Leave out the largest file of the message that was refused; a video's preview picture takes its
        place. False if the message has no file."""
        refused = min(self._confirmed_count(post), len(messages) - 1)
        before = downloads.fetched
        index = downloads.drop_largest(messages[refused])
        if index is None:
            return False
        media = post.media[index]
        self._report(
            Level.ERROR, f"{post.url}: Discord finds {_described(media)} too large; it becomes a link"
        )
        if media.preview_url and not before[index].content_type.startswith("image/"):
            self._download_one(post, index, downloads, MediaBudget(self._clock), preview=True)
        return True

    def _record_refusal(self, post: TelegramPost, row: PostRow, error: DiscordError) -> None:
        messages = self.render(post, {}, Fallback.LINKS)
        payload = json.dumps([message.payload for message in messages], ensure_ascii=False)
        self.refused_posts.fail(row, error, payload)
        self._report(
            Level.ERROR,
            f"{post.url}: Discord refused it in every form ({error}); it is listed in GET /job/failed, "
            "and the channel goes on with the next post",
            last_post_id=post.last_id,
            counts={"posts failed": 1},
        )

    # shared with edits -----------------------------------------------------------------------

    def render(
        self,
        post: TelegramPost,
        fetched: Mapping[int, MediaFile],
        fallback: Fallback,
        *,
        link_buttons: bool | None = None,
        pings: bool = True,
    ) -> list[DiscordMessage]:
        """The messages of a post in this form. `fetched`: its files at hand, by index into `post.media`;
        `link_buttons`: as it was sent before (None: as Discord takes them); `pings`: as the job says."""
        messages = render(
            post,
            color=self._color,
            fetched=fetched,
            fallback=fallback,
            reply_link=reply_link_of(post, self._ledger, self.sender.guild_id),
            link_buttons=self._link_buttons if link_buttons is None else link_buttons,
        )
        return self._options.added_to(messages, post, self.rules.pings(post) if pings else None)

    def message_sync(self, post: TelegramPost, post_id: int, downloads: Downloads) -> MessageSync:
        """For a post that the ledger knows by `post_id` (an album may have lost the item of that number)."""
        fetch = partial(self.download, post)
        return MessageSync(self.sender, self._ledger, post_id, downloads, fetch)

    # files -----------------------------------------------------------------------------------

    def download(
        self, post: TelegramPost, wanted: Container[int] | None = None, previews: Container[int] = ()
    ) -> Downloads:
        """Download the post's files (`wanted`: only these indexes of `post.media`), or of those in `previews`
        the preview picture where there is one. The log names each file that cannot be downloaded."""
        downloads, budget = Downloads(), MediaBudget(self._clock)
        try:
            for index in range(len(post.media)):
                if wanted is None or index in wanted:
                    self._download_one(post, index, downloads, budget, preview=index in previews)
        except BaseException:
            downloads.close()
            raise
        return downloads

    def _download_one(
        self, post: TelegramPost, index: int, downloads: Downloads, budget: MediaBudget, *, preview: bool
    ) -> None:
        """The file, else its preview picture, else nothing. `preview`: not the file if there is a picture."""
        media = post.media[index]
        file = media.url or media.account_url
        urls = [media.preview_url] if preview and media.preview_url else [file, media.preview_url]
        for url in filter(None, urls):
            try:
                family = "image" if url == media.preview_url else _FAMILIES.get(media.kind, "")
                return downloads.add(index, self._fetch(url, budget, family))
            except (MediaUnavailable, TelegramUnavailable) as error:
                self._report(Level.ERROR, f"{post.url}: {_described(media)} becomes a link ({error})")
        return None

    def _fetch(self, url: str, budget: MediaBudget, family: str) -> Download:
        for attempt in range(1, MEDIA_TRIES):
            try:
                return self._files.media(url, self._max_upload_bytes, budget, family)
            except TelegramUnavailable:
                self._wait(float(attempt))
        return self._files.media(url, self._max_upload_bytes, budget, family)


def _described(media: Media) -> str:
    return f"{media.kind.value.lower()} {media.name}".strip()
