"""Many jobs at once, as POST /jobs is sent them and GET /jobs answers: `{name: job}`.

All of them make sense, or none is taken. Never knows which jobs there are already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from disgram.errors import BadInput
from disgram.jobs.fields import job_name
from disgram.jobs.job import Job


def parsed_jobs(content: Mapping[str, Any], webhook_hosts: Collection[str]) -> dict[str, Job]:
    """By their names. Raises BadInput, which names the job."""
    jobs: dict[str, Job] = {}
    for name, fields in content.items():
        try:
            job = _parsed(name, fields, webhook_hosts)
            if job.jobName in jobs:
                raise BadInput("Repeated job", "Two names mean this job.")
        except BadInput as error:
            raise of_job(name, error) from None
        jobs[job.jobName] = job
    return jobs


def of_job(name: str, error: BadInput) -> BadInput:
    """The same, with the job it is about."""
    return BadInput(error.error, f"Job {name[:100]!r}: {error} Nothing was changed.")


def _parsed(name: str, fields: Any, webhook_hosts: Collection[str]) -> Job:
    if not isinstance(fields, dict):
        raise BadInput("Not a job", "There must be an object with webhookUrl and telegramChannels.")
    unknown = next((field for field in fields if field not in Job.model_fields), None)
    if unknown is not None:
        raise BadInput(f"Unknown field {unknown[:100]!r}", f"The fields are {', '.join(Job.model_fields)}.")
    if job_name(fields.get("jobName", name)) != job_name(name):
        raise BadInput("Invalid jobName", "It must be the name under which the job stands.")
    return Job.parse({**fields, "jobName": name}, webhook_hosts)
