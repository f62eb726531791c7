"""Messages that a page needs beside its own: what they reply to, and the whole of those that come cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telethon import errors
from telethon.tl import functions
from telethon.tl import types as tl

from disgram.telegram.account.process.calls import Calls
from disgram.telegram.account.process.directory import input_channel, input_peer
from disgram.telegram.account.process.spool import Spool, packed, unpacked
from disgram.telegram.account.process.spools import Names


class Messages:
    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def one(self, channel: Any, number: int) -> Any:
        """As Telegram has it now; None if it is not there. Raises Refused and RPCError."""
        found = await self._read(channel, [number])
        return found[0] if found else None

    async def whole(self, channel: Any, spool: Spool, message: Any) -> Any:
        """A rich message of which Telegram has sent the beginning alone, with its rest."""
        rich = getattr(message, "rich_message", None)
        if rich is None or not rich.part:
            return message
        kept = spool.whole.get(message.id)
        if kept is None:
            kept = spool.whole[message.id] = packed(await self._whole(channel, message))
        return unpacked(kept)

    async def _whole(self, channel: Any, message: Any) -> Any:
        try:
            request = functions.messages.GetRichMessageRequest(input_peer(channel), message.id)
            answer = await self._calls(request)
        except errors.BadRequestError:
            return message
        self._names.learn([*answer.users, *answer.chats])
        return next((each for each in answer.messages if each.id == message.id), message)

    async def answered_by(self, channel: Any, spool: Spool, messages: Sequence[Any]) -> dict[int, Any]:
        """The messages that these reply to, by id, as far as they are there."""
        here = {message.id: message for message in messages}
        wanted = set(_answered(messages)) - set(here)
        unknown = sorted(wanted - set(spool.answered))
        if unknown:
            found = {message.id: packed(message) for message in await self._read(channel, unknown)}
            spool.answered |= {number: found.get(number, b"") for number in unknown}
        kept = {number: spool.answered.get(number) for number in wanted}
        return here | {number: unpacked(data) for number, data in kept.items() if data}

    async def _read(self, channel: Any, numbers: Sequence[int]) -> list[Any]:
        wanted = [tl.InputMessageID(number) for number in numbers]
        answer = await self._calls(functions.channels.GetMessagesRequest(input_channel(channel), wanted))
        self._names.learn([*answer.users, *answer.chats])
        return [
            message for message in answer.messages if isinstance(message, (tl.Message, tl.MessageService))
        ]


def _answered(messages: Iterable[Any]) -> Iterable[int]:
    """Ids in the same channel; without the first message of a topic, which every message of it names."""
    for message in messages:
        header = message.reply_to
        if not isinstance(header, tl.MessageReplyHeader) or header.reply_to_peer_id is not None:
            continue
        only_topic = header.forum_topic and header.reply_to_top_id is None
        if header.reply_to_msg_id and not only_topic:
            yield int(header.reply_to_msg_id)
