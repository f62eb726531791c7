"""Every exception Disgram raises on purpose, in one tree, each with one reaction.

    DisgramError
    ├── BadInput                 400, exit code 2: what a person typed is unusable; the message says why
    │   ├── BadChannelAddress
    │   ├── BadWebhookURL
    │   ├── BadSetting           an environment variable or an argument: the start stops with exit code 2
    │   ├── JobExists            409: the name of a new job is taken
    │   └── UnknownJob           404: there is no job (or no failed post) of that name
    ├── AccessRefused            the API refuses this caller
    │   ├── NotAuthenticated     401: no bearer token, or a header of another form
    │   ├── WrongToken           403: a bearer token that is not AUTH_PASSWORD
    │   └── TooManyFailures      429: too many logins from this address were refused; it has to wait
    ├── StartRefused             exit code 2: the service must not start (damaged jobs.json, second instance)
    │   └── DatabaseTooNew       a newer Disgram wrote the database; a worker ends with exit code 78
    ├── StartFailed              exit code 75: the service cannot start just now (port taken), try again
    ├── PreviewUnavailable       503: a preview cannot be made now
    ├── ProcessesRemain          503: a deleted job's processes did not end in time; they are being killed
    ├── StorageUnavailable       jobs.json or a database cannot be read or written now; nothing was changed
    │   └── DatabaseDamaged      the file is not an SQLite database, or it is damaged
    ├── HttpError                an HTTP exchange failed: each client raises its own service's error instead
    │   └── RequestCutOff        while the body was being sent: Discord may have refused a file early
    ├── Stopping                 SIGTERM came during a wait: the worker ends with exit code 0
    ├── TelegramError
    │   ├── TelegramUnavailable  network, 5xx, 429: read again later, no post is skipped
    │   ├── ChannelHasNoPreview  the worker ends for good (exit code 78) until the job is changed
    │   ├── ChannelNotFound      the same
    │   ├── ChannelReplaced      the same, once it is certain; until then the next poll looks again
    │   ├── AccountUnavailable   the account cannot be asked now: the next poll asks it again
    │   ├── PageNotUnderstood    200, but not a preview page: read again later, progress stays
    │   └── MediaUnavailable     this one file cannot be fetched: the post is sent with a link in its place
    └── DiscordError
        ├── DiscordUnavailable   network, 5xx: the post is kept and sent again
        │   ├── InternalError    500 in Discord's own JSON: the same
        │   ├── PoisonMessage    too many InternalErrors for one post: send its next form (Fallback)
        │   ├── UnreadableResponse   a 2xx, not Discord's, or no HTTP: the same; after a few, NotDiscord
        │   ├── EditWaits        an edit or deletion cannot be made now: tried at a later poll, posts go on
        │   └── RateLimited      429: the post is kept and sent again after the time Discord names
        │       └── CloudflareBlocked   429 or 403 by Cloudflare: all requests to that host wait
        ├── PayloadTooLarge      413: send the same message without its largest file
        ├── MessageRejected      400: send it without the fields that Discord names, else its next form
        │   └── EditRefused      an edit or deletion of one message is refused for good: posts go on
        ├── MessageGone          404 for one message: it was deleted in Discord and is not edited any more
        ├── DestinationRefuses   no message is accepted there now: posts are kept, and one is tried later
        │   └── NotDiscord       what answers is not Discord: the same, once an hour
        └── WebhookGone          the webhook or thread refuses all messages: the worker ends (exit code 78);
                                 nothing is sent there for an hour, or until POST or PATCH of the job

Owns the names and the data they carry. Never formats a log line and never decides a reaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Fields: TypeAlias = Mapping[tuple[str, ...], str]


class DisgramError(Exception):
    """Base of all; never raised itself."""

    reason: str | None = None
    """`reason` in /health while this error lasts; None for errors that no worker state shows."""


class BadInput(DisgramError):
    """A value that a person gave. `error`: what is wrong. `str(self)`: what to do. Neither holds a secret."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


class BadChannelAddress(BadInput):
    """Not the address of a public Telegram channel."""


class BadWebhookURL(BadInput):
    """Not a webhook URL of Discord or of a host the owner allowed."""


class BadSetting(BadInput):
    """A setting whose value makes no sense. `error`: the name of the environment variable or argument."""


class JobExists(BadInput):
    """A job of this name exists already."""


class UnknownJob(BadInput):
    """No job has this name, or no failed post this number."""


class AccessRefused(DisgramError):
    """The API refuses this caller. `error`: what is wrong. `str(self)`: what to do."""

    error = ""


class NotAuthenticated(AccessRefused):
    """No `Authorization: Bearer <token>` header, or one of another form."""

    error = "Authentication required"


class WrongToken(AccessRefused):
    """A bearer token that is not AUTH_PASSWORD."""

    error = "Wrong token"


class TooManyFailures(AccessRefused):
    """Too many refused logins from this address. `retry_after`: whole seconds until it may try again."""

    error = "Too many failed logins"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StartRefused(DisgramError):
    """The service must not start; one line on stderr and exit code 2."""


class DatabaseTooNew(StartRefused):
    """The schema of a database is newer than this program's; the file was not changed."""

    reason = "database_too_new"


class StartFailed(DisgramError):
    """The service cannot start now, but perhaps later; one line on stderr and exit code 75 (EX_TEMPFAIL)."""


class PreviewUnavailable(DisgramError):
    """A preview cannot be made now."""

    error = "Preview unavailable"


class ProcessesRemain(DisgramError):
    """A job is deleted, but its processes did not end within the time an API call may take."""

    error = "Processes still running"


class StorageUnavailable(DisgramError):
    """A file of DATA_DIR cannot be read or written now; what it held before is unchanged."""

    reason = "storage_unavailable"
    error = "Storage unavailable"


class DatabaseDamaged(StorageUnavailable):
    """SQLite cannot read the file as a database."""


class HttpError(DisgramError):
    """No whole response. `sent`: the server may have received the request. `is_http`: what came was HTTP."""

    def __init__(self, message: str, *, sent: bool = True, is_http: bool = True) -> None:
        super().__init__(message)
        self.sent, self.is_http = sent, is_http


class RequestCutOff(HttpError):
    """The connection broke, or stood still, while the request's body was being sent; it was not processed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


class Stopping(DisgramError):
    """SIGTERM arrived. Raised by Heartbeat.wait and .check; nothing but the worker's start catches it."""


class TelegramError(DisgramError):
    """Base of all errors in talking to Telegram; never raised itself."""

    error = "Telegram unavailable"


class TelegramUnavailable(TelegramError):
    """No usable response: network, timeout, cut off, 5xx, 429. `retry_after`: seconds, if t.me named them."""

    reason = "telegram_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChannelHasNoPreview(TelegramError):
    """t.me shows no posts under this name (group, user, bot, private, restricted); or, with another reason,
    neither does the account: `not_a_member`, `channel_private`, `content_protected`."""

    def __init__(self, message: str, *, reason: str = "no_preview") -> None:
        super().__init__(message)
        self.reason = reason


class ChannelNotFound(TelegramError):
    """There is no such user, group or channel."""

    reason = "channel_not_found"


class AccountUnavailable(TelegramError):
    """`account_missing`, `account_logged_out` or `account_waits`; `lasts`: for how many seconds, if known."""

    def __init__(self, message: str, *, reason: str, lasts: float | None = None) -> None:
        super().__init__(message)
        self.reason, self.lasts = reason, lasts


class ChannelReplaced(TelegramError):
    """The name belongs to another channel than before. `certain`: two polls in a row saw it."""

    reason = "channel_replaced"

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


class PageNotUnderstood(TelegramError):
    """A 200 whose body is not a complete preview page: a block page, a truncated page, or a new layout."""

    reason = "layout_changed"


class MediaUnavailable(TelegramError):
    """One file cannot be fetched: too large, gone, or on a host that is not Telegram's."""


class DiscordError(DisgramError):
    """Base of all errors in talking to Discord; never raised itself."""


class DiscordUnavailable(DiscordError):
    """No usable response. `ambiguous`: Discord may have accepted the request all the same."""

    reason = "discord_unavailable"

    def __init__(self, message: str, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class InternalError(DiscordUnavailable):
    """500 with Discord's own JSON body: an outage, or a payload that it can never process."""


class PoisonMessage(DiscordUnavailable):
    """One post was answered with nothing but InternalErrors for too long (delivery/refused/poison.py)."""


class UnreadableResponse(DiscordUnavailable):
    """A 2xx that does not show that it is Discord's, or no HTTP: whether the message arrived is unknown."""


class EditWaits(DiscordUnavailable):
    """An edit or a deletion cannot be made now, which says nothing about Discord or the destination."""


class RateLimited(DiscordUnavailable):
    """429: not accepted. `retry_after`: seconds until it may be sent again; `is_guessed`: it named none."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_after: float, is_guessed: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.is_guessed = retry_after, is_guessed


class CloudflareBlocked(RateLimited):
    """Cloudflare blocks our IP address: every webhook waits (discord-api-docs #5385, #5810)."""

    reason = "blocked_by_cloudflare"


class PayloadTooLarge(DiscordError):
    """413, or one of Discord's JSON codes for a file that is too large."""


class MessageRejected(DiscordError):
    """Discord will never accept this payload. `code`: Discord's JSON error code, 0 if it gave none; `fields`:
    paths of what it refuses, such as `("embeds", "0", "url")`, and why; empty if it named none."""

    def __init__(self, message: str, *, code: int = 0, fields: Fields | None = None) -> None:
        super().__init__(message)
        self.code, self.fields = code, fields or {}


class EditRefused(MessageRejected):
    """An edit or a deletion that will not succeed: 401, 403, 404 and the like for one message. It says
    nothing about the destination, of which only the answer to a POST tells."""


class MessageGone(DiscordError):
    """404 with code 10008: the message to edit or delete does not exist any more."""


class DestinationRefuses(DiscordError):
    """The webhook or thread takes no message now, whatever the post: posts are kept, in order, and the first
    of them is tried again after half a minute, doubling to an hour. Raised for 405, 409, 415, 422, for codes
    about the channel or `thread_id`, and after five refused posts. `known`: found earlier, not now."""

    reason = "destination_refuses"

    def __init__(self, message: str, *, known: bool = False) -> None:
        super().__init__(message)
        self.known = known


class NotDiscord(DestinationRefuses):
    """Several 2xx in a row that are not Discord's: a relay, a login page. One post is tried once an hour."""

    reason = "not_discord"


class WebhookGone(DiscordError):
    """Discord accepts no message for this webhook or thread until a person changes something: 401, 403, 404
    and the codes of discord/responses.py, as answers to a POST; `webhook_gone` with all its threads."""

    def __init__(self, message: str, *, reason: str = "webhook_gone") -> None:
        super().__init__(message)
        self.reason = reason
