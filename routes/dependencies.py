"""What routes ask of a request: the service, its headers, the job it names, who may call.

FastAPI's dependencies. Owns no rule: auth.py says who is trusted, api/headers.py how a header is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request

from auth import authenticated, trusted_reader
from disgram.api import headers, json_body
from disgram.api.headers import JOB_NAME
from jobs import job_name
from service import Service

Authenticated = Annotated[Service, Depends(authenticated)]
TrustedReader = Annotated[bool, Depends(trusted_reader)]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def sent_values(request: Request, body: Annotated[bytes, Depends(json_body.json_body)]) -> dict[str, Any]:
    """What a call on a job was sent, by the names of headers: its JSON body, and above it its headers.

    A header's value is a string, a body's may be of any type. Raises BadInput.
    """
    return {**json_body.values_of(json_body.parsed(body)), **sent_headers(request)}


Sent = Annotated[dict[str, Any], Depends(sent_values)]
"""To stand behind Authenticated: no body of a stranger's is read."""


def sent_headers(request: Request) -> dict[str, str]:
    """See disgram.api.headers.headers_of."""
    return headers.headers_of(request.headers.raw)


def known_job(request: Request) -> str | None:
    """The name in JOB_NAME; None without it. Raises UnknownJob if there is no such job."""
    return named_job(service_of(request), sent_headers(request))


def named_job(service: Service, sent: Mapping[str, Any]) -> str | None:
    """The same, of what a call on a job was sent."""
    name = sent.get(JOB_NAME, "")
    return None if name == "" else service.jobs.entry(job_name(name)).jobName
