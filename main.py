"""Disgram's service: the FastAPI app, its routes, and the start.

Owns which call does what. Never holds a rule of its own about jobs, limits or processes, and importing
it starts nothing.
"""

from __future__ import annotations

import os
import signal
import sys

if sys.version_info < (3, 10):  # noqa: UP036 - before anything that an older Python cannot import
    print("disgram: Python 3.10 or newer is needed; this is", sys.version.split()[0], file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    # The imports below take a second, and a container's first process hears no signal without a handler.
    for _number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_number, lambda *_: os._exit(0))

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from auth import BEARER, authenticated, authorization, trusted_reader
from config import SETTINGS, Settings
from disgram import __version__
from disgram.api import errors, headers, health, openapi, schemas, server
from disgram.api.docs_pages import docs_routes
from disgram.api.headers import JOB_NAME, needed
from disgram.api.middleware import HeadAsGet, RequestGuard
from disgram.api.status_line import status_line
from disgram.api.text_stream import TextStream
from disgram.errors import ProcessesRemain, StorageUnavailable, UnknownJob
from disgram.logs.log_file import one_line
from disgram.report import Level
from disgram.workers.spec import WorkerStatus
from jobs import Job, changes, job_name, new_job
from service import Service, refuse_second_service, running_service, warn_of_pace

_GONE_WITHIN = 20.0
"""Seconds a DELETE waits for processes that the supervisor kills after ten."""

# --- processes ------------------------------------------------------------------------------------------


def start_job_processes(service: Service) -> None:
    """Have the supervisor start and stop workers so that they match the jobs."""
    service.supervisor.wake()


def check_process_health(service: Service, job: str) -> tuple[WorkerStatus, ...]:
    """The job's workers as last seen."""
    return tuple(worker for worker in service.supervisor.snapshot().workers if worker.job == job)


def restart_all_processes(service: Service, job: str) -> None:
    """Replace every worker of the job by a new one."""
    service.supervisor.restart(job)


def health_check(service: Service) -> schemas.Health:
    """The answer of GET /health."""
    log = health.LogFileState(service.log.last_write_at, service.log.write_error)
    counts = {name: len(job.telegramChannels) for name, job in service.jobs.jobs().items()}
    snapshot = service.supervisor.snapshot()
    if service.jobs.problem:
        snapshot = replace(snapshot, errors=(*snapshot.errors, service.jobs.problem))
    return health.summarise(snapshot, _limits(service), service.host.latest, log, service.moment(), counts)


def job_health_check(service: Service, name: str) -> schemas.JobHealth:
    """The answer of GET /health with JOB_NAME. Raises UnknownJob."""
    job = service.jobs.get(name)
    channels = [channel.name for channel in job.channels]
    configuration = schemas.JobConfiguration(
        webhook_url=job.masked().webhookUrl,
        thread_id_configured=job.threadId is not None,
        embed_color=job.embedColor,
        channels_count=len(channels),
    )
    workers = check_process_health(service, name)
    return health.summarise_job(name, configuration, channels, workers, service.moment())


def _limits(service: Service) -> dict[str, Any]:
    try:
        return service.limits.snapshot()
    except StorageUnavailable as error:
        return {"error": str(error)}


# --- what every route asks of a request -----------------------------------------------------------------


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _sent(request: Request) -> dict[str, str]:
    return headers.headers_of(request.headers.raw)


def _known_job(request: Request) -> str | None:
    """The name in JOB_NAME; None without it. Raises UnknownJob if there is no such job."""
    name = _sent(request).get(JOB_NAME)
    return _service(request).jobs.get(job_name(name)).jobName if name else None


Authenticated = Annotated[Service, Depends(authenticated)]
TrustedReader = Annotated[bool, Depends(trusted_reader)]

# --- the routes -----------------------------------------------------------------------------------------

router = APIRouter()


class JobAnswer(schemas.Message):
    """POST and PATCH /job"""

    job: Job


@router.get("/", **openapi.WELCOME)
def welcome(request: Request) -> schemas.Welcome:
    now = health_check(_service(request))
    return schemas.Welcome(
        version=__version__, status=now.status, uptime_minutes=now.uptime_minutes, jobs=now.jobs.total_jobs
    )


@router.get("/health", **openapi.HEALTH)
def show_health(request: Request, response: Response, scheme: BEARER) -> schemas.HealthAnswer:
    service, name = _service(request), _sent(request).get(JOB_NAME)
    answer: schemas.HealthAnswer
    if name or authorization(request) or not service.settings.protect_reads:
        trusted_reader(request, scheme)
        answer = job_health_check(service, job_name(name)) if name else health_check(service)
    else:
        answer = schemas.BareStatus(status=health_check(service).status)
    response.status_code = 503 if answer.status == health.UNHEALTHY else 200
    return answer


@router.get("/logs", response_class=PlainTextResponse, **openapi.LOGS)
def show_logs(request: Request, _trusted: TrustedReader) -> TextStream:
    most, level = headers.log_query(request.url.query)
    job = _known_job(request)
    lines = _service(request).log.tail(most, job, level)
    heading = [
        f"Disgram {__version__}, log of {one_line(job) if job else 'all jobs'}",
        f"{len(lines)} lines (at most {most}), level: {level.value if level else 'all'}",
        "=" * 80,
    ]
    return TextStream(chain(heading, lines), lines.close)


@router.get("/jobs", **openapi.JOBS)
def list_jobs(request: Request, trusted: TrustedReader) -> dict[str, Job]:
    jobs = _service(request).jobs.jobs()
    return jobs if trusted else {name: job.masked() for name, job in jobs.items()}


@router.post(
    "/job", **openapi.create_job(Job, SETTINGS.webhook_hosts, has_default=bool(SETTINGS.discord_webhook_url))
)
def create_job(request: Request, service: Authenticated) -> JobAnswer:
    job = new_job(_sent(request), service.settings)
    with service.jobs.exclusive(job.jobName):
        service.jobs.refuse_taken(job.jobName)
        service.clear_gone(job)  # first: should the ledger fail, nothing has changed
        service.jobs.create(job)
        start_job_processes(service)
    service.log.write(Level.SYSTEM, f"Job created, {len(job.telegramChannels)} channels", job.jobName)
    warn_of_pace(service)
    return JobAnswer(message=f"Job {job.jobName!r} created", job=job.masked())


@router.patch("/job", **openapi.change_job(Job, SETTINGS.webhook_hosts))
def change_job(request: Request, service: Authenticated) -> JobAnswer:
    sent = _sent(request)
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
    name = job_name(needed(_sent(request), JOB_NAME))
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
    job = _known_job(request)
    posts = (schemas.FailedPost(**post) for post in service.ledger.failed())
    return schemas.FailedPosts(failed=[post for post in posts if job in {None, post.job}])


@router.post("/job/retry", **openapi.RETRY_POSTS)
def retry_failed_posts(request: Request, service: Authenticated) -> schemas.Retried:
    sent = _sent(request)
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


# --- the app --------------------------------------------------------------------------------------------

ServiceContext = Callable[[Settings], AbstractContextManager[Service]]


def create_app(settings: Settings, run: ServiceContext = running_service) -> FastAPI:
    """The app; `run` gives it a service for as long as it lives."""
    app = FastAPI(
        title="Disgram",
        version=__version__,
        description="Posts of public Telegram channels appear in Discord. Parameters are request headers.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=server.lifespan(lambda: run(settings), _report_to_systemd),
    )
    docs = docs_routes("Disgram")
    app.include_router(router)
    app.include_router(docs)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestGuard, hosts=settings.answering_to)
    errors.install_error_handlers(app, [*app.routes, *router.routes, *docs.routes])
    return app


def _report_to_systemd(service: Service) -> None:
    service.systemd.ready(lambda: status_line(health_check(service).model_dump()))


app = create_app(SETTINGS)

if __name__ == "__main__":
    server.serve(
        app,
        SETTINGS.host,
        SETTINGS.port,
        proxies=SETTINGS.trusted_proxies,
        on_taken=partial(refuse_second_service, SETTINGS),
    )
