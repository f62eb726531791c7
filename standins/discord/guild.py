"""The server of Discord's that the stand-in plays: channels, threads, webhooks, messages and their changes.

Owns that state behind one lock. Never answers a request (server.py) and never refuses anything.
"""

from __future__ import annotations

import secrets
import threading

from standins.discord.messages import Channel, Message, Webhook


class Guild:
    """Thread-safe. Ids are snowflakes, ascending over everything. `base` is where webhooks are addressed."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._channels: dict[str, Channel] = {}
        self._webhooks: dict[str, Webhook] = {}
        self._messages: dict[str, Message] = {}
        self._last_id = 1_400_000_000_000_000_000
        self._changed = threading.Condition(threading.RLock())
        self._changes: list[str] = []

    def add_channel(self, name: str = "general", *, forum: bool = False) -> str:
        """A text channel or a forum; its id."""
        return self._add(Channel(self._new_id(), name, forum=forum))

    def add_thread(self, channel_id: str, name: str = "thread") -> str:
        """A thread in a channel; its id, which is what `thread_id` wants."""
        return self._add(Channel(self._new_id(), name, parent_id=channel_id))

    def _add(self, channel: Channel) -> str:
        with self._changed:
            self._channels[channel.id] = channel
        return channel.id

    def add_webhook(self, channel_id: str, name: str = "Disgram") -> Webhook:
        """A webhook of that channel, with a token of Discord's length."""
        token, number = secrets.token_urlsafe(51), self._new_id()
        webhook = Webhook(number, token, channel_id, name, f"{self._base}/api/webhooks/{number}/{token}")
        with self._changed:
            self._webhooks[number] = webhook
        return webhook

    def delete_webhook(self, webhook_id: str) -> None:
        """It answers 404/10015 from now on."""
        with self._changed:
            self._webhooks.pop(webhook_id, None)

    def delete_channel(self, channel_id: str) -> None:
        """A thread (or channel) that is gone; `lock` is for one that is closed."""
        self._channels[channel_id].deleted = True

    def lock(self, channel_id: str, *, locked: bool = True) -> None:
        self._channels[channel_id].locked = locked

    def archive(self, thread_id: str) -> None:
        """As a thread does by itself after a while; a new message opens it again."""
        self._channels[thread_id].archived = True

    def threads(self, channel_id: str) -> list[Channel]:
        """Of a channel or a forum, the oldest first."""
        with self._changed:
            return [channel for channel in self._channels.values() if channel.parent_id == channel_id]

    def channel(self, channel_id: str) -> Channel:
        return self._channels[channel_id]

    def messages(self, channel_id: str | None = None, *, deleted: bool = False) -> list[Message]:
        """The messages of a channel or thread (None: of all), in order of arrival."""
        with self._changed:
            return [
                message
                for message in self._messages.values()
                if (channel_id is None or message.channel_id == channel_id)
                and (deleted or not message.deleted)
            ]

    def changes(self, since: int, timeout: float) -> tuple[int, list[Message]]:
        """How many changes there were by now, and the messages concerned after the first `since` of them.

        Waits up to `timeout` seconds for one.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._changes) > since, timeout)
            found = dict.fromkeys(self._changes[since:])
            return len(self._changes), [self._messages[number] for number in found]

    def _note_change(self, message: Message) -> None:
        self._changes.append(message.id)
        self._changed.notify_all()

    def _new_id(self) -> str:
        with self._changed:
            self._last_id += 4194304
            return str(self._last_id)
