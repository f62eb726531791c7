"""Channels that only an account can read, as a person names them for a job.

Owns which of them are taken: with an account any, and invite links become the channels they lead to. Never
asks anybody itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from disgram.addresses import ChannelRef, invite_hash
from disgram.errors import BadChannelAddress, ChannelHasNoPreview, ChannelNotFound

Resolve = Callable[[str], str]
"""The name (`c/<id>`) behind the hash of an invite link. Raises TelegramError."""

HOW = "To read it, log in with an account that is in it (`make account`) and restart the service."


def named_by_account(typed: object, known: Collection[str], resolve: Resolve | None) -> object:
    """The channels of a job, a list or text with commas, without invite links; what is neither is left to the
    job's own checks. `known`: names that the job has already; `resolve` None: there is no account.

    Raises BadChannelAddress for one that nobody could read, and TelegramError if the account cannot be asked.
    """
    items = typed.split(",") if isinstance(typed, str) else typed
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        return typed
    return [_named(item, known, resolve) for item in items]


def _named(item: str, known: Collection[str], resolve: Resolve | None) -> str:
    invite = invite_hash(item)
    if invite is not None:
        return _resolved(item, invite, resolve)
    if not item.strip():
        return item
    channel = ChannelRef.parse(item)
    if channel.private and resolve is None and channel.name not in known:
        raise BadChannelAddress("Private channel", f"{channel.address} has no public preview. {HOW}")
    return item


def _resolved(item: str, invite: str, resolve: Resolve | None) -> str:
    link = repr(item.strip()[:100])
    if resolve is None:
        raise BadChannelAddress("Private channel", f"{link} is an invite link. {HOW}")
    try:
        name = resolve(invite) if invite else ""
    except ChannelNotFound as error:
        raise BadChannelAddress("Invite link", f"{link}: {error}.") from None
    except ChannelHasNoPreview as error:
        raise BadChannelAddress(
            "Invite link",
            f"{link}: {error}. The account joins nothing by itself: join with it, then try again.",
        ) from None
    if not name:
        raise BadChannelAddress("Invite link", f"{link} leads to no channel.")
    return ChannelRef.parse(f"https://t.me/{name}").address
