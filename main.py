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
from functools import partial
from itertools import chain
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

import routes.checks
import routes.jobs
import routes.posts
from auth import BEARER, authorization, trusted_reader
from config import SETTINGS, Settings
from disgram import __version__
from disgram.api import errors, headers, openapi, schemas, server
from disgram.api.docs_pages import docs_routes
from disgram.api.headers import JOB_NAME
from disgram.api.middleware import HeadAsGet, RequestGuard
from disgram.api.text_stream import TextStream
from disgram.dashboard.pages import dashboard_routes, to_the_page, wants_a_page
from disgram.dashboard.schemas import DashboardState
from disgram.dashboard.state import dashboard_state
from disgram.errors import StorageUnavailable
from disgram.health import known, summary, unusable_jobs
from disgram.health.rows import host_rows
from disgram.health.status_line import status_line
from disgram.jobs.unusable import UnusableJob
from disgram.logs.log_file import one_line
from disgram.metrics import exposition
from disgram.workers.spec import WorkerStatus
from jobs import Job, job_name
from routes.dependencies import TrustedReader, known_job, sent_headers, service_of
from service import Service, refuse_second_service, running_service

# --- processes ------------------------------------------------------------------------------------------


def check_process_health(service: Service, job: str) -> tuple[WorkerStatus, ...]:
    """The job's workers as last seen."""
    return tuple(worker for worker in service.supervisor.snapshot().workers if worker.job == job)


def health_check(service: Service) -> schemas.Health:
    """The answer of GET /health."""
    health = summary.summarise(
        known.snapshot(service),
        _limits(service),
        service.host.latest,
        known.log_state(service),
        service.moment(),
        known.channel_counts(service),
        known.findings(service),
    )
    hosts = service.hosts()
    return health if hosts is None else health.model_copy(update={"hosts": host_rows(hosts)})


def job_health_check(service: Service, name: str) -> schemas.JobHealth:
    """The answer of GET /health with JOB_NAME. Raises UnknownJob."""
    job = service.jobs.entry(name)
    if isinstance(job, UnusableJob):
        dead, settings = unusable_jobs.statuses(job, 0.0), unusable_jobs.configuration(job)
        return summary.summarise_job(
            name, settings, job.addresses, dead, service.moment(), known.findings(service)
        )
    channels = [channel.name for channel in job.channels]
    configuration = schemas.JobConfiguration(
        webhook_url=job.masked().webhookUrl,
        thread_id_configured=job.threadId is not None,
        embed_color=job.embedColor,
        channels_count=len(channels),
    )
    workers, findings = check_process_health(service, name), known.findings(service)
    return summary.summarise_job(
        name, configuration, channels, workers, service.moment(), findings, paused=bool(job.paused)
    )


def _limits(service: Service) -> dict[str, Any]:
    try:
        return service.limits.snapshot()
    except StorageUnavailable as error:
        return {"error": str(error)}


# --- the routes -----------------------------------------------------------------------------------------

router = APIRouter()


@router.get("/", response_model=schemas.Welcome, **openapi.WELCOME)
def welcome(request: Request, response: Response) -> schemas.Welcome | Response:
    if wants_a_page(request.headers.get("accept", "")):
        return to_the_page()
    response.headers["Vary"] = "Accept"
    now = health_check(service_of(request))
    return schemas.Welcome(
        version=__version__, status=now.status, uptime_minutes=now.uptime_minutes, jobs=now.jobs.total_jobs
    )


@router.get("/health", **openapi.HEALTH)
def show_health(request: Request, response: Response, scheme: BEARER) -> schemas.HealthAnswer:
    service, name = service_of(request), sent_headers(request).get(JOB_NAME)
    answer: schemas.HealthAnswer
    if name or authorization(request) or not service.settings.protect_reads:
        trusted_reader(request, scheme)
        answer = job_health_check(service, job_name(name)) if name else health_check(service)
    else:
        answer = schemas.BareStatus(status=health_check(service).status)
    response.status_code = 503 if answer.status == summary.UNHEALTHY else 200
    return answer


@router.get("/logs", response_class=PlainTextResponse, **openapi.LOGS)
def show_logs(request: Request, _trusted: TrustedReader) -> TextStream:
    most, levels = headers.log_query(request.url.query)
    job = known_job(request)
    lines = service_of(request).log.tail(most, job, levels)
    heading = [
        f"Disgram {__version__}, log of {one_line(job) if job else 'all jobs'}",
        f"{len(lines)} lines (at most {most}), level: {', '.join(level.value for level in levels) or 'all'}",
        "=" * 80,
    ]
    return TextStream(chain(heading, lines), lines.close)


@router.get("/jobs", **openapi.JOBS)
def list_jobs(request: Request, trusted: TrustedReader) -> dict[str, Job]:
    jobs = service_of(request).jobs.jobs()
    return jobs if trusted else {name: job.masked() for name, job in jobs.items()}


@router.get("/metrics", response_class=PlainTextResponse, **openapi.METRICS)
def show_metrics(request: Request, _trusted: TrustedReader) -> Response:
    return Response(exposition.exposition(service_of(request)), media_type=exposition.CONTENT_TYPE)


@router.get("/dashboard/state", response_model=DashboardState, **openapi.DASHBOARD_STATE)
def show_dashboard_state(request: Request, _trusted: TrustedReader) -> Response:
    service = service_of(request)
    state = dashboard_state(
        health_check(service),
        service.jobs.entries(),
        known.snapshot(service),
        known.findings(service),
        service.moment(),
        default_webhook=bool(service.settings.discord_webhook_url),
        cooldown=str(service.settings.cooldown),
    )
    # Written by the model itself: with 1,000 workers that takes half the time of FastAPI's way.
    return Response(state.model_dump_json(), media_type="application/json")


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
        servers=[{"url": "."}],  # beside the document: a proxy may add a path prefix
        lifespan=server.lifespan(lambda: run(settings), _report_to_systemd),
    )
    by_subject = [routes.jobs.router, routes.checks.router, routes.posts.router]
    routers = [router, *by_subject, dashboard_routes(), docs_routes("Disgram")]
    for one in routers:
        app.include_router(one)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestGuard, hosts=settings.answering_to)
    errors.install_error_handlers(app, [*app.routes, *chain.from_iterable(one.routes for one in routers)])
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
