"""jobs.json as it is read: its jobs, ours or an older Disgram's, and those of them that cannot run.

Owns what of a file is a job. Never writes it, and never decides when it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any

from disgram.errors import BadInput
from disgram.jobs.job import Job
from disgram.jobs.unusable import UnusableJob, is_its_own
from disgram.storage.files.json_file import JsonFile

Entry = Job | UnusableJob


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
            job = _read_job(name, fields, webhook_hosts, unusable)
            if job.jobName in jobs:
                raise BadInput("Job name taken", f"another key means the job {job.jobName!r} too.")
            jobs[job.jobName] = job
    except BadInput as error:
        raise file.refusal(file.line_of(name), f"job {name!r}: {error.error}: {error}".rstrip(".")) from None
    return jobs


def _read_job(
    name: str, fields: object, webhook_hosts: Collection[str], unusable: Container[UnusableJob] | None
) -> Entry:
    """The key is the job's name; fields of another version of Disgram mean nothing here."""
    if not isinstance(fields, dict):
        raise BadInput("Not a job", "There must be an object with jobName, webhookUrl and telegramChannels.")
    known = {field: value for field, value in fields.items() if field in Job.model_fields}
    known["jobName"] = name
    try:
        return Job.parse(known, webhook_hosts)
    except BadInput as error:
        job = UnusableJob(name.strip(), fields, error)
        if is_its_own(error, known, webhook_hosts) and (unusable is None or job in unusable):
            return job
        raise


def content_of(entries: Mapping[str, Entry], before: Mapping[str, Any]) -> dict[str, Any]:
    """What is written into the file: a job that cannot run as it stood there, and of the others also the
    fields of another version of Disgram. `before`: what is in the file."""
    unknown = {name.strip(): _unknown(fields) for name, fields in before.items()}
    return {
        name: dict(entry.fields)
        if isinstance(entry, UnusableJob)
        else {**entry.model_dump(mode="json"), **unknown.get(name, {})}
        for name, entry in entries.items()
    }


def _unknown(fields: object) -> dict[str, Any]:
    known = fields if isinstance(fields, Mapping) else {}
    return {field: value for field, value in known.items() if field not in Job.model_fields}
