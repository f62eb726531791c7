"""The routes that change a job, and those about its posts.

Owns which call on a job does what. Never holds a rule of its own about jobs, limits or processes.
"""

from __future__ import annotations

from fastapi import APIRouter, Request

from config import SETTINGS
from dependencies import Authenticated, known_job, sent_headers
from disgram.api import headers, openapi, schemas
from disgram.api.headers import JOB_NAME, needed
from disgram.errors import ProcessesRemain, StorageUnavailable, UnknownJob
from disgram.report import Level
from jobs import Job, changes, job_name, new_job
from service import Service, warn_of_pace

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
    """POST and PATCH /job"""

    job: Job


@router.post("/job", **openapi.create_job(Job, has_default=bool(SETTINGS.discord_webhook_url)))
def create_job(request: Request, service: Authenticated) -> JobAnswer:
    job = new_job(sent_headers(request), service.settings)
    with service.jobs.exclusive(job.jobName):
        service.jobs.refuse_taken(job.jobName)
        service.clear_gone(job)  # first: should the ledger fail, nothing has changed
        service.jobs.create(job)
        start_job_processes(service)
    service.log.write(Level.SYSTEM, f"Job created, {len(job.telegramChannels)} channels", job.jobName)
    warn_of_pace(service)
    return JobAnswer(message=f"Job {job.jobName!r} created", job=job.masked())


@router.patch("/job", **openapi.change_job(Job))
def change_job(request: Request, service: Authenticated) -> JobAnswer:
    sent = sent_headers(request)
    name, changed = job_name(needed(sent, JOB_NAME)), changes(sent)
    with service.jobs.exclusive(name):
        job = service.jobs.get(name).changed(changed, service.settings.webhook_hosts)
        service.clear_gone(job)
        service.jobs.change(job)
        service.supervisor.reset_backoff(name)
    service.log.write(Level.SYSTEM, f"Job changed: {', '.join(changed)}", name)
    return JobAnswer(message=f"Job {name!r} changed", job=job.masked())


@router.delete("/job", **openapi.DELETE_JOB)
def delete_job(request: Request, service: Authenticated) -> schemas.Message:
    name = job_name(needed(sent_headers(request), JOB_NAME))
    with service.jobs.exclusive(name):
        service.jobs.remove(name)
        start_job_processes(service)
        gone = service.supervisor.wait_gone(name, _GONE_WITHIN)
        _forget(service, name)
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
def list_failed_posts(request: Request, service: Authenticated) -> schemas.FailedPosts:
    job = known_job(request)
    posts = (schemas.FailedPost(**post) for post in service.ledger.failed())
    return schemas.FailedPosts(failed=[post for post in posts if job in {None, post.job}])


@router.post("/job/retry", **openapi.RETRY_POSTS)
def retry_failed_posts(request: Request, service: Authenticated) -> schemas.Retried:
    sent = sent_headers(request)
    name, post = job_name(needed(sent, JOB_NAME)), headers.post_id(sent)
    service.jobs.get(name)
    count = service.ledger.retry(name, post)
    if post is not None and not count:
        raise UnknownJob(
            "Post not found", f"Job {name!r} has no failed post {post}; GET /job/failed lists them."
        )
    restart_all_processes(service, name)
    service.log.write(Level.SYSTEM, f"{count} failed posts are sent again", name)
    return schemas.Retried(message=f"{count} failed posts will be sent again", retried=count)
