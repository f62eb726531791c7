"""What differs between a service alone and one of several hosts: where jobs and progress lie, what is its
to run.

Owns the interface, and the service alone; several_hosts.py is the other. Never starts a process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Protocol

from config import Settings
from disgram.api.parts import Progress, Supervision
from disgram.errors import BadInput, StartRefused, StorageUnavailable
from disgram.health.rows import HostSeen
from disgram.jobs.store import Entry
from disgram.logs.log_file import LogFile, escaped_name
from disgram.report import Level
from disgram.storage.before_use import open_ledger
from disgram.storage.files.hand_edits import Edit
from disgram.storage.ledger import Ledger, LedgerRows
from disgram.workers.spec import WorkerSpec
from disgram.workers.supervisor import Supervisor
from jobs import Job, JobManager
from rate_limiter import DiscordRateLimiter

Specs = Mapping[tuple[str, str], WorkerSpec]


class Hosting(Protocol):
    """Methods without a remark never wait and raise nothing."""

    @property
    def jobs(self) -> JobManager: ...

    @property
    def ledger(self) -> LedgerRows: ...

    def running(
        self, supervisor: Supervisor, limiter: DiscordRateLimiter
    ) -> AbstractContextManager[Supervision]:
        """For as long as the service runs: what its routes ask about workers. Raises StartRefused and
        StorageUnavailable at the start."""

    def take_over_edits(self, supervisor: Supervision) -> None:
        """What others have written where the jobs are stored takes effect. For the supervisor's thread; may
        wait for the ledger."""

    def runnable(self, specs: Specs) -> Specs:
        """Those of all desired workers that are to run here. For the supervisor's thread."""

    def turned(self, live: Callable[[], Collection[tuple[str, str]]]) -> None:
        """The supervisor has acted on that; `live`: what has a process. For its thread."""

    def problems(self) -> tuple[str, ...]:
        """Why nothing is sent, beside what the files of the data directory show."""

    def account_until(self) -> float:
        """The monotonic moment until which the account belongs here; in the past: not now."""

    def sends_alerts(self) -> bool:
        """Whether alerts about jobs are sent from here."""

    def sender_to(self, webhook_id: str) -> str | None:
        """Which other host sends to this webhook, if one does. May wait for the database, and raises
        StorageUnavailable."""

    def hosts(self) -> Sequence[HostSeen] | None:
        """All hosts (disgram/hosts), this one included; None for a service alone."""

    def close(self) -> None:
        """Everything has ended."""


class OneHost:
    """Jobs in jobs.json, progress in disgram.db, and every worker runs here. Raises StartRefused for damaged
    files, which are left as they are, and StorageUnavailable."""

    def __init__(self, settings: Settings, log: LogFile, jobs: JobManager) -> None:
        self._settings, self._log, self.jobs = settings, log, jobs
        self.ledger = open_ledger(settings.data_dir / "disgram.db")
        import_log(self.ledger, settings, jobs.entries())

    def running(
        self, supervisor: Supervisor, limiter: DiscordRateLimiter
    ) -> AbstractContextManager[Supervision]:
        return nullcontext(supervisor)

    def take_over_edits(self, supervisor: Supervision) -> None:
        for edit in self.jobs.take_over_edits():
            self._take_over(edit, supervisor)

    def _take_over(self, edit: Edit, supervisor: Supervision) -> None:
        """As a PATCH would, or the log says why not."""
        write = self._log.write
        if edit.refusal:
            write(Level.ERROR, edit.refusal)
        for name in edit.changed:
            try:
                clear_gone(self.jobs.get(name), self._settings, self.ledger)
            except BadInput:  # deleted since, or it cannot run
                continue
            except StorageUnavailable as error:
                write(Level.ERROR, f"{error}: a webhook that was found gone stays so", name)
            supervisor.reset_backoff(name)
            write(Level.SYSTEM, "Job changed in jobs.json", name)
        for name in edit.removed:
            write(Level.SYSTEM, "Job removed from jobs.json; its progress is kept", name)

    def runnable(self, specs: Specs) -> Specs:
        return specs

    def turned(self, live: Callable[[], Collection[tuple[str, str]]]) -> None:
        """Nobody waits for it."""

    def problems(self) -> tuple[str, ...]:
        return ()

    def account_until(self) -> float:
        return math.inf

    def sends_alerts(self) -> bool:
        return True

    def sender_to(self, webhook_id: str) -> None:
        return None

    def hosts(self) -> None:
        return None

    def close(self) -> None:
        self.ledger.close()


def require_driver() -> None:
    """For DATABASE_URL. Raises StartRefused."""
    if not find_spec("psycopg"):
        raise StartRefused("DATABASE_URL needs a driver: pip install -r requirements-hosts.txt")


def open_jobs(settings: Settings) -> JobManager:
    """Those of jobs.json. Raises StartRefused for a damaged one."""
    jobs = JobManager(settings.data_dir / "jobs.json", settings.webhook_hosts)
    jobs.load()
    return jobs


def clear_gone(job: Job, settings: Settings, ledger: Progress) -> None:
    """A person has changed the job, so its webhook may be called again even if it was found gone, and
    another channel that has the name of one of its channels now is meant. Raises StorageUnavailable."""
    destination = job.destination(settings.webhook_hosts)
    for key in {destination.key, destination.webhook_key}:
        ledger.clear_gone(key)
    ledger.begin_replaced_anew(job.jobName)


def import_log(ledger: Ledger, settings: Settings, jobs: Mapping[str, Entry]) -> None:
    """What an older Disgram has forwarded, before the first line of ours. Raises StartRefused: without what
    the log shows, posts would repeat."""
    log = settings.data_dir / "Disgram.log"
    channels = {name: [channel.key for channel in job.channels] for name, job in jobs.items()}
    try:
        ledger.import_log(log, channels, escaped_name)
    except OSError as error:
        raise StartRefused(f"{log} cannot be read: {error.strerror}") from None
