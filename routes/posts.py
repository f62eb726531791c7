"""The routes about single posts: what would be sent, and what became of one.

Owns which call answers what, and how long a preview may take. Never renders a post and never decides what
became of it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends

from disgram.addresses import ChannelRef
from disgram.api import openapi, schemas
from disgram.api.headers import JOB_NAME, POST_URL, TELEGRAM_CHANNELS, needed
from disgram.errors import BadInput, PreviewUnavailable, UnknownJob
from disgram.explain import explain
from disgram.jobs.fields import text_of
from disgram.jobs.private_channels import named_by_account
from disgram.preview.process import PreviewProcess
from disgram.preview.request import PreviewRequest
from jobs import job_name
from routes.dependencies import Authenticated, Sent, named_job
from service import Service

router = APIRouter()

PREVIEW_WITHIN = 60.0
"""Seconds for a preview, waiting for others to be made included; one takes 30 at most (preview/posts.py)."""


def _asked(service: Authenticated, sent: Sent) -> PreviewRequest:
    """A dependency, since it may wait for the jobs: FastAPI calls it in a thread."""
    channel = _channel_of(needed(sent, TELEGRAM_CHANNELS))
    name = named_job(service, sent)
    if service.account and service.settings.account:
        service.account.keep(service.settings.account_login)
    elif channel.private:
        named_by_account(channel.address, (), None)  # raises
    return _of_job(service, name, channel) if name else _of_nobody(service, channel)


def _of_nobody(service: Service, channel: ChannelRef) -> PreviewRequest:
    return PreviewRequest(channel, service.settings.embed_color, service.settings.worker_settings())


def _of_job(service: Service, name: str, channel: ChannelRef) -> PreviewRequest:
    job, asked = service.jobs.get(name), _of_nobody(service, channel)
    color = asked.color if job.embedColor is None else int(job.embedColor, 16)
    webhook_id = job.destination(service.settings.webhook_hosts).webhook_id
    return replace(asked, color=color, job=name, webhook_id=webhook_id, rules=job.rules)


def _channel_of(typed: object) -> ChannelRef:
    """`typed`: text, or a list with one text, as a job has it."""
    items = typed if isinstance(typed, list) else text_of(TELEGRAM_CHANNELS, typed).split(",")
    named = [text for item in items if (text := text_of(TELEGRAM_CHANNELS, item))]
    if len(named) != 1:
        raise BadInput("Invalid TELEGRAM_CHANNELS", "Name one channel: a preview is of one.")
    return ChannelRef.parse(named[0])


@router.get("/job/preview", **openapi.PREVIEW)
async def preview(
    asked: Annotated[PreviewRequest, Depends(_asked)], service: Authenticated
) -> schemas.Preview:
    answer = await made(PreviewProcess(asked), service.preview_turns)
    if refusal := answer.get("refusal"):
        if refusal["missing"]:
            raise UnknownJob(refusal["error"], refusal["message"])
        raise PreviewUnavailable(refusal["message"])
    return schemas.Preview.model_validate(answer)


async def made(
    process: PreviewProcess, turns: anyio.CapacityLimiter, *, within: float = PREVIEW_WITHIN
) -> Any:
    """What the process prints; it is ended if nobody waits for it any more (the service stops).

    Raises PreviewUnavailable, also after `within` seconds.
    """
    try:
        with anyio.fail_after(within):
            printed = await anyio.to_thread.run_sync(process.run, limiter=turns, abandon_on_cancel=True)
        return json.loads(printed)
    except TimeoutError:
        raise PreviewUnavailable("Too many previews are being made; try again in a minute.") from None
    except ValueError:
        raise PreviewUnavailable("It took too long or too much memory; try again, or name one post") from None
    except OSError as error:
        raise PreviewUnavailable(f"Its process cannot be started: {error.strerror}.") from None
    finally:
        process.end()


@router.get("/job/explain", **openapi.EXPLAIN)
def explain_post(service: Authenticated, sent: Sent) -> schemas.ExplainedPost:
    name = job_name(needed(sent, JOB_NAME))
    asked = _post_of(text_of(POST_URL, needed(sent, POST_URL)))
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
