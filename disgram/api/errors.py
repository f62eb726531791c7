"""Errors as callers get them: one form for all, and the table from exceptions to HTTP codes.

Owns `{"detail": {"error", "message"}}` and its description in the OpenAPI document. Never decides that
something is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from disgram.errors import (
    BadInput,
    DisgramError,
    JobExists,
    NotAuthenticated,
    PreviewUnavailable,
    ProcessesRemain,
    StorageUnavailable,
    TelegramError,
    TooManyFailures,
    UnknownJob,
    WrongToken,
)

_CODES: tuple[tuple[type[DisgramError], int], ...] = (
    (JobExists, 409),
    (UnknownJob, 404),
    (BadInput, 400),
    (NotAuthenticated, 401),
    (WrongToken, 403),
    (TooManyFailures, 429),
    (StorageUnavailable, 503),
    (ProcessesRemain, 503),
    (TelegramError, 503),
    (PreviewUnavailable, 503),
)
"""The first class that fits counts."""

_MEANINGS = {
    400: "A header, a query value or the JSON body is missing or invalid; `message` says what to send.",
    401: "No bearer token was sent, or the `Authorization` header has another form.",
    403: "The bearer token is wrong.",
    404: "There is no job of this name, or no such post or channel.",
    409: "There is a job of this name already.",
    429: "Too many requests without the right token came from here; wait as long as `Retry-After` says.",
    503: "A file of the data directory cannot be written or read just now, processes do not end in time, or "
    "Telegram does not answer.",
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


def error_responses(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these codes, for the OpenAPI document."""
    return {
        code: {"model": ErrorAnswer, "description": _MEANINGS[code], "headers": _HEADERS.get(code, {})}
        for code in codes
    }


def install_error_handlers(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Let no error leave the app in another form. `routes`: all of the app, to name a path's methods."""

    async def http_exception(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        if code == 404:
            return answer(404, "Not found", "There is nothing at this path; /docs shows what there is.")
        if code == 405:
            allowed = ", ".join(_allowed_methods(request, routes))
            return answer(405, "Method not allowed", f"This path takes {allowed}.", {"Allow": allowed})
        return answer(code, "Refused", str(getattr(error, "detail", "")))

    app.add_exception_handler(DisgramError, _disgram_error)
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(Exception, _unexpected_error)


async def _disgram_error(request: Request, error: Exception) -> Response:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotAuthenticated) else {}
    if isinstance(error, TooManyFailures):
        headers["Retry-After"] = str(error.retry_after)
    return answer(code, getattr(error, "error", "Internal error"), str(error), headers)


async def _unexpected_error(request: Request, error: Exception) -> Response:
    logging.getLogger("disgram.api").error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(500, "Internal error", "This is a bug in Disgram; the service's log says more.")


def answer(code: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The one form of all errors."""
    body = ErrorAnswer(detail=ErrorDetail(error=error, message=message))
    return JSONResponse(body.model_dump(), code, dict(headers or {}))


def _allowed_methods(request: Request, routes: Sequence[BaseRoute]) -> list[str]:
    """All methods of the path: it may have several routes, of which the framework names one."""
    methods: set[str] = set()
    for route in routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
