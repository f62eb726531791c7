"""What each reason means to a person: what is wrong, and what to do. The one table of them.

A new reason is a row here and one in the README's table ("When something is wrong"). Owns the words, how
urgent a reason is and how far it reaches; never looks at a worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum


class Urgency(IntEnum):
    """In the order in which problems are shown."""

    SERVICE = 0
    """The service itself cannot do its work; needs a person."""
    PERSON = 1
    """One job or channel stands still until a person changes something."""
    POSTS = 2
    """A person has to decide about some posts; the channel goes on."""
    PASSES = 3
    """May end by itself."""


class Reach(Enum):
    """What has the problem if one channel shows it: an alert is about that, and names its channels."""

    SERVICE = "service"
    JOB = "job"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Sentence:
    """`what` and `todo` make one sentence; `urgency` and `reach` decide its place and its alerts."""

    what: str
    todo: str
    urgency: Urgency = Urgency.PERSON
    reach: Reach = Reach.CHANNEL

    def message(self, what: str = "") -> str:
        """The sentence, with another first half if there is more to say."""
        return f"{what or self.what}: {self.todo}."


_PASSES, _SERVICE = Urgency.PASSES, Urgency.SERVICE
_OPEN_AGAIN = "open it again in Discord, then PATCH /job with any header, or choose another thread"

SENTENCES: Mapping[str, Sentence] = {
    # the service itself
    "storage_unavailable": Sentence(
        "The data directory cannot be written or read",
        "make room or correct its permissions; it goes on by itself",
        _SERVICE,
        Reach.SERVICE,
    ),
    "database_too_new": Sentence(
        "disgram.db or limits.db was written by a newer Disgram",
        "run that version or a newer one",
        _SERVICE,
        Reach.SERVICE,
    ),
    "jobs_file": Sentence(
        "jobs.json was changed by hand and cannot be used",
        "correct it; until then the jobs go on as they were",
        _SERVICE,
        Reach.SERVICE,
    ),
    "monitor_silent": Sentence(
        "The monitor, which starts and replaces workers, does nothing",
        "restart the service and report the last lines of its log",
        _SERVICE,
        Reach.SERVICE,
    ),
    "service_error": Sentence(
        "The service is hindered in its work",
        "look into the log, and at its limits on memory, processes and open files",
        _SERVICE,
        Reach.SERVICE,
    ),
    # a job of jobs.json
    "job_unusable": Sentence(
        "The job stands in jobs.json with a channel or a webhook that cannot be used",
        "PATCH /job with what is right, or correct jobs.json",
        reach=Reach.JOB,
    ),
    # the job's webhook
    "webhook_gone": Sentence(
        "Discord does not know the webhook any more",
        "make a new one and PATCH /job with DISCORD_WEBHOOK_URL; posts of meanwhile are delivered then",
        reach=Reach.JOB,
    ),
    "thread_gone": Sentence(
        "The thread does not exist any more",
        "PATCH /job with another DISCORD_THREAD_ID, or take it away",
        reach=Reach.JOB,
    ),
    "thread_archived": Sentence("The thread is archived", _OPEN_AGAIN, reach=Reach.JOB),
    "thread_locked": Sentence("The thread is locked", _OPEN_AGAIN, reach=Reach.JOB),
    "thread_required": Sentence(
        "The webhook belongs to a forum, which takes messages in threads only",
        "PATCH /job with the DISCORD_THREAD_ID of one of its posts",
        reach=Reach.JOB,
    ),
    "not_a_forum": Sentence(
        "The webhook's channel is no forum, so no thread can be opened there",
        "PATCH /job with a forum's webhook, or with DISCORD_THREAD_ID",
        reach=Reach.JOB,
    ),
    "not_discord": Sentence(
        "What answers there is not Discord",
        "see what WEBHOOK_HOSTS or the network puts between this host and Discord; posts are kept",
        reach=Reach.JOB,
    ),
    "destination_refuses": Sentence(
        "Discord takes no message there now",
        "look at the channel's settings in Discord if it lasts; posts are kept and tried again",
        _PASSES,
        Reach.JOB,
    ),
    "rate_limited": Sentence(
        "Posts wait for a rate limit of Discord's",
        "wait, they are sent then; if it lasts, spread the channels over webhooks of other Discord channels",
        _PASSES,
        Reach.JOB,
    ),
    # the channel in Telegram
    "no_preview": Sentence(
        "t.me shows no posts under this name (a group, a user, a bot, or a channel without preview)",
        "name a public channel with PATCH /job",
    ),
    "channel_not_found": Sentence("Nobody has this name in Telegram", "correct it with PATCH /job"),
    "account_missing": Sentence(
        "Only an account can read this channel, and none is logged in",
        "log in (README, Private channels) and restart the service, or take the channel out of the job",
    ),
    "account_logged_out": Sentence(
        "Telegram has ended the account's session",
        "log in again (README, Private channels); the service takes the new session up by itself",
        reach=Reach.SERVICE,
    ),
    "account_waits": Sentence(
        "Telegram lets the account wait",
        "wait, it goes on by itself; if it comes again, read fewer channels through the account",
        _PASSES,
        Reach.SERVICE,
    ),
    "not_a_member": Sentence(
        "The account is not in this channel or group",
        "join it with the account, then PATCH /job with any header",
    ),
    "channel_private": Sentence(
        "The account may not read this channel or group any more",
        "join it again with the account, or take it out of the job",
    ),
    "content_protected": Sentence(
        "The channel's owner forbids forwarding its posts",
        "take it out of the job",
    ),
    "channel_replaced": Sentence(
        "Another channel has this name now, and nothing of it is sent",
        "PATCH /job with any header if you want it, else take it out of the job",
    ),
    "layout_changed": Sentence(
        "Telegram's page was not understood",
        "look at the pieces kept in the folder layout of the data directory and report them if it lasts; "
        "no post is lost",
        _PASSES,
    ),
    # posts
    "post_refused": Sentence(
        "Discord refused posts in every form",
        "see them with GET /job/failed, then send them again with POST /job/retry or dismiss them with "
        "DELETE /job/failed",
        Urgency.POSTS,
    ),
    "gap": Sentence(
        "Posts could not be read so far",
        "wait, every poll tries again; newer posts go ahead of them",
        _PASSES,
    ),
    # outages
    "telegram_unavailable": Sentence(
        "Telegram does not answer, or answers with errors",
        "wait, it is tried again; if it lasts, see whether this host reaches https://t.me",
        _PASSES,
        Reach.SERVICE,
    ),
    "egress_rests": Sentence(
        "An address of TELEGRAM_EGRESS rests",
        "its channels use the other addresses and come back by themselves; see to it if it lasts",
        _PASSES,
        Reach.SERVICE,
    ),
    "discord_unavailable": Sentence(
        "Discord does not answer, or answers with errors",
        "wait, posts are kept and sent later",
        _PASSES,
        Reach.SERVICE,
    ),
    "blocked_by_cloudflare": Sentence(
        "Discord's edge refuses this address for a while",
        "wait; if it comes again, see what else on this address calls Discord",
        _PASSES,
        Reach.SERVICE,
    ),
    "host_gone": Sentence(
        "No host works on this channel: the one that did is not heard of any more, or cannot start workers",
        "wait a minute or two for another one to take it over; then look at /health of each of the hosts",
        _PASSES,
        Reach.SERVICE,
    ),
    # the worker's process
    "start_failed": Sentence(
        "The system could not make another process",
        "look for limits on processes, memory or open files",
        _PASSES,
        Reach.SERVICE,
    ),
    "forkserver_gone": Sentence(
        "The process that workers are forked from has ended, and a new one is being started",
        "look at the system's memory if it happens often",
        _PASSES,
        Reach.SERVICE,
    ),
    "waiting": Sentence(
        "Another process works on this channel of this job",
        "end the worker that was started by hand",
        _PASSES,
    ),
    "crashed": Sentence(
        "The worker ended with an error and is started again",
        "look into the log for the traceback and report it",
        _PASSES,
    ),
    "killed": Sentence(
        "Something outside ended the worker with a signal",
        "look at the system's memory if the log says SIGKILL",
        _PASSES,
    ),
    "exited": Sentence("The worker ended without being asked to", "look into the log", _PASSES),
    "stale": Sentence(
        "The worker has been silent, or has neither read its channel nor sent anything, for too long",
        "look into the log if it happens often; a silent worker is replaced",
        _PASSES,
    ),
    "failed": Sentence(
        "The worker gave up without giving a reason",
        "look into the log, then PATCH /job with any header to start it again",
    ),
}


def sentence_of(reason: str) -> Sentence:
    """Of a reason that has no row, too: a worker of another version may be the one that gives it."""
    return SENTENCES.get(reason) or Sentence(f"Something is wrong ({reason})", "look into the log")
