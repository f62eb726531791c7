"""How the OpenAPI document describes each route: its parameters, every answer it may give, its security.

Owns the keyword arguments of the route decorators, one dict a route. Never handles a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from disgram.api import schemas as answers
from disgram.api.headers import (
    LOG_PARAMETERS,
    POST_ID_PARAMETER,
    job_name_parameter,
    job_parameters,
)
from disgram.api.schemas import errors

_OPTIONAL: dict[str, Any] = {"security": [{}]}
"""Beside the route's own scheme: it may be called without."""
_READ = errors(400, 401, 403, 404, 429)
_WRITE = errors(400, 401, 403, 429, 503)
_WRITE_ONE = _WRITE | errors(404)
_HEALTH_FORMS = answers.Health | answers.JobHealth | answers.BareStatus


def _in_json(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """For a route that answers in another media type, which FastAPI would give its errors, too."""
    schema = {"$ref": f"#/components/schemas/{answers.ErrorAnswer.__name__}"}
    return {
        code: {**response, "model": None, "content": {"application/json": {"schema": schema}}}
        for code, response in responses.items()
    }


WELCOME: dict[str, Any] = {"tags": ["Watching"], "summary": "What this is", "response_model": answers.Welcome}

HEALTH: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "How it is doing, or how one job is",
    "response_model": _HEALTH_FORMS,
    "responses": {**_READ, 503: {"model": _HEALTH_FORMS, "description": "Unhealthy."}},
    "openapi_extra": {"parameters": [job_name_parameter(required=False)], **_OPTIONAL},
}

LOGS: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "The newest lines of the log, of all or of one job",
    "responses": _in_json(_READ | errors(503)),
    "openapi_extra": {"parameters": [job_name_parameter(required=False), *LOG_PARAMETERS], **_OPTIONAL},
}

JOBS: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "All jobs; tokens are masked unless the bearer is sent",
    "responses": errors(401, 403, 429),
    "openapi_extra": _OPTIONAL,
}


def create_job(*, webhook_required: bool, webhook_hosts: Iterable[str]) -> dict[str, Any]:
    """POST /job; DISCORD_WEBHOOK_URL may have a default."""
    parameters = job_parameters(creating=True, webhook_required=webhook_required, webhook_hosts=webhook_hosts)
    return {
        "tags": ["Jobs"],
        "summary": "Create a job",
        "status_code": 201,
        "responses": _WRITE | errors(409),
        "openapi_extra": {"parameters": parameters},
    }


def change_job(webhook_hosts: Iterable[str]) -> dict[str, Any]:
    """PATCH /job."""
    return {
        "tags": ["Jobs"],
        "summary": "Change a job; what is not sent stays",
        "responses": _WRITE_ONE,
        "openapi_extra": {"parameters": job_parameters(creating=False, webhook_hosts=webhook_hosts)},
    }


DELETE_JOB: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "Delete a job, its processes and its progress",
    "response_model": answers.Message,
    "responses": _WRITE_ONE,
    "openapi_extra": {"parameters": [job_name_parameter(required=True)]},
}

FAILED_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Posts that Discord refused for good",
    "response_model": answers.FailedPosts,
    "responses": _WRITE_ONE,
    "openapi_extra": {"parameters": [job_name_parameter(required=False)]},
}

RETRY_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Send failed posts again",
    "response_model": answers.Retried,
    "responses": _WRITE_ONE,
    "openapi_extra": {"parameters": [job_name_parameter(required=True), POST_ID_PARAMETER]},
}
