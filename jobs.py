"""The jobs there are: jobs.json, what a request makes of a job, and the workers that jobs need.

Owns jobs.json (`{name: job}`, mode 0600): `JobManager` replaces it whole, so that no crash leaves half a
file, and takes over what a person writes into it. Never starts a process, never answers a request.
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
from disgram.errors import BadInput, JobExists, UnknownJob
from disgram.jobs.fields import job_name
from disgram.jobs.file import Entry, content_of, read_jobs
from disgram.jobs.job import Job
from disgram.jobs.unusable import UnusableJob
from disgram.storage.files.hand_edits import Edit, EditedFile
from disgram.storage.files.json_file import JsonFile
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


# --- jobs.json ------------------------------------------------------------------------------------------


class JobManager:
    """All jobs, in memory and in jobs.json; both hold the same unless `problem` says why not. Thread-safe."""

    def __init__(self, path: Path, webhook_hosts: Collection[str] = ()) -> None:
        self._json_file, self._webhook_hosts = JsonFile(path), webhook_hosts
        self._loaded = False
        self._file = EditedFile[Entry](self._json_file, self._read)
        self._lock = threading.RLock()
        self._name_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @property
    def _entries(self) -> dict[str, Entry]:
        return self._file.entries

    def _read(self) -> dict[str, Entry] | None:
        """At the start a job that cannot run stops no other; later a person can mend what he writes."""
        known = [entry for entry in self._entries.values() if isinstance(entry, UnusableJob)]
        return read_jobs(self._json_file, self._webhook_hosts, known if self._loaded else None)

    @property
    def problem(self) -> str | None:
        """What a person has to correct in jobs.json."""
        return self._file.problem

    def load(self) -> None:
        """Read the file; none means no jobs. Raises StartRefused, and leaves the file as it is."""
        with self._lock:
            self._file.load()
            self._loaded = True

    def take_over_edits(self) -> list[Edit]:
        """What people have written into the file since the last call; their jobs are the jobs from now on."""
        with self._lock:
            self._file.look()
            return self._file.take_edits()

    def jobs(self) -> dict[str, Job]:
        """Those that can run, in the order of creation: a copy."""
        with self._lock:
            return {name: entry for name, entry in self._entries.items() if isinstance(entry, Job)}

    def unusable(self) -> dict[str, UnusableJob]:
        """Those of the file that cannot run as they stand there: a copy."""
        with self._lock:
            return {name: entry for name, entry in self._entries.items() if isinstance(entry, UnusableJob)}

    def entries(self) -> dict[str, Entry]:
        """Both kinds: a copy."""
        with self._lock:
            return dict(self._entries)

    def entry(self, name: str) -> Entry:
        """Whether it can run or not. Raises UnknownJob."""
        with self._lock:
            return self._entries.get(name) or _unknown(name)

    def get(self, name: str) -> Job:
        """Raises UnknownJob, and BadInput for one that cannot run."""
        entry = self.entry(name)
        if isinstance(entry, UnusableJob):
            raise entry.error
        return entry

    def refuse_taken(self, name: str) -> None:
        """Raises JobExists if there is a job of this name."""
        with self._lock:
            if name in self._entries:
                raise JobExists(
                    "Job name already taken",
                    f"There is a job named {name!r}. Choose another name, or PATCH that one.",
                )

    def create(self, job: Job) -> None:
        """Raises JobExists, or StorageUnavailable if it cannot be written (then nothing changed)."""
        with self._lock:
            self.refuse_taken(job.jobName)
            self._store({**self._entries, job.jobName: job})

    def change(self, job: Job) -> None:
        """Put `job` in place of the one of its name. Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.entry(job.jobName)
            self._store({**self._entries, job.jobName: job})

    def put(self, jobs: Collection[Job]) -> None:
        """Create or replace all of them with one write. Raises StorageUnavailable; then nothing changed."""
        with self._lock:
            self._store({**self._entries, **{job.jobName: job for job in jobs}})

    def remove(self, name: str) -> None:
        """Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.entry(name)
            self._store({other: entry for other, entry in self._entries.items() if other != name})

    @contextlib.contextmanager
    def exclusive(self, *names: str) -> Iterator[None]:
        """Of those who create, change or delete jobs of these names, only one at a time is inside.

        A deletion takes as long as the job's processes need to stop; other names do not wait for it. What a
        person has written into jobs.json is taken over first. Raises StorageUnavailable if it is unusable.
        """
        with self._lock:
            self._file.look()
            self._file.refuse_to_overwrite()
            # In one order for all, so that no two wait for each other.
            locks = [self._name_locks.setdefault(name, threading.Lock()) for name in sorted({*names})]
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock)
            yield

    def specs(self, settings: Settings, ledger_file: str | None = None) -> dict[tuple[str, str], WorkerSpec]:
        """What should run: one worker for each channel of each job that is not paused, by its key."""
        active = (job for job in self.jobs().values() if not job.paused)
        specs = (spec for job in active for spec in worker_specs(job, settings, ledger_file))
        return {spec.key: spec for spec in specs}

    def _store(self, entries: dict[str, Entry]) -> None:
        self._file.store(entries, content_of(entries, self._json_file.content))


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
