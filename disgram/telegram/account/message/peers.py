"""Users, channels and groups that messages speak of: their names and their addresses.

Telegram sends them beside the messages, and not always all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from telethon.tl import types as tl

_USERS = (tl.User, tl.UserEmpty)
_CHANNELS = (tl.Channel, tl.ChannelForbidden)


class Peers:
    """Looks up `entities` by their peers (PeerUser, PeerChannel, PeerChat); None has neither name nor URL."""

    def __init__(self, entities: Iterable[tl.TypeUser | tl.TypeChat] = ()) -> None:
        self._known = {_key_of(entity): entity for entity in entities}

    def name(self, peer: tl.TypePeer | None) -> str:
        """The title or the full name; empty if it is not known."""
        entity = self._known.get(_key(peer))
        if isinstance(entity, tl.User):
            words = " ".join(part for part in (entity.first_name, entity.last_name) if part)
            return words.strip() or "Deleted Account"
        return str(getattr(entity, "title", None) or "")

    def user_name(self, user_id: int | None) -> str:
        """The full name of a user by id."""
        return self.name(tl.PeerUser(user_id)) if user_id else ""

    def url(self, peer: tl.TypePeer | None, post_id: int | None = None) -> str | None:
        """The address, or that of a post there; None for a user or group without an address."""
        username = self.username(peer)
        if username:
            return f"https://t.me/{username}/{post_id}" if post_id else f"https://t.me/{username}"
        if isinstance(peer, tl.PeerChannel) and post_id:
            return f"https://t.me/c/{peer.channel_id}/{post_id}"
        return None

    def username(self, peer: tl.TypePeer | None) -> str:
        """Without "@"; empty if there is none. Some have several, of which the first active one counts."""
        entity = self._known.get(_key(peer))
        several = getattr(entity, "usernames", None) or ()
        active = (each.username for each in several if each.active)
        return str(getattr(entity, "username", None) or next(active, ""))


def _key(peer: tl.TypePeer | None) -> tuple[str, int]:
    match peer:
        case tl.PeerUser():
            return "user", peer.user_id
        case tl.PeerChannel():
            return "channel", peer.channel_id
        case tl.PeerChat():
            return "chat", peer.chat_id
    return "", 0


def _key_of(entity: tl.TypeUser | tl.TypeChat) -> tuple[str, int]:
    if isinstance(entity, _USERS):
        return "user", entity.id
    return "channel" if isinstance(entity, _CHANNELS) else "chat", entity.id
