"""Where a reply leads in Discord: the message of the post it answers, if that was forwarded, too.

Owns the form of that link. Never asks Discord itself, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from disgram.post import Reply, TelegramPost
from disgram.storage.channel_ledger import ChannelLedger, MessageRow


def reply_link_of(post: TelegramPost, ledger: ChannelLedger, guild_id: Callable[[], str]) -> str | None:
    """The link of the first Discord message of the post replied to, if the ledger has it. `guild_id` is asked
    only then; "" if the server is not known."""
    reply = next((block for block in post.blocks if isinstance(block, Reply)), None)
    channel, _, post_id = (reply.url or "").rpartition("/") if reply else ("", "", "")
    if not post_id.isdecimal() or channel.partition("t.me/")[2].lower() != post.channel.lower():
        return None
    first: MessageRow | None = next(iter(ledger.messages(int(post_id))), None)
    if first is None or not first.message_id or not first.channel_id:
        return None
    guild = guild_id()
    return f"https://discord.com/channels/{guild}/{first.channel_id}/{first.message_id}" if guild else None
