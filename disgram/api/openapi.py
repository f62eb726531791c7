"""The OpenAPI document: each route's parameters, errors and security.

Owns the keyword arguments of the route decorators, one dict a route, and the schemas of parameters. What a
route answers is its return type (schemas.py). Never handles a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from disgram.api.errors import ErrorAnswer, error_responses
from disgram.api.headers import (
    DEFAULT_LINES,
    DISCORD_WEBHOOK_URL,
    JOB_FIELDS,
    JOB_NAME,
    MAX_LINES,
    POST_ID,
    POST_URL,
    SEND,
    TELEGRAM_CHANNELS,
)
from disgram.api.schemas import HealthAnswer
from disgram.report import Level

# --- parameters -----------------------------------------------------------------------------------------
# No pattern: Swagger UI would show a regular expression where the API has a sentence.

_TEXT = {"type": "string"}
CLEARING = " Sent empty, it is cleared."
"""Ends the description of a header that may be sent empty; /docs offers that where it reads this."""
_EXAMPLES = {
    JOB_NAME: "news",
    DISCORD_WEBHOOK_URL: "https://discord.com/api/webhooks/123456789012345678/token",
    TELEGRAM_CHANNELS: "https://t.me/durov,telegram",
}


def job_parameters(
    job: type[BaseModel], *, creating: bool, webhook_required: bool = True
) -> list[dict[str, Any]]:
    """The headers of POST /job and PATCH /job, described as the fields of the model `job` are."""
    parameters = [job_name_parameter(required=True)]
    for name, field_name in JOB_FIELDS.items():
        if name == JOB_NAME:
            continue
        field = job.model_fields[field_name]
        required = creating and field.is_required() and (name != DISCORD_WEBHOOK_URL or webhook_required)
        clearing = "" if creating or field.is_required() else CLEARING
        example = _EXAMPLES.get(name, "") if creating else ""
        description = f"{field.description}{clearing}"
        parameters.append(_header(name, description, _TEXT, required=required, example=example))
    return parameters


def job_name_parameter(*, required: bool) -> dict[str, Any]:
    """JOB_NAME."""
    example = _EXAMPLES[JOB_NAME] if required else ""
    return _header(JOB_NAME, "The job's name.", _TEXT, required=required, example=example)


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
    _TEXT,
    required=False,
)
_POST_URL_PARAMETER = _header(
    POST_URL,
    "The post's address: `https://t.me/name/123`. Any post of an album names it.",
    {"type": "string", "minLength": 1},
    required=True,
    example="https://t.me/durov/123",
)
_ONE_CHANNEL_PARAMETER = _header(
    TELEGRAM_CHANNELS,
    "One channel: `name`, `@name` or `https://t.me/name`; with `/123` behind it only post 123.",
    _TEXT,
    required=True,
    example="https://t.me/durov",
)
_MOST_PARAMETER: dict[str, Any] = {
    "name": "most",
    "in": "query",
    "required": False,
    "description": "How many posts, the oldest first; without it all.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999},
}
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
        "description": "Only lines of these levels: one, or several with commas between them, in any case.",
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": [level.value for level in Level]},
        },
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

DASHBOARD_STATE: dict[str, Any] = {
    "tags": ["Watching"],
    "summary": "What /dashboard shows: problems, jobs, channels and limits",
    "responses": error_responses(401, 403, 429),
    "openapi_extra": _BEARER_OPTIONAL,
}

JOBS: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "All jobs; tokens are masked unless the bearer is sent",
    "responses": error_responses(401, 403, 429),
    "openapi_extra": _BEARER_OPTIONAL,
}


def create_job(job: type[BaseModel], *, has_default: bool) -> dict[str, Any]:
    """POST /job; `has_default`: DISCORD_WEBHOOK_URL may be left out."""
    parameters = job_parameters(job, creating=True, webhook_required=not has_default)
    return {
        "tags": ["Jobs"],
        "summary": "Create a job",
        "status_code": 201,
        "responses": _WRITE_ERRORS | error_responses(409),
        "openapi_extra": {"parameters": parameters, "requestBody": job_body(job)},
    }


def change_job(job: type[BaseModel]) -> dict[str, Any]:
    """PATCH /job."""
    parameters = job_parameters(job, creating=False)
    return {
        "tags": ["Jobs"],
        "summary": "Change a job; what is not sent stays",
        "responses": _JOB_ERRORS,
        "openapi_extra": {"parameters": parameters, "requestBody": job_body(job)},
    }


def import_jobs(job: type[BaseModel]) -> dict[str, Any]:
    """POST /jobs."""
    properties = {name: {"description": field.description} for name, field in job.model_fields.items()}
    one = {"type": "object", "properties": properties}
    schema = {"type": "object", "additionalProperties": one, "example": {}}
    body = {
        "required": True,
        "description": "`{name: job}`, each job whole, as GET /jobs with the bearer answers.",
        "content": {"application/json": {"schema": schema}},
    }
    return {
        "tags": ["Jobs"],
        "summary": "Create or change many jobs, all of them or none",
        "responses": _WRITE_ERRORS,
        "openapi_extra": {"requestBody": body},
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

_SEND_PARAMETER = _header(
    SEND,
    "Whether one message marked as a test is sent.",
    {"type": "string", "enum": ["true", "false"]},
    required=False,
)

TEST_JOB: dict[str, Any] = {
    "tags": ["Jobs"],
    "summary": "Ask Discord for a job's webhook and Telegram for its channels",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True), _SEND_PARAMETER]},
}

FAILED_POSTS: dict[str, Any] = {
    "tags": ["Failed posts"],
    "summary": "Posts that Discord refused in every form",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=False), _MOST_PARAMETER]},
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

PREVIEW: dict[str, Any] = {
    "tags": ["Posts"],
    "summary": "A channel's newest posts as they would be sent; sends nothing",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [_ONE_CHANNEL_PARAMETER, job_name_parameter(required=False)]},
}

EXPLAIN: dict[str, Any] = {
    "tags": ["Posts"],
    "summary": "What became of one post",
    "responses": _JOB_ERRORS,
    "openapi_extra": {"parameters": [job_name_parameter(required=True), _POST_URL_PARAMETER]},
}
