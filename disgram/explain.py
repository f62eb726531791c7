"""What became of one post, told from the ledger alone: GET /job/explain.

Owns the state in the answer and the sentence beside it. Never asks Telegram or Discord, and writes nothing.
"""

from __future__ import annotations

from disgram.addresses import ChannelRef
from disgram.api.schemas import ExplainedMessage, ExplainedPost, iso_time
from disgram.storage.post_history import KnownChannel, KnownMessage, KnownPost

SENT, SENDING, FAILED, FILTERED, DELETED, UNKNOWN = (
    "sent",
    "sending",
    "failed",
    "filtered",
    "deleted",
    "unknown",
)


def explain(
    asked: ChannelRef,
    known: KnownPost | None,
    channel: KnownChannel,
    *,
    forwarded: bool,
    refused: str | None = None,
) -> ExplainedPost:
    """The answer for the post that `asked` names. `forwarded`: the job has its channel. `refused`: the reason
    for which its destination takes nothing now."""
    number = asked.start or 0
    known = known or KnownPost(number)
    state = _state(number, known, channel)
    not_seen = state == UNKNOWN and number > (channel.last_id or 0)
    return ExplainedPost(
        url=ChannelRef(asked.name, known.post_id if state != UNKNOWN else number).address,
        state=state,
        reason=refused if state == SENDING or not_seen else known.reason if state == FAILED else None,
        rule=known.rule,
        first_seen_at=iso_time(known.first_seen_at),
        messages=[_message(message) for message in known.messages],
        attempts=known.attempts,
        edits=known.edits,
        note=_note(state, number, known, channel, forwarded=forwarded, refused=refused),
    )


def _state(number: int, known: KnownPost, channel: KnownChannel) -> str:
    if known.state in {SENT, FAILED, FILTERED, DELETED}:
        return known.state or UNKNOWN
    if known.state == "dismissed":
        return FAILED
    under_way = known.state == "retry" or known.messages
    waiting = known.first_seen_at is not None and number > (channel.last_id or 0)
    return SENDING if under_way or waiting else UNKNOWN


def _message(message: KnownMessage) -> ExplainedMessage:
    ids = (message.guild_id, message.channel_id, message.message_id)
    url = f"https://discord.com/channels/{'/'.join(map(str, ids))}" if all(ids) else None
    state = SENT if message.state == SENT else SENDING
    return ExplainedMessage(url=url, sent_at=iso_time(message.sent_at), state=state)


# --- the sentence ---------------------------------------------------------------------------------------


def _note(
    state: str,
    number: int,
    known: KnownPost,
    channel: KnownChannel,
    *,
    forwarded: bool,
    refused: str | None,
) -> str | None:
    if not forwarded:
        return "The job does not forward this channel" + (" any more." if known.state else ".")
    if state == UNKNOWN:
        return _why_unknown(number, known, channel, refused)
    if state == SENDING:
        return _why_sending(known, channel, refused)
    if known.state == "dismissed":
        return "Discord refused it in every form, and a person is done with it: it is not sent."
    if state == SENT and known.attempts is None:
        return "It was sent by an older Disgram, which noted no times."
    return {
        FAILED: "Discord refused it in every form; POST /job/retry sends it again.",
        FILTERED: "It was left out because of this rule or setting.",
        DELETED: "It was deleted in Telegram, or its message in Discord; it is not followed any more.",
    }.get(state)


def _why_sending(known: KnownPost, channel: KnownChannel, refused: str | None) -> str | None:
    if refused:
        return "It is kept until Discord takes messages there again; GET /health with JOB_NAME says more."
    if known.state == "retry":
        return "Discord had refused it; it is sent again at the next poll, as a person asked."
    if not known.attempts:
        return f"It waits for the posts before it; those up to {channel.last_id} are dealt with."
    return None


def _why_unknown(number: int, known: KnownPost, channel: KnownChannel, refused: str | None) -> str:
    if channel.last_id is None:
        return (
            "Nothing of this channel has been read for this job so far; GET /health with JOB_NAME says why."
        )
    if channel.gap:
        first, last = channel.gap
        return f"Telegram did not show the posts {first} to {last} when they were due; each poll tries again."
    if number > channel.last_id:
        why = "; the channel is not read while Discord takes no messages there" if refused else ""
        return f"It was not seen so far: the posts up to {channel.last_id} are dealt with{why}."
    if channel.began_after is not None and number <= channel.began_after:
        return (
            f"It came before the job's start: the job forwards what comes after post {channel.began_after}."
        )
    if known.first_seen_at is not None:
        return "It was seen, but gone from Telegram before it could be sent."
    return (
        "Telegram showed no post of this number when those around it were forwarded: none, or a deleted one."
    )
