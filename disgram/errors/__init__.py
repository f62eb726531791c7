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
    │   └── LeaseLost            another host has taken the channel over: the same
    ├── TelegramError
    │   ├── TelegramUnavailable  network, 5xx, 429: read again later, no post is skipped
    │   ├── ChannelHasNoPreview  the worker ends (exit code 78), for an hour or until the job is changed
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

from disgram.errors.common import (
    AccessRefused,
    BadChannelAddress,
    BadInput,
    BadSetting,
    BadWebhookURL,
    DatabaseDamaged,
    DatabaseTooNew,
    DisgramError,
    HttpError,
    JobExists,
    LeaseLost,
    NotAuthenticated,
    PreviewUnavailable,
    ProcessesRemain,
    RequestCutOff,
    StartFailed,
    StartRefused,
    Stopping,
    StorageUnavailable,
    TooManyFailures,
    UnknownJob,
    WrongToken,
)
from disgram.errors.discord import (
    CloudflareBlocked,
    DestinationRefuses,
    DiscordError,
    DiscordUnavailable,
    EditRefused,
    EditWaits,
    Fields,
    InternalError,
    MessageGone,
    MessageRejected,
    NotDiscord,
    PayloadTooLarge,
    PoisonMessage,
    RateLimited,
    UnreadableResponse,
    WebhookGone,
)
from disgram.errors.telegram import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    ChannelReplaced,
    MediaUnavailable,
    PageNotUnderstood,
    TelegramError,
    TelegramUnavailable,
)

__all__ = [
    "AccessRefused",
    "AccountUnavailable",
    "BadChannelAddress",
    "BadInput",
    "BadSetting",
    "BadWebhookURL",
    "ChannelHasNoPreview",
    "ChannelNotFound",
    "ChannelReplaced",
    "CloudflareBlocked",
    "DatabaseDamaged",
    "DatabaseTooNew",
    "DestinationRefuses",
    "DiscordError",
    "DiscordUnavailable",
    "DisgramError",
    "EditRefused",
    "EditWaits",
    "Fields",
    "HttpError",
    "InternalError",
    "JobExists",
    "LeaseLost",
    "MediaUnavailable",
    "MessageGone",
    "MessageRejected",
    "NotAuthenticated",
    "NotDiscord",
    "PageNotUnderstood",
    "PayloadTooLarge",
    "PoisonMessage",
    "PreviewUnavailable",
    "ProcessesRemain",
    "RateLimited",
    "RequestCutOff",
    "StartFailed",
    "StartRefused",
    "Stopping",
    "StorageUnavailable",
    "TelegramError",
    "TelegramUnavailable",
    "TooManyFailures",
    "UnknownJob",
    "UnreadableResponse",
    "WebhookGone",
    "WrongToken",
]
