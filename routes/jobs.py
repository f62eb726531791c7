"""The routes that change a job, and those about its posts.

Owns which call on a job does what. Never holds a rule of its own about jobs, limits or processes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from announcement import warn_of_pace
from config import SETTINGS
from disgram.api import failed_posts, headers, json_body, openapi, schemas
from disgram.api.headers import JOB_NAME, TELEGRAM_CHANNELS, needed
from disgram.errors import BadInput, ProcessesRemain, StorageUnavailable, UnknownJob
from disgram.jobs.many import of_job, parsed_jobs
from disgram.jobs.private_channels import named_by_account
from disgram.jobs.unusable import UnusableJob
from disgram.report import Level, counted
from jobs import Job, changes, job_name, new_job
from routes.checks import Checked, Goal, check_webhooks
from routes.dependencies import Authenticated, Sent, named_job
from service import Service

router = APIRouter()

_GONE_WITHIN = 20.0
"""Seconds a DELETE waits for processes that the supervisor kills after ten."""


def start_job_processes(service: Service) -> None:
    """Have the supervisor start and stop workers so that they match the jobs."""
    service.supervisor.wake()


def restart_all_processes(service: Service, job: str) -> None:
    """Replace every worker of the job by a new one."""
    service.supervisor.restart(job)


class JobAnswer(schemas.Message):
    """What changes a job"""

    job: Job
    webhook: Goal | None = Field(default=None, exclude_if=lambda goal: goal is None)
    warnings: list[str] = Field(default=[], exclude_if=lambda warnings: not warnings)


@router.post("/job", **openapi.create_job(Job, has_default=bool(SETTINGS.discord_webhook_url)))
def create_job(service: Authenticated, sent: Sent) -> JobAnswer:
    job = new_job(_with_channels_of_account(service, sent), service.settings)
    service.jobs.refuse_taken(job.jobName)
    checked = check_webhooks(service, [job])
    with service.jobs.exclusive(job.jobName):
        service.jobs.refuse_taken(job.jobName)
        service.clear_gone(job)  # first: should the ledger fail, nothing has changed
        service.jobs.create(job)
        start_job_processes(service)
    text = f"Job created, {counted(len(job.telegramChannels), 'channel')}"
    service.log.write(Level.SYSTEM, text, job.jobName)
    warn_of_pace(service)
    return _answer(f"Job {job.jobName!r} created", job, checked)


def _answer(text: str, job: Job, checked: Checked) -> JobAnswer:
    return JobAnswer(
        message=text + checked.where(job),
        job=job.masked(),
        webhook=checked.goals.get(job.jobName),
        warnings=checked.warnings,
    )


@router.patch("/job", **openapi.change_job(Job))
def change_job(service: Authenticated, sent: Sent) -> JobAnswer:
    name = job_name(needed(sent, JOB_NAME))
    changed = changes(_with_channels_of_account(service, sent, name))
    job = service.jobs.entry(name).changed(changed, service.settings.webhook_hosts)
    checked = check_webhooks(service, [job] if "webhookUrl" in changed else [])
    with service.jobs.exclusive(name):
        before = service.jobs.entry(name)
        job = before.changed(changed, service.settings.webhook_hosts)
        _put(service, before, job)
    fields = before.differences(job)
    if {"cooldown", "telegramChannels", "paused"} & {*fields}:
        warn_of_pace(service)
    outcome = f" changed: {', '.join(fields)}" if fields else ": nothing changed"
    return _answer(f"Job {name!r}{outcome}", job, checked)


def _with_channels_of_account(
    service: Service, sent: Mapping[str, Any], name: str | None = None
) -> Mapping[str, Any]:
    """What was sent, with the channels that the account knows for invite links. `name`: of the job, if there
    is one. Raises BadChannelAddress for what only an account can read if there is none, and TelegramError if
    it cannot be asked."""
    if TELEGRAM_CHANNELS not in sent:
        return sent
    known = [channel.name for channel in service.jobs.entry(name).channels] if name else []
    return {**sent, TELEGRAM_CHANNELS: _named_by_account(service, sent[TELEGRAM_CHANNELS], known)}


def _named_by_account(service: Service, typed: object, known: Collection[str]) -> object:
    login = service.settings.account_login if service.settings.account else None
    resolve = partial(service.account.resolve, login) if service.account and login else None
    return named_by_account(typed, known, resolve)


def _import_named_by_account(service: Service, content: Mapping[str, Any]) -> dict[str, Any]:
    """The same for an import. What is no job is left to parsed_jobs. Raises what the other does, and BadInput
    names the job."""
    before, named = service.jobs.entries(), {}
    for name, fields in content.items():
        named[name] = fields
        if isinstance(fields, dict) and "telegramChannels" in fields:
            known = [channel.name for channel in before[name].channels] if name in before else []
            try:
                channels = _named_by_account(service, fields["telegramChannels"], known)
            except BadInput as error:
                raise of_job(name, error) from None
            named[name] = {**fields, "telegramChannels": channels}
    return named


def _put(service: Service, before: Job | UnusableJob, job: Job) -> None:
    """Put `job` in place of `before`; what had given up is tried again, also where nothing changed."""
    service.clear_gone(job)
    if job != before:
        service.jobs.change(job)
    service.supervisor.reset_backoff(job.jobName)
    fields = ", ".join(before.differences(job))
    text = f"Job changed: {fields}" if fields else "Job sent again, nothing changed"
    service.log.write(Level.SYSTEM, text, job.jobName)


@router.post("/job/pause", **openapi.PAUSE_JOB)
def pause_job(service: Authenticated, sent: Sent) -> JobAnswer:
    name = job_name(needed(sent, JOB_NAME))
    with service.jobs.exclusive(name):
        job = _set_paused(service, name, paused=True)
        if not service.supervisor.wait_gone(name, _GONE_WITHIN):
            raise ProcessesRemain("The job is paused, but its processes are still ending.")
    service.watch.look_soon()
    return JobAnswer(message=f"Job {name!r} is paused", job=job.masked())


@router.post("/job/resume", **openapi.RESUME_JOB)
def resume_job(service: Authenticated, sent: Sent) -> JobAnswer:
    name = job_name(needed(sent, JOB_NAME))
    with service.jobs.exclusive(name):
        job = _set_paused(service, name, paused=False)
    return JobAnswer(message=f"Job {name!r} is not paused", job=job.masked())


def _set_paused(service: Service, name: str, *, paused: bool) -> Job:
    before = service.jobs.get(name)
    job = before.changed({"paused": paused}, service.settings.webhook_hosts)
    if job != before:
        service.jobs.change(job)
        service.log.write(Level.SYSTEM, "Job paused" if paused else "Job resumed", name)
        service.supervisor.reset_backoff(name)
    return job


class JobsAnswer(schemas.Message):
    """POST /jobs: the names of the jobs"""

    created: list[str]
    changed: list[str]
    unchanged: list[str]
    warnings: list[str] = Field(default=[], exclude_if=lambda warnings: not warnings)


@router.post("/jobs", **openapi.import_jobs(Job))
def import_jobs(service: Authenticated, body: Annotated[bytes, Depends(json_body.json_body)]) -> JobsAnswer:
    if not body:
        raise BadInput("Missing jobs", "Send them as JSON, {name: job} (Content-Type: application/json).")
    content = _import_named_by_account(service, json_body.parsed(body))
    jobs = parsed_jobs(content, service.settings.webhook_hosts)
    checked = check_webhooks(service, _with_new_webhooks(service, jobs))
    with service.jobs.exclusive(*jobs):
        before = service.jobs.entries()
        differing = [job for name, job in jobs.items() if before.get(name) != job]
        for job in differing:
            service.clear_gone(job)
        if differing:
            service.jobs.put(differing)
        created = [job.jobName for job in differing if job.jobName not in before]
        changed = [job.jobName for job in differing if job.jobName in before]
        for name in changed:
            service.supervisor.reset_backoff(name)
        start_job_processes(service)
    for job in differing:
        text = "Job changed" if job.jobName in before else "Job created"
        service.log.write(Level.SYSTEM, f"{text} by an import of jobs", job.jobName)
    warn_of_pace(service)
    return JobsAnswer(
        message=_outcome(created, changed),
        created=created,
        changed=changed,
        unchanged=[name for name in jobs if name not in {*created, *changed}],
        warnings=checked.warnings,
    )


def _with_new_webhooks(service: Service, jobs: Mapping[str, Job]) -> list[Job]:
    known = service.jobs.jobs()
    return [
        job for name, job in jobs.items() if name not in known or known[name].webhookUrl != job.webhookUrl
    ]


def _outcome(created: list[str], changed: list[str]) -> str:
    if not created and not changed:
        return "Nothing changed"
    return f"{counted(len(created), 'job')} created, {counted(len(changed), 'job')} changed"


@router.delete("/job", **openapi.DELETE_JOB)
def delete_job(service: Authenticated, sent: Sent) -> schemas.Message:
    name = job_name(needed(sent, JOB_NAME))
    with service.jobs.exclusive(name):
        service.jobs.remove(name)
        start_job_processes(service)
        gone = service.supervisor.wait_gone(name, _GONE_WITHIN)
        _forget(service, name)
    service.watch.look_soon()
    service.log.write(Level.SYSTEM, "Job deleted", name)
    if not gone:
        raise ProcessesRemain("The job is deleted, but its processes are still ending.")
    return schemas.Message(message=f"Job {name!r} deleted")


def _forget(service: Service, name: str) -> None:
    try:
        service.ledger.delete_job(name)
    except StorageUnavailable as error:
        raise StorageUnavailable(
            f"The job is deleted, but its progress is not ({error}): "
            "a new job of this name would go on where it stood."
        ) from None


@router.get("/job/failed", **openapi.FAILED_POSTS)
def list_failed_posts(request: Request, service: Authenticated, sent: Sent) -> schemas.FailedPosts:
    posts = service.ledger.failed(named_job(service, sent), headers.most(request.url.query))
    return schemas.FailedPosts(failed=list(map(failed_posts.shown, posts)))


@router.post("/job/retry", **openapi.RETRY_POSTS)
def retry_failed_posts(service: Authenticated, sent: Sent) -> schemas.Retried:
    name, post = job_name(needed(sent, JOB_NAME)), headers.post_id(sent)
    job = service.jobs.get(name)
    count = service.ledger.retry(name, post, channels=[channel.key for channel in job.channels])
    _refuse_if_not_there(name, post, count, "of a channel it forwards")
    restart_all_processes(service, name)
    service.watch.look_soon()
    text = f"{counted(count, 'failed post')} will be sent again"
    service.log.write(Level.SYSTEM, text, name)
    return schemas.Retried(message=text, retried=count)


@router.delete("/job/failed", **openapi.DISMISS_POSTS)
def dismiss_failed_posts(service: Authenticated, sent: Sent) -> schemas.Dismissed:
    name, post = job_name(needed(sent, JOB_NAME)), headers.post_id(sent)
    service.jobs.get(name)
    count = service.ledger.dismiss(name, post)
    _refuse_if_not_there(name, post, count)
    service.watch.look_soon()
    text = f"{counted(count, 'failed post')} dismissed"
    service.log.write(Level.SYSTEM, text, name)
    return schemas.Dismissed(message=text, dismissed=count)


def _refuse_if_not_there(name: str, post: int | None, count: int, which: str = "") -> None:
    if post is not None and not count:
        what = f"{post} {which}".rstrip()
        raise UnknownJob(
            "Post not found", f"Job {name!r} has no failed post {what}; GET /job/failed lists them."
        )
