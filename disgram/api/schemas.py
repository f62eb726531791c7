"""What a caller gets: the form of every answer, and the one table from errors to HTTP codes.

Owns the answers' schemas and `{"detail": {"error", "message"}}`, the only form of an error. Never decides
that something is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from disgram.errors import (
    BadInput,
    DisgramError,
    JobExists,
    NotAuthenticated,
    ProcessesRemain,
    StorageUnavailable,
    TooManyFailures,
    UnknownJob,
    WrongToken,
)

# --- errors -------------------------------------------------------------------------------------------

_CODES: tuple[tuple[type[DisgramError], int], ...] = (
    (JobExists, 409),
    (UnknownJob, 404),
    (BadInput, 400),
    (NotAuthenticated, 401),
    (WrongToken, 403),
    (TooManyFailures, 429),
    (StorageUnavailable, 503),
    (ProcessesRemain, 503),
)
"""The first class that fits counts."""

_MEANINGS = {
    400: "A header or query value is missing or makes no sense; `message` says what to send.",
    401: "No bearer token was sent, or the `Authorization` header has another form.",
    403: "The bearer token is wrong.",
    404: "There is no job of this name.",
    409: "There is a job of this name already.",
    429: "Too many wrong tokens came from this address; wait as long as `Retry-After` says.",
    503: "A file of the data directory cannot be written or read just now, or processes do not end in time.",
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}},
    429: {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}},
}


class ErrorDetail(BaseModel):
    error: str = Field(description="Short, for programs and headlines.")
    message: str = Field(description="What to do, for people.")


class ErrorAnswer(BaseModel):
    detail: ErrorDetail


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these codes."""
    return {
        code: {"model": ErrorAnswer, "description": _MEANINGS[code], "headers": _HEADERS.get(code, {})}
        for code in codes
    }


def error_answer(
    code: int, error: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error as every caller gets it."""
    return JSONResponse({"detail": {"error": error, "message": message}}, code, dict(headers or {}))


def install_error_answers(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """No error leaves the app in another form. `routes`: all there are, for the methods a path takes."""

    async def frameworks(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        if code == 404:
            return error_answer(404, "Not found", "There is nothing at this path; /docs shows what there is.")
        if code == 405:
            allowed = ", ".join(_allowed(request, routes))
            return error_answer(405, "Method not allowed", f"This path takes {allowed}.", {"Allow": allowed})
        return error_answer(code, "Refused", str(getattr(error, "detail", "")))

    app.add_exception_handler(DisgramError, _ours)
    app.add_exception_handler(HTTPException, frameworks)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, error: Exception) -> Response:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotAuthenticated) else {}
    if isinstance(error, TooManyFailures):
        headers["Retry-After"] = str(error.retry_after)
    return error_answer(code, getattr(error, "error", "Internal error"), str(error), headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    logging.getLogger("disgram.api").error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_answer(
        500, "Internal error", "This is a fault of Disgram's; the log of the service says more."
    )


def _allowed(request: Request, routes: Sequence[BaseRoute]) -> list[str]:
    """All methods of the path: it may have several routes, of which the framework names one."""
    methods: set[str] = set()
    for route in routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


# --- what comes back when all is well -----------------------------------------------------------------


class Message(BaseModel):
    message: str


class Welcome(BaseModel):
    name: str
    version: str
    status: str
    uptime_minutes: float
    jobs: int = Field(description="How many there are.")
    docs: str
    health: str
    logs: str


class FailedPost(BaseModel):
    model_config = ConfigDict(extra="allow")

    job: str
    channel: str
    post_id: int
    reason: str
    at: datetime | float | str | None


class FailedPosts(BaseModel):
    failed: list[FailedPost]


class Retried(BaseModel):
    message: str
    retried: int


class BareStatus(BaseModel):
    """What anybody may know when PROTECT_READS is set."""

    model_config = ConfigDict(extra="forbid")

    status: str


class Processes(BaseModel):
    total: int
    running: int


class Jobs(BaseModel):
    total_jobs: int
    job_names: list[str]


class ExternalServices(BaseModel):
    telegram_reachable: bool
    discord_reachable: bool


class LogFreshness(BaseModel):
    is_fresh: bool
    message: str
    last_modified: str | None
    age_minutes: float | None


class System(BaseModel):
    cpu_percent: float
    memory_percent: float
    memory_available_mb: float
    disk_percent: float
    disk_free_gb: float


class RateLimiting(BaseModel):
    model_config = ConfigDict(extra="allow")

    active_buckets: int
    global_requests_per_second: float
    buckets: dict[str, Any]
    invalid_requests: dict[str, Any]


class Gap(BaseModel):
    """Posts of a channel that could not be read so far, both ends included."""

    job: str
    channel: str
    first: int = Field(alias="from")
    last: int = Field(alias="to")


class Delivery(BaseModel):
    gaps: list[Gap]
    layout_changed: int = Field(
        description="Different pieces of posts that were not understood: see DATA_DIR/layout."
    )


class Health(BaseModel):
    status: str = Field(description="healthy, degraded or unhealthy")
    timestamp: str
    uptime_minutes: float
    processes: Processes
    jobs: Jobs
    external_services: ExternalServices
    log_freshness: LogFreshness
    system: System
    rate_limiting: RateLimiting
    delivery: Delivery
    errors: list[str] = Field(description="What is in the service's own way.")


class JobProcesses(Processes):
    dead_count: int
    channels: list[str]


class JobConfiguration(BaseModel):
    webhook_url: str
    thread_id_configured: bool
    embed_color: str | None
    channels_count: int


class Worker(BaseModel):
    channel: str
    pid: int | None
    script: str
    state: str = Field(description="starting, running, backoff, failed or stopping")
    reason: str | None = Field(description="One word; null when all is well.")
    restarts: int
    last_poll_at: str | None
    last_post_id: int | None
    log_age_seconds: float
    next_start_seconds: float | None


class JobHealth(BaseModel):
    status: str
    timestamp: str
    job_name: str
    processes: JobProcesses
    configuration: JobConfiguration
    workers: list[Worker]
    delivery: Delivery
