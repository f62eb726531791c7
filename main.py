"""Disgram's service: the FastAPI app, its routes, and the start.

Owns which call does what, and the exit codes. Never holds a rule of its own about jobs, limits or
processes, and importing it starts nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

import anyio.to_thread
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Security
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from auth import bearer_token, client_address
from config import SETTINGS, Settings
from disgram import __version__
from disgram.api import headers as api_parameters
from disgram.api import health
from disgram.api import openapi as document
from disgram.api.docs_pages import docs_routes
from disgram.api.head_requests import HeadAsGet
from disgram.api.headers import JOB_NAME, headers_of, needed
from disgram.api.http_connection import BoundedConnection
from disgram.api.schemas import install_error_answers
from disgram.api.signals import hold_signals_back, take_signals
from disgram.errors import ProcessesRemain, StartRefused, StorageUnavailable, UnknownJob
from disgram.logs.log_file import one_line
from disgram.report import Level
from disgram.workers.spec import WorkerStatus
from jobs import Job, changes, job_name, new_job
from service import Service, running_service, warn_of_pace

EXIT_REFUSED = 2
_GONE_WITHIN = 20.0
"""Seconds a DELETE waits for processes that the supervisor kills after ten."""
_PARALLEL_REQUESTS = 200
"""Threads: each deletion occupies one until its processes are gone."""

# --- the process functions users know -------------------------------------------------------------------


def start_job_processes(service: Service) -> None:
    """Have the supervisor look at once at what should run."""
    service.supervisor.wake()


def check_process_health(service: Service, job: str | None = None) -> tuple[WorkerStatus, ...]:
    """The workers (of one job) as last seen."""
    workers = service.supervisor.snapshot().workers
    return tuple(worker for worker in workers if job in {None, worker.job})


def restart_all_processes(service: Service) -> None:
    """Replace every worker by a new one."""
    service.supervisor.restart_all()


def health_check(service: Service, job: str | None = None) -> dict[str, Any]:
    """The answer of GET /health. Raises UnknownJob."""
    snapshot, moment = service.supervisor.snapshot(), service.moment()
    if job is not None:
        found = service.jobs.get(job)
        names = tuple(channel.name for channel in found.channels)
        shown = health.Configuration(found.masked().webhookUrl, found.threadId, found.embedColor, names)
        return health.summarise_job(job, shown, snapshot, moment)
    log = health.LogFileState(service.log.last_write_at, service.log.trouble)
    counts = {name: len(job.telegramChannels) for name, job in service.jobs.jobs().items()}
    return health.summarise(snapshot, _limits(service), service.host.latest, log, moment, counts)


def _limits(service: Service) -> dict[str, Any]:
    try:
        return service.limits.snapshot()
    except StorageUnavailable as error:
        return {"error": str(error)}


# --- the routes ------------------------------------------------------------------------------------------

router = APIRouter()
_BEARER = HTTPBearer(auto_error=False, description="AUTH_PASSWORD")


class JobAnswer(BaseModel):
    message: str
    job: Job


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _authorization(request: Request) -> list[bytes]:
    return [value for name, value in request.headers.raw if name.lower() == b"authorization"]


def admitted(request: Request, _shown: Annotated[object, Security(_BEARER)]) -> Service:
    """The service, for who sends the password. Raises AccessRefused."""
    service, peer = _service(request), request.client.host if request.client else ""
    forwarded = ", ".join(request.headers.getlist("x-forwarded-for"))
    client = client_address(
        peer, forwarded, service.settings.trusted_proxies, rewritten=not request.app.state.own_server
    )
    service.gate.check(_authorization(request), peer=peer, client=client)
    return service


def trusted_reader(request: Request, shown: Annotated[object, Security(_BEARER)]) -> bool:
    """Whether a valid bearer was sent. Raises AccessRefused for a wrong one, or none where reads need it."""
    if bearer_token(_authorization(request)) is None and not _service(request).settings.protect_reads:
        return False
    admitted(request, shown)
    return True


Admitted = Annotated[Service, Depends(admitted)]
TrustedReader = Annotated[bool, Depends(trusted_reader)]


@router.get("/", **document.WELCOME)
def welcome(request: Request) -> dict[str, Any]:
    service = _service(request)
    answer = health_check(service)
    return {
        "name": "Disgram",
        "version": __version__,
        "status": answer["status"],
        "uptime_minutes": answer["uptime_minutes"],
        "jobs": answer["jobs"]["total_jobs"],
        "docs": "/docs",
        "health": "/health",
        "logs": "/logs",
    }


@router.get("/health", **document.HEALTH)
def show_health(request: Request, shown: Annotated[object, Security(_BEARER)]) -> Response:
    service, name = _service(request), headers_of(request.headers.raw).get(JOB_NAME)
    if name or _authorization(request) or not service.settings.protect_reads:
        trusted_reader(request, shown)
        answer = health_check(service, job_name(name) if name else None)
    else:
        answer = {"status": health_check(service)["status"]}
    return JSONResponse(answer, 503 if answer["status"] == health.UNHEALTHY else 200)


@router.get("/logs", response_class=PlainTextResponse, **document.LOGS)
def show_logs(request: Request, _trusted: TrustedReader) -> PlainTextResponse:
    service, name = _service(request), headers_of(request.headers.raw).get(JOB_NAME)
    most, level = api_parameters.log_query(request.url.query)
    job = service.jobs.get(job_name(name)).jobName if name else None
    lines = service.log.tail(most, job, level)
    heading = [
        f"Disgram {__version__}, log of {one_line(job) if job else 'all jobs'}",
        f"{len(lines)} lines (at most {most}), level: {level.value if level else 'all'}",
        "=" * 80,
    ]
    return PlainTextResponse("\n".join([*heading, *lines, ""]), headers={"X-Content-Type-Options": "nosniff"})


@router.get("/jobs", **document.JOBS)
def list_jobs(request: Request, trusted: TrustedReader) -> dict[str, Job]:
    jobs = _service(request).jobs.jobs()
    return jobs if trusted else {name: job.masked() for name, job in jobs.items()}


@router.post(
    "/job",
    **document.create_job(
        webhook_required=SETTINGS.discord_webhook_url is None, webhook_hosts=SETTINGS.webhook_hosts
    ),
)
def create_job(request: Request, service: Admitted) -> JobAnswer:
    job = new_job(headers_of(request.headers.raw), service.settings)
    with service.jobs.alone(job.jobName):
        service.jobs.refuse_taken(job.jobName)
        service.forgive(job)  # first: should the ledger fail, nothing has changed
        service.jobs.create(job)
        start_job_processes(service)
    service.log.write(Level.SYSTEM, f"Job created, {len(job.telegramChannels)} channels", job.jobName)
    warn_of_pace(service)
    return JobAnswer(message=f"Job {job.jobName!r} created", job=job.masked())


@router.patch("/job", **document.change_job(SETTINGS.webhook_hosts))
def change_job(request: Request, service: Admitted) -> JobAnswer:
    headers = headers_of(request.headers.raw)
    name = job_name(needed(headers, JOB_NAME))
    changed = changes(headers, service.settings.webhook_hosts)
    with service.jobs.alone(name):
        job = service.jobs.get(name).model_copy(update=changed)
        service.forgive(job)
        service.jobs.change(name, lambda _: job)
        service.supervisor.revive(name)
    service.log.write(Level.SYSTEM, f"Job changed: {', '.join(changed)}", name)
    return JobAnswer(message=f"Job {name!r} changed", job=job.masked())


@router.delete("/job", **document.DELETE_JOB)
def delete_job(request: Request, service: Admitted) -> dict[str, str]:
    name = job_name(needed(headers_of(request.headers.raw), JOB_NAME))
    with service.jobs.alone(name):
        service.jobs.remove(name)
        service.supervisor.wake()
        gone = service.supervisor.wait_gone(name, _GONE_WITHIN)
        _forget(service, name)
    service.log.write(Level.SYSTEM, "Job deleted", name)
    if not gone:
        raise ProcessesRemain("The job is deleted, but its processes are still ending.")
    return {"message": f"Job {name!r} deleted"}


def _forget(service: Service, name: str) -> None:
    try:
        service.ledger.delete_job(name)
    except StorageUnavailable as error:
        raise StorageUnavailable(
            f"The job is deleted, but its progress is not ({error}): "
            "a new job of this name would go on where it stood."
        ) from None


@router.get("/job/failed", **document.FAILED_POSTS)
def list_failed_posts(request: Request, service: Admitted) -> dict[str, Any]:
    name = headers_of(request.headers.raw).get(JOB_NAME)
    job = service.jobs.get(job_name(name)).jobName if name else None
    return {"failed": [post for post in service.ledger.failed() if job in {None, post["job"]}]}


@router.post("/job/retry", **document.RETRY_POSTS)
def retry_failed_posts(request: Request, service: Admitted) -> dict[str, Any]:
    headers = headers_of(request.headers.raw)
    name, post = job_name(needed(headers, JOB_NAME)), api_parameters.post_id(headers)
    service.jobs.get(name)
    count = service.ledger.retry(name, post)
    if post is not None and not count:
        raise UnknownJob(
            "Post not found", f"Job {name!r} has no failed post {post}; GET /job/failed lists them."
        )
    service.supervisor.restart(name)
    service.log.write(Level.SYSTEM, f"{count} failed posts are sent again", name)
    return {"message": f"{count} failed posts will be sent again", "retried": count}


# --- the app ----------------------------------------------------------------------------------------------

ServiceContext = Callable[[Settings], AbstractContextManager[Service]]


def create_app(settings: Settings, run: ServiceContext = running_service) -> FastAPI:
    """The app; `run` gives it a service for as long as it lives."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _PARALLEL_REQUESTS
        with contextlib.ExitStack() as stack:
            app.state.service = _entered(stack, run(settings))
            take_signals()
            if app.state.own_server:
                print(f"Disgram {__version__}: {_address(settings)}/docs", flush=True)
            yield
        hold_signals_back()

    app = FastAPI(
        title="Disgram",
        version=__version__,
        description="Posts of public Telegram channels appear in Discord. Parameters are request headers.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.own_server = False
    app.include_router(router)
    docs = docs_routes("Disgram")
    app.include_router(docs)
    app.add_middleware(HeadAsGet)
    install_error_answers(app, [*app.routes, *router.routes, *docs.routes])
    return app


def _entered(stack: contextlib.ExitStack, service: AbstractContextManager[Service]) -> Service:
    """The service, or the end: one line and exit code 2, under `python main.py` and `uvicorn main:app` alike.

    `os._exit`, since uvicorn would answer any exception here with a traceback and a code of its own.
    Nothing has started yet that would have to be stopped.
    """
    try:
        return stack.enter_context(service)
    except (StartRefused, StorageUnavailable) as refusal:
        print(f"disgram: {one_line(str(refusal))}", file=sys.stderr, flush=True)
        os._exit(EXIT_REFUSED)


app = create_app(SETTINGS)


def serve(app: FastAPI, settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT. No access log: it would be one line for each health check."""
    app.state.own_server = True
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedConnection,
        ws="none",
        log_level="error",  # a warning for each malformed request would let anybody fill the disk
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


if __name__ == "__main__":
    serve(app, SETTINGS)
