"""`Job`: which channels go to which webhook, and how.

Owns the fields, as jobs.json and the API's answers name them. Never reads a file or a request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from disgram.addresses import ChannelRef, Destination
from disgram.cooldown import Cooldown
from disgram.errors import BadInput
from disgram.jobs.fields import (
    ChannelList,
    EmbedColor,
    JobName,
    Paused,
    ThreadId,
    WebhookUrl,
    with_thread_of_webhook,
)
from disgram.jobs.rule_fields import (
    CooldownField,
    Exclude,
    Include,
    InitialPosts,
    Kinds,
    MentionField,
    MentionIf,
    Silent,
    Tags,
    ThreadName,
    refuse_contradictions,
)
from disgram.rules.texts import RuleTexts


def _unset(value: object) -> bool:
    """Left out of jobs.json and of answers, so that an old file stays as it is."""
    return value is None


def _rule(description: str) -> Any:
    return Field(None, exclude_if=_unset, description=description)


# A further field needs a line here, its type in fields.py and its header's name in disgram/api/headers.py
# (JOB_FIELDS); its description stands at that header in the OpenAPI document, too.
class Job(BaseModel):
    """One forwarding job. The field names are those of jobs.json and of the API's answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    jobName: JobName = Field(description="The job's name.")
    webhookUrl: WebhookUrl = Field(
        repr=False, description="Where posts go: a webhook URL of Discord, or of a host of WEBHOOK_HOSTS."
    )
    telegramChannels: ChannelList = Field(
        description="Public channels, with commas between them: `name`, `@name`, `https://t.me/name`; "
        "with `/123` behind it a channel is forwarded from post 123 on."
    )
    threadId: ThreadId = Field(None, description="Post into this thread.")
    embedColor: EmbedColor = Field(None, description="Six hex digits, such as 89a7d9.")
    paused: Paused = Field(
        None, exclude_if=_unset, description="While true, nothing is polled or sent; progress and posts wait."
    )
    cooldown: CooldownField = _rule("Seconds between two polls (`300`), or a range (`60-300`).")
    initialPosts: InitialPosts = _rule("How many of the newest posts the first poll of a channel forwards.")
    include: Include = _rule(
        "Forward only posts in whose text or file names this regular expression is found."
    )
    exclude: Exclude = _rule("Leave out posts in whose text or file names this regular expression is found.")
    kinds: Kinds = _rule(
        "Forward only posts of these kinds (`photo,video`), or none of these (`-forward,-poll`)."
    )
    mention: MentionField = _rule("Role ids, `everyone` or `here`, which each post pings.")
    mentionIf: MentionIf = _rule("Ping only with posts in which this regular expression is found.")
    silent: Silent = _rule("`true`: messages come without a push notification.")
    threadName: ThreadName = _rule(
        "Forum and media channels: each post opens a thread of this name; `{title}`, `{date}` and "
        "`{first_line}` are filled in."
    )
    tags: Tags = _rule("The ids of the tags that those threads get.")

    @classmethod
    def parse(cls, fields: Mapping[str, Any], webhook_hosts: Collection[str] = ()) -> Job:
        """A job of what a person wrote. Raises BadInput, which never repeats a webhook URL."""
        try:
            fields = with_thread_of_webhook(fields)
            job = cls.model_validate(fields, context={"webhook_hosts": webhook_hosts})
        except ValidationError as error:  # a field that is missing or unknown; the rest is BadInput already
            first = error.errors(include_url=False, include_input=False)[0]
            name = first["loc"][0] if first["loc"] else "job"
            if first["type"] == "missing":
                raise BadInput(f"Invalid {name}", "It is missing, and each job needs it.") from None
            raise BadInput(f"Invalid {name}", f"{first['msg']}.") from None
        refuse_contradictions(dict(job))
        return job

    def changed(self, fields: Mapping[str, Any], webhook_hosts: Collection[str] = ()) -> Job:
        """The same job, under its name, with other values for these fields. Raises BadInput."""
        changed = with_thread_of_webhook(fields)
        return self.parse({**dict(self), **changed, "jobName": self.jobName}, webhook_hosts)

    def differences(self, other: Job) -> list[str]:
        """The names of the fields in which another job is not like this one."""
        return [name for name, value in self if value != getattr(other, name)]

    @property
    def rules(self) -> RuleTexts:
        """What a worker needs of them."""
        return RuleTexts(
            include=self.include,
            exclude=self.exclude,
            kinds=self.kinds,
            mention=self.mention,
            mention_if=self.mentionIf,
            silent=bool(self.silent),
            thread_name=self.threadName,
            tags=self.tags,
        )

    @property
    def channels(self) -> tuple[ChannelRef, ...]:
        """The channels, parsed."""
        return tuple(ChannelRef.parse(address) for address in self.telegramChannels)

    def rests(self, cooldown: Cooldown) -> Cooldown:
        """Between two polls of one of its channels; `cooldown`: for jobs without one of their own."""
        return Cooldown.parse(self.cooldown) if self.cooldown else cooldown

    def destination(self, webhook_hosts: Collection[str] = ()) -> Destination:
        """The webhook and thread, parsed. Raises BadWebhookURL for a host not allowed any more."""
        return Destination.parse(self.webhookUrl, self.threadId, extra_hosts=webhook_hosts)

    def masked(self) -> Job:
        """The same job without its secret, for answers that anybody may read."""
        destination = self.destination((_host_of(self.webhookUrl),))
        return self.model_copy(update={"webhookUrl": destination.masked})


RULES = frozenset(Job.model_fields) - {
    *("jobName", "webhookUrl", "telegramChannels", "threadId", "embedColor", "paused")
}
"""The fields that say which posts, how, and how often; a job is whole without them."""


def _host_of(url: str) -> str:
    return url.split("/")[2]
