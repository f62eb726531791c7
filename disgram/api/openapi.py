"""The OpenAPI document: each route's parameters, errors and security.

Owns the keyword arguments of the route decorators, one dict a route, and the schemas of parameters. What a
route answers is its return type (schemas.py). Never handles a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from disgram.api.errors import ErrorAnswer, error_responses
from disgram.api.headers import (
    DEFAULT_LINES,
    DISCORD_THREAD_ID,
    DISCORD_WEBHOOK_URL,
    EMBED_COLOR,
    JOB_FIELDS,
    JOB_NAME,
    MAX_LINES,
    POST_ID,
    TELEGRAM_CHANNELS,
)
from disgram.api.schemas import HealthAnswer
from disgram.report import Level

# --- parameters -----------------------------------------------------------------------------------------
# Swagger UI refuses to send what a pattern does not allow, so each allows every form that is accepted.

_NAME_PATTERN = r"^[!-~]([ -~]{0,98}[!-~])?$"
_ADDRESS_PATTERN = r"(@|(https?://)?(t|telegram)\.me/(s/)?)?[A-Za-z][A-Za-z0-9_]{2,31}(/[1-9][0-9]{0,8})?"
_CHANNELS_PATTERN = f"^{_ADDRESS_PATTERN}( *, *{_ADDRESS_PATTERN}){{0,99}}$"
_JOB_SCHEMAS: dict[str, dict[str, Any]] = {
    JOB_NAME: {"type": "string", "minLength": 1, "maxLength": 100, "pattern": _NAME_PATTERN},
    TELEGRAM_CHANNELS: {"type": "string", "pattern": _CHANNELS_PATTERN},
    EMBED_COLOR: {"type": "string", "pattern": "^$|^(#|0[xX])?[0-9a-fA-F]{6}$"},
    DISCORD_THREAD_ID: {"type": "string", "pattern": "^$|^[1-9][0-9]{0,18}$"},
}
"""Of the headers that are more than any text."""
_EXAMPLES = {
    JOB_NAME: "news",
    DISCORD_WEBHOOK_URL: "https://discord.com/api/webhooks/123456789012345678/token",
    TELEGRAM_CHANNELS: "https://t.me/durov,telegram",
}
_ASCII_NOTE = " Any script is accepted in UTF-8; browsers can send ASCII only."
_HAS_PORT = re.compile(r"(^[^:]*|\]):[0-9]+$")


def job_parameters(
    job: type[BaseModel], *, creating: bool, webhook_required: bool = True, webhook_hosts: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The headers of POST /job and PATCH /job, described as the fields of the model `job` are."""
    schemas = _JOB_SCHEMAS | {
        DISCORD_WEBHOOK_URL: {"type": "string", "pattern": webhook_pattern(webhook_hosts)}
    }
    parameters = [job_name_parameter(required=True)]
    for name, field_name in JOB_FIELDS.items():
        if name == JOB_NAME:
            continue
        field = job.model_fields[field_name]
        required = creating and field.is_required() and (name != DISCORD_WEBHOOK_URL or webhook_required)
        clearing = "" if creating or field.is_required() else " Sent empty, it is cleared."
        example = _EXAMPLES.get(name, "") if creating else ""
        schema = schemas.get(name, {"type": "string"})
        parameters.append(
            _header(name, f"{field.description}{clearing}", schema, required=required, example=example)
        )
    return parameters


def job_name_parameter(*, required: bool) -> dict[str, Any]:
    """JOB_NAME; the document can promise ASCII only, since a browser sends no other header."""
    schema = _JOB_SCHEMAS[JOB_NAME] if required else {"type": "string", "pattern": "^$|" + _NAME_PATTERN}
    example = _EXAMPLES[JOB_NAME] if required else ""
    return _header(JOB_NAME, "The job's name." + _ASCII_NOTE, schema, required=required, example=example)


def webhook_pattern(webhook_hosts: Iterable[str]) -> str:
    """Every webhook URL that is accepted, as a regular expression of browsers."""
    hosts = "".join(f"|https?://{_host_pattern(host)}" for host in webhook_hosts)
    path = r"/api(/v[0-9]{1,2})?/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]{1,200}/?"
    query = r"([?](wait=[a-z]*|thread_id=[0-9]{1,20}|&)*)?"
    return rf"^(https://((ptb\.|canary\.)?discord|discordapp)\.com{hosts}){path}{query}$"


def _host_pattern(host: str) -> str:
    """Of a name in WEBHOOK_HOSTS. re.escape would also write `\\-`, which browsers refuse."""
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    port = "" if _HAS_PORT.search(host) else "(:[0-9]{1,5})?"
    return re.sub(r"([.\[\]])", r"\\\1", host) + port


def _header(
    name: str, description: str, schema: Mapping[str, Any], *, required: bool, example: str = ""
) -> dict[str, Any]:
    parameter = {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": dict(schema),
    }
    return {**parameter, "example": example} if example else parameter


def job_body(job: type[BaseModel]) -> dict[str, Any]:
    """The JSON body instead of headers. Its example is empty, since Swagger UI sends what it shows."""
    properties = {name: {"description": field.description} for name, field in job.model_fields.items()}
    schema = {"type": "object", "properties": properties, "example": {}}
    return {
        "required": False,
        "description": "The fields of `jobs.json` instead of headers; `null` clears. A header wins.",
        "content": {"application/json": {"schema": schema}},
    }


_POST_ID_PARAMETER = _header(
    POST_ID,
    "One post; without it all of the job.",
    {"type": "string", "pattern": "^$|^[1-9][0-9]{0,8}$"},
    required=False,
)
_LOG_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "lines",
        "in": "query",
        "required": False,
        "description": "How many of the newest lines.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LINES, "default": DEFAULT_LINES},
    },
    {
        "name": "level",
        "in": "query",
        "required": False,
        "description": "Only lines of this level.",
        "schema": {"type": "string", "enum": [level.value for level in Level]},
    },
]

# --- routes ---------------------------------------------------------------------------------------------

_BEARER_OPTIONAL: dict[str, Any] = {"security": [{}]}
"""Added to the route's own scheme: it may be called without."""
_READ_ERRORS = error_responses(400, 401, 403, 404, 429)
_WRITE_ERRORS = error_responses(400, 401, 403, 429, 503)
_JOB_ERRORS = _WRITE_ERRORS | error_responses(404)


def _errors_as_json(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """For a route that answers in another media type, which FastAPI would give its errors, too."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    return {
        code: {**response, "model": None, "content": {"application/json": {"schema": schema}}}
        for code, response in responses.items()
    }


WELCOME: dict[str, Any] = {"tags": ["Watching"], "summary": "Name, version and status"}

HEALTH: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "Health of the service, or of one job",
    "responses": {**_READ_ERRORS, 503: {"model": HealthAnswer, "description": "Unhealthy."}},
    "openapi_extra": {"parameters": [job_name_parameter(required=False)], **_BEARER_OPTIONAL},
}

LOGS: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "The newest lines of the log, of all or of one job",
    "responses": _errors_as_json(_READ_ERRORS | error_responses(503)),
    "openapi_extra": {
        "parameters": [job_name_parameter(required=False), *_LOG_PARAMETERS],
        **_BEARER_OPTIONAL,
    },
}

METRICS: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "Metrics in the text format of Prometheus",
    "responses": _errors_as_json(error_responses(401, 403, 429)),
    "openapi_extra": _BEARER_OPTIONAL,
}

JOBS: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "All jobs; tokens are masked unless the bearer is sent",
    "responses": error_responses(401, 403, 429),
    "openapi_extra": _BEARER_OPTIONAL,
}


def create_job(job: type[BaseModel], webhook_hosts: Iterable[str], *, has_default: bool) -> dict[str, Any]:
    """POST /job; `has_default`: DISCORD_WEBHOOK_URL may be left out."""
    parameters = job_parameters(
        job, creating=True, webhook_required=not has_default, webhook_hosts=webhook_hosts
    )
    return {
        "tags": ["Jobs"],
        "summary": "Create a job",
        "status_code": 201,
        "responses": _WRITE_ERRORS | error_responses(409),
        "openapi_extra": {"parameters": parameters, "requestBody": job_body(job)},
    }


def change_job(job: type[BaseModel], webhook_hosts: Iterable[str]) -> dict[str, Any]:
    """PATCH /job."""
    parameters = job_parameters(job, creating=False, webhook_hosts=webhook_hosts)
    return {
        "tags": ["Jobs"],
        "summary": "Change a job; what is not sent stays",
        "responses": _JOB_ERRORS,
        "openapi_extra": {"parameters": parameters, "requestBody": job_body(job)},
    }


DELETE_JOB: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "Delete a job, its processes and its progress",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True)]},
}

PAUSE_JOB: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "Pause a job: no process, and progress, posts and edits wait",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True)]},
}

RESUME_JOB: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "Let a paused job go on where it stood",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True)]},
}

FAILED_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Posts that Discord refused in every form",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=False)]},
}

DISMISS_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Be done with failed posts without sending them",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True), _POST_ID_PARAMETER]},
}

RETRY_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Send failed posts again",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True), _POST_ID_PARAMETER]},
}
