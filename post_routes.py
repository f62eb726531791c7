"""The routes about single posts: what became of one.

Owns which call answers what. Never decides what became of a post.
"""

from __future__ import annotations

from fastapi import APIRouter, Request

from dependencies import Authenticated, sent_headers
from disgram.addresses import ChannelRef
from disgram.api import openapi, schemas
from disgram.api.headers import JOB_NAME, POST_URL, needed
from disgram.errors import BadInput
from disgram.explain import explain
from jobs import job_name
from service import Service

router = APIRouter()


@router.get("/job/explain", **openapi.EXPLAIN)
def explain_post(request: Request, service: Authenticated) -> schemas.ExplainedPost:
    sent = sent_headers(request)
    name, asked = job_name(needed(sent, JOB_NAME)), _post_of(needed(sent, POST_URL))
    job = service.jobs.get(name)
    channel = next((one for one in job.channels if one.key == asked.key), None)
    spelled = channel.name if channel else asked.name
    where = (name, asked.key, asked.start or 0)
    return explain(
        ChannelRef(spelled, asked.start),
        service.ledger.known_post(*where),
        service.ledger.known_channel(*where),
        forwarded=channel is not None,
        refused=_refusal(service, name, asked.key),
    )


def _post_of(address: str) -> ChannelRef:
    """Raises BadInput for the address of anything but a post."""
    post = ChannelRef.parse(address)
    if post.start is None:
        raise BadInput("Invalid POST_URL", "Name one post, with its number: https://t.me/name/123.")
    return post


def _refusal(service: Service, name: str, channel: str) -> str | None:
    destination = service.jobs.get(name).destination(service.settings.webhook_hosts)
    key = destination.key
    return service.ledger.refusal(destination.webhook_key, key, f"{key}/{channel}")
