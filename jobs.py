"""The jobs there are, what a request makes of a job, and the workers that jobs need.

Owns who may change which job when; where jobs lie is their store's (disgram/jobs/store.py). Never starts a
process, never answers a request.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from config import Settings
from disgram.api.headers import DISCORD_WEBHOOK_URL, JOB_FIELDS, PAUSED, needed
from disgram.cooldown import Cooldown
from disgram.errors import BadInput, UnknownJob
from disgram.jobs.fields import job_name
from disgram.jobs.file import JobsFile
from disgram.jobs.job import Job
from disgram.jobs.store import Entry, JobStore, name_taken
from disgram.jobs.unusable import UnusableJob
from disgram.storage.files.hand_edits import Edit
from disgram.workers.spec import WorkerSpec

__all__ = ["Job", "JobManager", "changes", "job_name", "new_job", "worker_specs"]


_FIELDS = {**JOB_FIELDS, PAUSED: "paused"}


def new_job(sent: Mapping[str, Any], settings: Settings) -> Job:
    """The job that a POST describes, by the names of headers; empty counts as absent. Raises BadInput."""
    default = {DISCORD_WEBHOOK_URL: settings.discord_webhook_url} if settings.discord_webhook_url else {}
    given = default | {name: value for name, value in sent.items() if value != ""}
    needed(given, DISCORD_WEBHOOK_URL)  # first, as ever: a proxy that drops underscores drops this one too
    for name, field in JOB_FIELDS.items():
        if Job.model_fields[field].is_required():
            needed(given, name)
    return Job.parse(_fields(given), settings.webhook_hosts)


def changes(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a PATCH changes, for Job.changed; empty text clears. Raises BadInput."""
    found = _fields(sent)
    found.pop("jobName", None)
    if not found:
        raise BadInput(
            "Nothing to change",
            "Send at least one header beside JOB_NAME, such as TELEGRAM_CHANNELS. "
            "A proxy may have dropped it, as nginx does with an underscore: TELEGRAM-CHANNELS passes.",
        )
    return found


def _fields(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {field: sent[name] for name, field in _FIELDS.items() if name in sent}


# --- all jobs -------------------------------------------------------------------------------------------


class JobManager:
    """All jobs, in memory and where they are stored; both hold the same unless `problem` says why not.
    Thread-safe; who only reads never waits for the store. `where`: jobs.json, or another store."""

    def __init__(self, where: Path | JobStore, webhook_hosts: Collection[str] = ()) -> None:
        self._jobs = JobsFile(where, webhook_hosts) if isinstance(where, Path) else where
        self._lock = threading.RLock()
        self._name_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @property
    def problem(self) -> str | None:
        """What a person has to correct where the jobs are stored."""
        return self._jobs.problem

    def load(self) -> None:
        """Raises StartRefused and StorageUnavailable, and leaves what is stored as it is."""
        with self._lock:
            self._jobs.load()

    def take_over_edits(self) -> list[Edit]:
        """What others have written since the last call; their jobs are the jobs from now on. Never waits:
        while somebody changes a job, that is told at the next call."""
        if not self._lock.acquire(blocking=False):
            return []
        try:
            self._jobs.look()
            return self._jobs.take_edits()
        finally:
            self._lock.release()

    def jobs(self) -> dict[str, Job]:
        """Those that can run, in the order of creation: a copy."""
        return {name: entry for name, entry in self._jobs.entries.items() if isinstance(entry, Job)}

    def unusable(self) -> dict[str, UnusableJob]:
        """Those that cannot run as they are stored: a copy."""
        return {name: entry for name, entry in self._jobs.entries.items() if isinstance(entry, UnusableJob)}

    def entries(self) -> dict[str, Entry]:
        """Both kinds: a copy."""
        return dict(self._jobs.entries)

    def entry(self, name: str) -> Entry:
        """Whether it can run or not. Raises UnknownJob."""
        return self._jobs.entries.get(name) or _unknown(name)

    def get(self, name: str) -> Job:
        """Raises UnknownJob, and BadInput for one that cannot run."""
        entry = self.entry(name)
        if isinstance(entry, UnusableJob):
            raise entry.error
        return entry

    def refuse_taken(self, name: str) -> None:
        """Raises JobExists if there is a job of this name."""
        if name in self._jobs.entries:
            raise name_taken(name)

    def create(self, job: Job) -> None:
        """Raises JobExists, or StorageUnavailable if it cannot be written (then nothing changed)."""
        with self._lock:
            self.refuse_taken(job.jobName)
            self._jobs.store({job.jobName: job})

    def change(self, job: Job) -> None:
        """Put `job` in place of the one of its name. Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.entry(job.jobName)
            self._jobs.store({job.jobName: job})

    def put(self, jobs: Collection[Job]) -> None:
        """Create or replace all of them with one write. Raises StorageUnavailable; then nothing changed."""
        with self._lock:
            self._jobs.store({job.jobName: job for job in jobs})

    def remove(self, name: str) -> None:
        """Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.entry(name)
            self._jobs.store({}, [name])

    @contextlib.contextmanager
    def exclusive(self, *names: str) -> Iterator[None]:
        """Of those who create, change or delete jobs of these names, only one at a time is inside.

        A deletion takes as long as the job's processes need to stop; other names do not wait for it. What
        others have written is taken over first. Raises StorageUnavailable if no job can be changed now.
        """
        with self._lock:
            # In one order for all, so that no two wait for each other.
            locks = [self._name_locks.setdefault(name, threading.Lock()) for name in sorted({*names})]
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock)
            with self._lock:
                self._jobs.prepare_change(names)
            yield

    def specs(self, settings: Settings, ledger_file: str | None = None) -> dict[tuple[str, str], WorkerSpec]:
        """What should run: one worker for each channel of each job that is not paused, by its key."""
        active = (job for job in self.jobs().values() if not job.paused)
        specs = (spec for job in active for spec in worker_specs(job, settings, ledger_file))
        return {spec.key: spec for spec in specs}


def worker_specs(job: Job, settings: Settings, ledger_file: str | None = None) -> list[WorkerSpec]:
    """The workers of one job."""
    destination = job.destination(settings.webhook_hosts)
    color = settings.embed_color if job.embedColor is None else int(job.embedColor, 16)
    cooldown = Cooldown.parse(job.cooldown) if job.cooldown else None
    shared = settings.worker_settings(cooldown, job.initialPosts)
    return [
        WorkerSpec(job.jobName, channel, destination, color, shared, job.rules, ledger_file)
        for channel in job.channels
    ]


def _unknown(name: str) -> NoReturn:
    raise UnknownJob("Job not found", f"There is no job named {name!r}. GET /jobs lists all.")
