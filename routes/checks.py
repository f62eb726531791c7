"""Calls on a job that ask Discord and Telegram whether it will work.

Owns what is asked before a job is created or changed, and POST /job/test. Never changes a job.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, replace

from fastapi import APIRouter
from pydantic import BaseModel, Field

from disgram.addresses import Destination
from disgram.api import headers, openapi, schemas
from disgram.api.headers import JOB_NAME, SEND, needed
from disgram.checks.webhook_lookup import WebhookAnswer
from disgram.errors import BadInput, StorageUnavailable
from disgram.report import Level, counted
from jobs import Job, job_name
from routes.dependencies import Authenticated, Sent
from service import Service

_WARNINGS_SHOWN = 10


class Goal(BaseModel):
    """Where posts will go, as Discord says."""

    name: str | None = Field(description="The webhook's name.")
    channel_id: str | None
    guild_id: str | None
    thread_id: str | None = Field(None, exclude_if=lambda value: value is None)


class Checked(BaseModel):
    """What Discord said of the webhooks of jobs that are about to be stored."""

    goals: dict[str, Goal] = {}
    warnings: list[str] = []

    def where(self, job: Job) -> str:
        """For the message of an answer."""
        goal = self.goals.get(job.jobName)
        if goal is None or goal.channel_id is None:
            return ""
        thread = f"the thread {job.threadId} of " if job.threadId else ""
        through = f" (webhook {goal.name!r})" if goal.name else ""
        return f"; posts go to {thread}the channel {goal.channel_id}{through}"


def check_webhooks(service: Service, jobs: Collection[Job]) -> Checked:
    """Ask for the webhooks of these jobs. Raises BadInput for one that Discord does not know.

    What cannot be asked is a warning: an outage of Discord's keeps nobody from making a job.
    """
    if not service.settings.webhook_check:
        return Checked()
    hosts = service.settings.webhook_hosts
    destinations = {job.jobName: job.destination(hosts) for job in jobs}
    answers = _answers(service, destinations.values())
    checked = Checked()
    for job in jobs:
        answer = answers[destinations[job.jobName].webhook_key]
        if answer.ok is False:
            raise _unknown(job, answer)
        if answer.ok is None:
            checked.warnings.append(f"Job {job.jobName!r}: its webhook was not checked. {answer.message}")
        else:
            checked.goals[job.jobName] = Goal(
                name=answer.name,
                channel_id=answer.channel_id,
                guild_id=answer.guild_id,
                thread_id=job.threadId,
            )
    more = len(checked.warnings) - _WARNINGS_SHOWN
    if more > 0:
        checked.warnings[_WARNINGS_SHOWN:] = [f"{counted(more, 'more job')} with a webhook not checked."]
    return checked


def _answers(service: Service, webhooks: Collection[Destination]) -> dict[str, WebhookAnswer]:
    """By `webhook_key`. The server's id is kept, for links to messages."""
    answers = service.webhooks.ask(webhooks)
    for webhook in webhooks:
        if guild_id := answers[webhook.webhook_key].guild_id:
            with suppress(StorageUnavailable):  # a link less
                service.ledger.put_guild(webhook.webhook_id, guild_id)
    return answers


def _unknown(job: Job, answer: WebhookAnswer) -> BadInput:
    return BadInput(
        "Unknown webhook",
        f"Job {job.jobName!r}: {answer.message} Copy the URL once more from the channel's settings "
        "(Integrations, Webhooks), or make a new webhook there. Nothing was changed.",
    )


# --- POST /job/test -------------------------------------------------------------------------------------

router = APIRouter()


class WebhookTest(schemas.Answer):
    ok: bool | None = Field(description="null: it could not be asked.")
    name: str | None
    channel_id: str | None
    guild_id: str | None
    message: str


class ChannelTest(schemas.Answer):
    channel: str
    ok: bool | None = Field(description="null: there was no time to ask.")
    reason: str | None = Field(description="One word, as in /health; null when all is well.")
    title: str | None
    newest_post_id: int | None


class JobTest(schemas.Answer):
    """POST /job/test"""

    webhook: WebhookTest
    channels: list[ChannelTest]


@router.post("/job/test", **openapi.TEST_JOB)
def test_job(service: Authenticated, sent: Sent) -> JobTest:
    job = service.jobs.get(job_name(needed(sent, JOB_NAME)))
    webhook = _tested_webhook(service, job, send=headers.switch(sent, SEND))
    answers = service.channels.ask(job.channels)
    channels = [ChannelTest(channel=channel.name, **asdict(answers[channel.key])) for channel in job.channels]
    return JobTest(webhook=webhook, channels=channels)


def _tested_webhook(service: Service, job: Job, *, send: bool) -> WebhookTest:
    """With `send` a message marked as a test is sent to a webhook that Discord knows."""
    destination = job.destination(service.settings.webhook_hosts)
    answer = _answers(service, [destination])[destination.webhook_key]
    if send and answer.ok is not False:
        test = service.webhooks.send_test(destination, new_thread=bool(job.threadName))
        answer = replace(answer, ok=test.ok, message=f"{answer.message} {test.message}")
        service.log.write(Level.SYSTEM, f"Test message: {test.message}", job.jobName)
    return WebhookTest(**asdict(answer))
