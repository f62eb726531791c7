"""What routes ask of a request: the service, its headers, the job it names, who may call.

FastAPI's dependencies. Owns no rule: auth.py says who is trusted, api/headers.py how a header is read.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from auth import authenticated, trusted_reader
from disgram.api import headers
from disgram.api.headers import JOB_NAME
from jobs import job_name
from service import Service

Authenticated = Annotated[Service, Depends(authenticated)]
TrustedReader = Annotated[bool, Depends(trusted_reader)]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def sent_headers(request: Request) -> dict[str, str]:
    """See disgram.api.headers.headers_of."""
    return headers.headers_of(request.headers.raw)


def known_job(request: Request) -> str | None:
    """The name in JOB_NAME; None without it. Raises UnknownJob if there is no such job."""
    name = sent_headers(request).get(JOB_NAME)
    return service_of(request).jobs.get(job_name(name)).jobName if name else None
