"""What GET /dashboard/state answers. Owns the names and types of its fields; never computes a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from disgram.api.schemas import Answer, Delivery, ExternalServices, Problem, Processes, System

# Rows are plain dataclasses, which are not checked when they are made: a thousand models took 10 ms.


@dataclass(slots=True)
class Channel:
    """A channel of a job, and its worker."""

    channel: str
    state: Annotated[str, Field(description="starting, running, backoff, failed, stopping or paused")]
    reason: Annotated[str | None, Field(description="One word; null when all is well.")]
    until: Annotated[str | None, Field(description="When the wait that the reason names ends, if known.")]
    restarts: int
    last_poll_at: str | None
    last_post_id: Annotated[int | None, Field(description="The newest one that is dealt with.")]
    newest_post_id: Annotated[int | None, Field(description="The newest one seen at Telegram.")]
    last_forwarded_at: str | None
    waiting: Annotated[int, Field(description="Posts seen at Telegram that Discord has not confirmed.")]
    waiting_since: Annotated[str | None, Field(description="When the oldest of them was seen.")]
    failed: Annotated[int, Field(description="Posts that Discord refused in every form.")]
    cooldown: Annotated[float, Field(description="Seconds from its last poll to the next.")]
    host: Annotated[str | None, Field(description="Where its worker runs; null for a service alone.")]
    posts_per_hour: Annotated[
        list[int],
        Field(
            description="Posts confirmed in each of the last 24 hours of the clock since the service "
            "started; the last one is the hour that runs."
        ),
    ]


@dataclass(slots=True)
class JobRow:
    job: Annotated[dict[str, Any], Field(description="As in GET /jobs, without the webhook's token.")]
    usable: Annotated[bool, Field(description="False for one that cannot run; its problem says why.")]
    channels: list[Channel]


class LimitWait(Answer):
    """A limit of Discord's that requests wait for."""

    jobs: list[str] = Field(description="Whose webhook it is, if that is known.")
    of_channel: bool = Field(description="The limit of a Discord channel, which is not announced.")
    limit: int | float | None
    window_seconds: float
    used: int
    waiting: int
    blocked_seconds: float


class Limits(Answer):
    requests_per_second: int | float
    paused_seconds: dict[str, float] = Field(description="Pauses of all requests, by what ordered them.")
    waits: list[LimitWait]


class DashboardState(Answer):
    """GET /dashboard/state"""

    version: str
    status: str = Field(description="healthy, degraded or unhealthy")
    timestamp: str
    uptime_minutes: float
    processes: Processes
    external_services: ExternalServices
    system: System
    delivery: Delivery
    problems: list[Problem] = Field(description="Most urgent first, 50 at most.")
    problems_total: int
    limits: Limits
    default_webhook: bool = Field(description="A job may be created without a webhook of its own.")
    cooldown: str = Field(description="COOLDOWN, for jobs without one of their own.")
    jobs: list[JobRow]
