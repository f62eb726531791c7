"""What goes wrong in talking to Telegram, or to the account's process. See the package's docstring."""

from __future__ import annotations

from disgram.errors.common import DisgramError


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
