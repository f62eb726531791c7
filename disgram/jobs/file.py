"""jobs.json, `{name: job}`: its jobs, ours or an older Disgram's, and those of them that cannot run.

Owns what of a file is a job. A change replaces the file whole, so that no crash leaves half of one.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from pathlib import Path
from typing import Any

from disgram.errors import BadInput
from disgram.jobs.job import Job
from disgram.jobs.store import Entry
from disgram.jobs.unusable import ITS_OWN_TROUBLE, UnusableJob
from disgram.storage.files.hand_edits import EditedFile
from disgram.storage.files.json_file import JsonFile


class JobsFile:
    """A JobStore, which people may edit while the service runs."""

    def __init__(self, path: Path, webhook_hosts: Collection[str] = ()) -> None:
        self._json_file, self._webhook_hosts = JsonFile(path), webhook_hosts
        self._loaded = False
        self._file = EditedFile[Entry](self._json_file, self._read)
        self.look, self.take_edits = self._file.look, self._file.take_edits

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self._file.entries

    @property
    def problem(self) -> str | None:
        return self._file.problem

    def load(self) -> None:
        """No file means no jobs."""
        self._file.load()
        self._loaded = True

    def prepare_change(self, names: Collection[str]) -> None:
        self._file.look()
        self._file.refuse_to_overwrite()

    def store(self, changed: Mapping[str, Entry], removed: Collection[str] = ()) -> None:
        entries = {name: entry for name, entry in {**self.entries, **changed}.items() if name not in removed}
        self._file.store(entries, content_of(entries))

    def _read(self) -> dict[str, Entry] | None:
        """At the start a job that cannot run stops no other; later a person can mend what he writes."""
        known = [entry for entry in self.entries.values() if isinstance(entry, UnusableJob)]
        return read_jobs(self._json_file, self._webhook_hosts, known if self._loaded else None)


def read_jobs(
    file: JsonFile, webhook_hosts: Collection[str], unusable: Container[UnusableJob] | None
) -> dict[str, Entry] | None:
    """The jobs by their names; None without a file. Raises StartRefused.

    `unusable`: the only jobs that may be unusable; None for any.
    """
    name = ""
    jobs: dict[str, Entry] = {}
    content = file.read()
    if content is None:
        return None
    try:
        for name, fields in content.items():
            job = read_job(name, fields, webhook_hosts, unusable)
            if job.jobName in jobs:
                raise BadInput("Job name taken", f"another key means the job {job.jobName!r} too.")
            jobs[job.jobName] = job
    except BadInput as error:
        raise file.refusal(file.line_of(name), f"job {name!r}: {error.error}: {error}".rstrip(".")) from None
    return jobs


def read_job(
    name: str, fields: object, webhook_hosts: Collection[str], unusable: Container[UnusableJob] | None = None
) -> Entry:
    """The key is the job's name; fields of another version of Disgram are left out. Raises BadInput."""
    if not isinstance(fields, dict):
        raise BadInput("Not a job", "There must be an object with jobName, webhookUrl and telegramChannels.")
    known = {field: value for field, value in fields.items() if field in Job.model_fields}
    try:
        return Job.parse({**known, "jobName": name}, webhook_hosts)
    except ITS_OWN_TROUBLE as error:
        job = UnusableJob(name.strip(), fields, error)
        if unusable is None or job in unusable:
            return job
        raise


def content_of(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """What is written into the file: a job that cannot run as it stood there."""
    return {name: fields_of(entry) for name, entry in entries.items()}


def fields_of(entry: Entry) -> dict[str, Any]:
    """The JSON of one job."""
    return dict(entry.fields) if isinstance(entry, UnusableJob) else entry.model_dump(mode="json")
