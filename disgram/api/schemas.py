"""What the API answers when all is well: the models that routes return and the OpenAPI document shows.

Owns the names and types of all fields (those of jobs are in jobs.py). Never computes a value.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def _not_there(value: object) -> bool:
    return value is None


class Answer(BaseModel):
    """Base of all: every field is always there, which the OpenAPI document says too."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Message(Answer):
    message: str


class Welcome(Answer):
    """GET /"""

    name: str = "Disgram"
    version: str
    status: str
    uptime_minutes: float
    jobs: int = Field(description="How many there are.")
    docs: str = "/docs"
    health: str = "/health"
    logs: str = "/logs"


# --- failed posts ---------------------------------------------------------------------------------------


class FailedPost(Answer):
    job: str
    channel: str
    post_id: int
    url: str = Field(description="The post in Telegram.")
    reason: str | None
    at: str | None = Field(description="When Discord refused it; null if that is not known.")
    payload: Any = Field(description="What Discord refused, as JSON.")


class FailedPosts(Answer):
    """GET /job/failed"""

    failed: list[FailedPost]


class Retried(Message):
    """POST /job/retry"""

    retried: int


class Dismissed(Message):
    """DELETE /job/failed"""

    dismissed: int


# --- one post -------------------------------------------------------------------------------------------


class PreviewMessage(Answer):
    payload: dict[str, Any] = Field(description="The JSON that Discord would be sent.")
    files: list[str] = Field(description="Names of the files that would be uploaded with it.")


class PreviewPost(Answer):
    url: str
    verdict: str = Field(description="forward, or filtered: then it would not be sent.")
    rule: str | None = Field(description="What filtered it.")
    messages: list[PreviewMessage]


class Preview(Answer):
    """GET /job/preview"""

    posts: list[PreviewPost] = Field(description="In the order in which they would be sent.")


class ExplainedMessage(Answer):
    url: str | None = Field(description="Its link in Discord; null if the server's id is not known.")
    sent_at: str | None = Field(description="When Discord confirmed it; null if it has not, or not noted.")
    state: str = Field(description="sending or sent")


class ExplainedPost(Answer):
    """GET /job/explain"""

    url: str = Field(description="Of an album: its first post.")
    state: str = Field(description="sent, sending, failed, filtered, deleted or unknown")
    reason: str | None = Field(description="Why Discord refused the post, or what it is kept for now.")
    rule: str | None = Field(description="What filtered it.")
    first_seen_at: str | None
    messages: list[ExplainedMessage]
    attempts: int | None = Field(description="Requests that sent, or tried to send, one of its messages.")
    edits: int | None = Field(description="How many edits in Telegram were followed.")
    note: str | None = Field(description="In words, where the state alone does not say it.")


# --- /health --------------------------------------------------------------------------------------------


class BareStatus(Answer):
    """GET /health for callers without the bearer while PROTECT_READS is set."""

    model_config = ConfigDict(extra="forbid")

    status: str


class Processes(Answer):
    total: int
    running: int


class Jobs(Answer):
    total_jobs: int
    job_names: list[str]


class ExternalServices(Answer):
    telegram_reachable: bool | None = Field(description="Null until a channel was read.")
    discord_reachable: bool | None = Field(description="Null until something was sent.")


class LogFreshness(Answer):
    is_fresh: bool
    message: str
    last_modified: str | None
    age_minutes: float | None


class System(Answer):
    """Percentages, MiB and GiB."""

    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    memory_available_mb: float = 0.0
    disk_percent: float = 0.0
    disk_free_gb: float = 0.0


class RateLimiting(Answer):
    """Discord's limits as the rate limiter knows them; it may say more than is named here."""

    model_config = ConfigDict(extra="allow")

    active_buckets: int = 0
    global_requests_per_second: int | float = 0
    buckets: dict[str, Any] = {}
    invalid_requests: dict[str, Any] = {}


class Gap(Answer):
    """Posts of a channel that could not be read so far, both ends included."""

    job: str
    channel: str
    first: int = Field(serialization_alias="from")
    last: int = Field(serialization_alias="to")


class Delivery(Answer):
    failed: int = Field(description="Posts that Discord refused in every form: see GET /job/failed.")
    waiting: int = Field(
        description="Posts seen at Telegram that Discord has not confirmed; while older pages are unread, "
        "the most there can be."
    )
    oldest_waiting_seconds: float | None = Field(description="How long ago the oldest of them was seen.")
    gaps: list[Gap]
    layout_changed: int = Field(
        description="Different pieces of posts that were not understood: see DATA_DIR/layout."
    )


class Problem(Answer):
    """Something that is wrong; of the service itself if it names no job."""

    job: str | None
    channel: str | None
    reason: str = Field(description="One word for programs.")
    message: str = Field(description="What is wrong, and what to do.")
    since: str | None
    until: str | None = Field(description="When it will end by itself, if that is known.")


class Host(Answer):
    """One of several hosts that are one service."""

    name: str = Field(description="HOST_NAME")
    alive: bool = Field(description="False: others take its channels over.")
    channels: int = Field(description="How many belong to it.")
    until: str = Field(description="How long they do unless it is heard of again.")


class Health(Answer):
    """GET /health"""

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
    problems: list[Problem] = Field(description="Most urgent first, 50 at most.")
    problems_total: int
    errors: list[str] = Field(description="What keeps the service itself from working.")
    hosts: list[Host] | None = Field(
        default=None, exclude_if=_not_there, description="Only with DATABASE_URL."
    )


class JobProcesses(Processes):
    dead_count: int
    channels: list[str]


class JobConfiguration(Answer):
    webhook_url: str = Field(description="Without its token.")
    thread_id_configured: bool
    embed_color: str | None
    channels_count: int


class Worker(Answer):
    channel: str
    host: str | None = Field(
        default=None, exclude_if=_not_there, description="Where it runs; only with DATABASE_URL."
    )
    pid: int | None
    script: str
    state: str = Field(description="starting, running, backoff, failed, stopping or paused")
    reason: str | None = Field(description="One word; null when all is well.")
    until: str | None = Field(description="When the wait that the reason names ends, if that is known.")
    restarts: int
    last_poll_at: str | None
    last_post_id: int | None
    newest_post_id: int | None = Field(description="The newest one seen at Telegram.")
    last_forwarded_at: str | None
    waiting: int = Field(description="As in delivery.")
    cooldown: float = Field(description="Seconds from its last poll to the next.")
    log_age_seconds: float
    next_start_seconds: float | None


class JobHealth(Answer):
    """GET /health with JOB_NAME"""

    status: str
    timestamp: str
    job_name: str
    processes: JobProcesses
    configuration: JobConfiguration
    workers: list[Worker]
    delivery: Delivery
    problems: list[Problem] = Field(description="Most urgent first, 50 at most.")
    problems_total: int


HealthAnswer = Health | JobHealth | BareStatus
