"""Every exception Disgram raises on purpose, in one tree; each class has one reaction.

    DisgramError
    ├── BadInput                 a person typed something we cannot use; the message says what to do
    │   ├── BadChannelAddress
    │   ├── BadWebhookURL
    │   ├── BadSetting           an environment variable; the start stops with exit code 2
    │   ├── JobExists            the name of a new job is taken
    │   └── UnknownJob           there is no job (or no failed post) of that name
    ├── AccessRefused            the API does not let this caller in
    │   ├── NotAuthenticated     no bearer token, or something that is none
    │   ├── WrongToken           a bearer token, but not ours
    │   └── TooManyFailures      wrong tokens from this address again and again: wait
    ├── StartRefused             the service must not start (damaged jobs.json, second instance); exit code 2
    │   └── DatabaseTooNew       a newer Disgram wrote the database; a worker ends for good, too
    ├── ProcessesRemain          a deleted job's processes do not end in time; they are being killed
    ├── StorageUnavailable       jobs.json or the database cannot be written just now; nothing changed
    │   └── DatabaseDamaged      the file is no SQLite database, or a damaged one
    ├── HttpError                 an HTTP exchange failed: each client says what that means for its service
    ├── Stopping                 SIGTERM came while waiting; unwinds the worker, exit code 0
    ├── TelegramError
    │   ├── TelegramUnavailable  network, 5xx, 429: try again, nothing is skipped
    │   ├── ChannelHasNoPreview  permanent until somebody changes the channel
    │   ├── ChannelNotFound      permanent until somebody changes the job
    │   ├── PageNotUnderstood    200, but not a preview page; progress stays
    │   └── MediaUnavailable     this one file cannot be had; the post goes on without it
    └── DiscordError
        ├── DiscordUnavailable   network, 5xx: keep the post, try again
        │   ├── InternalError    500 of Discord's own: the same, unless it comes for ever
        │   ├── PoisonMessage     it came for ever: one rung down the ladder; below that, the same
        │   └── RateLimited      429: keep the post, wait as long as Discord says
        │       └── CloudflareBlocked   a 429 or 403 that is not Discord's own: the whole host waits
        ├── PayloadTooLarge      413: the same message without its files
        ├── MessageRejected      400 for this payload: one rung down the ladder
        ├── MessageGone          the message to edit or delete is no more: forget it
        └── WebhookGone          401, 403, 404, unknown thread: no further call until PATCH

Owns the names and the data they carry. Never formats a log line or decides a reaction.
"""

from __future__ import annotations


class DisgramError(Exception):
    """Base of all; never raised itself."""

    reason: str | None = None
    """The word /health shows while this error stands; None for errors that no worker state shows."""


class BadInput(DisgramError):
    """A value a person gave. `error` is short; `str(self)` says what to do. Never holds a secret."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


class BadChannelAddress(BadInput):
    """Not the address of a public Telegram channel."""


class BadWebhookURL(BadInput):
    """Not a webhook URL of Discord or of a host the owner allowed."""


class BadSetting(BadInput):
    """An environment variable whose value makes no sense; `error` is the variable's name."""


class JobExists(BadInput):
    """A job of this name exists already."""


class UnknownJob(BadInput):
    """Nothing goes by the name that was given."""


class AccessRefused(DisgramError):
    """The API does not let this caller in. `error` is short; `str(self)` says what to do."""

    error = ""


class NotAuthenticated(AccessRefused):
    """No `Authorization: Bearer <token>`, or one that is not of this form."""

    error = "Authentication required"


class WrongToken(AccessRefused):
    """A bearer token that is not AUTH_PASSWORD."""

    error = "Wrong token"


class TooManyFailures(AccessRefused):
    """Wrong tokens came from this address too often. `retry_after` in whole seconds."""

    error = "Too many failed logins"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StartRefused(DisgramError):
    """The service must not start; one line on stderr and exit code 2."""


class DatabaseTooNew(StartRefused):
    """The schema of a database is newer than this program's; the file was not changed."""

    reason = "database_too_new"


class ProcessesRemain(DisgramError):
    """A job is deleted, but its processes have not ended within the time a caller can wait."""

    error = "Processes still running"


class StorageUnavailable(DisgramError):
    """A file of DATA_DIR cannot be read or written just now; what was there still stands."""

    reason = "storage_unavailable"
    error = "Storage unavailable"


class DatabaseDamaged(StorageUnavailable):
    """SQLite cannot read the file as a database."""


class HttpError(DisgramError):
    """No HTTP answer, or not a whole one. `sent`: the request may have reached the server."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class Stopping(DisgramError):
    """SIGTERM arrived during a wait; the work loop unwinds and begins nothing new."""


class TelegramError(DisgramError):
    """Whatever goes wrong between us and t.me."""


class TelegramUnavailable(TelegramError):
    """No usable answer: network, time-out, cut off, 5xx, 429. `retry_after` in seconds if t.me named it."""

    reason = "telegram_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChannelHasNoPreview(TelegramError):
    """The name exists, but t.me shows no posts of it (group, user, bot, private, restricted)."""

    reason = "no_preview"


class ChannelNotFound(TelegramError):
    """Nobody has this name."""

    reason = "channel_not_found"


class PageNotUnderstood(TelegramError):
    """A 200 that is not a whole preview page: a block page, a cut-off one, or a changed layout."""

    reason = "layout_changed"


class MediaUnavailable(TelegramError):
    """One file cannot be had: too large, gone, or from a host we do not fetch from."""


class DiscordError(DisgramError):
    """Whatever goes wrong between us and Discord."""


class DiscordUnavailable(DiscordError):
    """No usable answer. `ambiguous`: the request may have been accepted all the same."""

    reason = "discord_unavailable"

    def __init__(self, message: str, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class InternalError(DiscordUnavailable):
    """500, and Discord's own words: an outage, or a payload it cannot digest."""


class PoisonMessage(DiscordUnavailable):
    """Nothing but InternalErrors for one post, for long: its next form may tell why."""


class RateLimited(DiscordUnavailable):
    """429: nothing was accepted. `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CloudflareBlocked(RateLimited):
    """The edge refuses this address; every webhook of the host waits (discord-api-docs #5385, #5810)."""

    reason = "blocked_by_cloudflare"


class PayloadTooLarge(DiscordError):
    """413, or a JSON code saying that a file is too big."""


class MessageRejected(DiscordError):
    """400 for this payload: the same request will never be accepted. `code` is Discord's JSON code."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class MessageGone(DiscordError):
    """404/10008: the message to edit or delete does not exist any more."""


class WebhookGone(DiscordError):
    """The webhook or its thread is gone for good. `reason` is `webhook_gone` or `thread_gone`."""

    def __init__(self, message: str, *, reason: str = "webhook_gone") -> None:
        super().__init__(message)
        self.reason = reason
