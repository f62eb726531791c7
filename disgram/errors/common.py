"""The root of the tree, and what is neither Telegram's error nor Discord's. See the package's docstring."""

from __future__ import annotations


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


class LeaseLost(Stopping):
    """Another host writes this channel's rows now, or its job was deleted: the worker ends, and what it has
    not written yet is not written. Treated as Stopping wherever that is."""
