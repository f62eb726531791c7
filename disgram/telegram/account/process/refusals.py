"""Why a request of a worker is not answered, in the words of the wire and of /health. No Telethon."""

from __future__ import annotations

from disgram.errors import DisgramError

NOT_FOUND, TOO_LARGE, NOT_NOW = 404, 413, 503


class Refused(DisgramError):
    """`status`: of HTTP. `retry_after`: seconds until it is worth another try, if that is known."""

    def __init__(
        self, reason: str, message: str, *, status: int = NOT_FOUND, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


def unavailable(message: str, retry_after: float | None = None) -> Refused:
    return Refused("telegram_unavailable", message, status=NOT_NOW, retry_after=retry_after)


def waits(seconds: float) -> Refused:
    message = f"Telegram lets the account ask again in {seconds:.0f} s"
    return Refused("account_waits", message, status=NOT_NOW, retry_after=seconds)


def logged_out(why: str) -> Refused:
    message = f"Telegram has ended the account's session ({why}): log in again with `make account`"
    return Refused("account_logged_out", message, status=NOT_NOW)


def missing(why: str) -> Refused:
    return Refused("account_missing", why, status=NOT_NOW)


def not_a_member(name: str) -> Refused:
    return Refused("not_a_member", f"the account is in no channel or group {name}")


def channel_private(name: str) -> Refused:
    return Refused("channel_private", f"the account may not read {name} any more: it left, or was removed")


def channel_not_found(name: str) -> Refused:
    return Refused("channel_not_found", f"no channel or group has the name {name}")


def no_such_invite() -> Refused:
    return Refused("channel_not_found", "nobody has made this invite link, or it has expired")


def content_protected(name: str) -> Refused:
    return Refused("content_protected", f"the owner of {name} forbids forwarding and saving")


def file_gone(message: str = "Telegram has no such file any more") -> Refused:
    return Refused("file_gone", message)


def described(error: BaseException) -> str:
    """What and where, without the error's own words: they may hold what must not be logged."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    where = f" at {last.tb_frame.f_code.co_filename.rpartition('/')[2]}:{last.tb_lineno}" if last else ""
    return f"{type(error).__name__}{where}"
