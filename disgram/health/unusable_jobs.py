"""What /health says of jobs of jobs.json that cannot run.

Each of their channels counts as one that failed. Never repeats a webhook's address.
"""

from __future__ import annotations

from disgram.api.schemas import JobConfiguration
from disgram.jobs.unusable import UnusableJob
from disgram.workers.spec import WorkerState, WorkerStatus


def statuses(job: UnusableJob, now: float) -> list[WorkerStatus]:
    """One for each channel, and at least one. `now`: monotonic."""
    return [
        WorkerStatus.without_process(job.jobName, channel, "webhook.py", WorkerState.FAILED, now, job.reason)
        for channel in job.addresses or [""]
    ]


def configuration(job: UnusableJob) -> JobConfiguration:
    return JobConfiguration(
        webhook_url="",
        thread_id_configured=bool(job.fields.get("threadId")),
        embed_color=job.color,
        channels_count=len(job.addresses),
    )
