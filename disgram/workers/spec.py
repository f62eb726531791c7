"""What a worker is to do, and what is known of it: data passed between threads and processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from disgram.addresses import ChannelRef, Destination
from disgram.rules.texts import NO_RULES, RuleTexts
from disgram.traffic import NO_TRAFFIC, Traffic


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings common to all workers of a service, in seconds and bytes, named as in the README.

    `shortest_cooldown`: the lower end of a range of which `cooldown` is the upper one; None: there is none.
    `account`: whether somebody has logged in, so that the account's process runs or is about to.
    """

    data_dir: Path
    cooldown: float = 300.0
    shortest_cooldown: float | None = None
    initial_posts: int = 20
    telegram_base_url: str = "https://t.me"
    telegram_requests_per_second: float = 2.0
    max_upload_bytes: int = 20 * 1024 * 1024
    follow_edits: bool = True
    follow_deletions: str = "keep"
    forward_service_messages: bool = False
    webhook_check: bool = True
    request_timeout: float = 30.0
    account: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """That this host may write a channel's rows in PostgreSQL. `epoch` grows with each holder."""

    epoch: int


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything one worker needs. A running worker restarts when its spec is no longer equal to this.

    `ledger_file`: which file the service has made its ledger; None for a worker that is run by hand.
    `lease`: with one, the ledger is the service's socket, and not a file.
    """

    job: str
    channel: ChannelRef
    destination: Destination
    embed_color: int | None
    settings: WorkerSettings
    rules: RuleTexts = NO_RULES
    ledger_file: str | None = None
    lease: Lease | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(job, channel): there is one worker for each."""
        return self.job, self.channel.key

    @property
    def script(self) -> str:
        """The name the process goes by."""
        return "threadhook.py" if self.destination.thread_id else "webhook.py"

    def to_wire(self) -> dict[str, Any]:
        """As JSON for the fork server's socket. Contains the webhook's token: never log it."""
        wire = asdict(self)
        wire["settings"]["data_dir"] = str(self.settings.data_dir)
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> WorkerSpec:
        settings = dict(wire["settings"], data_dir=Path(wire["settings"]["data_dir"]))
        return cls(
            job=wire["job"],
            channel=ChannelRef(**wire["channel"]),
            destination=Destination(**wire["destination"]),
            embed_color=wire["embed_color"],
            settings=WorkerSettings(**settings),
            rules=RuleTexts(**wire["rules"]),
            ledger_file=wire["ledger_file"],
            lease=Lease(**wire["lease"]) if wire["lease"] else None,
        )


class WorkerState(str, Enum):
    """What /health shows of a worker; lifecycle.py owns the transitions."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"
    PAUSED = "paused"
    """Of a channel of a paused job, which has no worker."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker at the supervisor's last turn.

    `last_line_at`, `next_start_at` and `idle_since` are monotonic, for ages; `last_poll_at` and `until` are
    wall-clock UTC, for people. `until`: when the wait that `reason` names ends. `idle_since`: the last poll
    or message, or else the start; `cooldown`: seconds between two polls.
    What the worker itself reports (polls, posts, gaps) outlives its restarts; `reason` does not. `trouble`:
    the last reason, until the worker itself reports that all is well, whatever restarts lie between;
    `since`: when it began. `settled`: the worker has told how it is. `discord_asked`: it has had an answer
    or none from Discord.
    """

    job: str
    channel: str
    script: str
    pid: int | None
    state: WorkerState
    reason: str | None
    restarts: int
    last_poll_at: datetime | None
    last_poll_ok: bool | None
    last_post_id: int | None
    gaps: tuple[tuple[int, int], ...]
    layout_changed: int
    last_line_at: float
    next_start_at: float | None
    idle_since: float
    cooldown: float
    until: datetime | None = None
    trouble: str | None = None
    since: datetime | None = None
    settled: bool = False
    discord_asked: bool = False
    traffic: Traffic = NO_TRAFFIC

    @classmethod
    def without_process(
        cls, job: str, channel: str, script: str, state: WorkerState, now: float, reason: str | None = None
    ) -> WorkerStatus:
        """A channel that the supervisor has no worker for."""
        return cls(
            job, channel, script, None, state, reason, 0, None, None, None, (), 0, now, None, now, 0.0
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All workers at the monotonic moment `taken_at`. `errors`: what hinders the service itself; `blocked`:
    why nothing can be sent."""

    workers: tuple[WorkerStatus, ...] = ()
    taken_at: float = 0.0
    errors: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
