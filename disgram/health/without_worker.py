"""A channel that the supervisor has no worker for, as /health and the dashboard show it.

Its job is paused, or was created just now. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from disgram.addresses import ChannelRef
from disgram.cooldown import Cooldown
from disgram.jobs.job import Job
from disgram.workers.spec import WorkerState, WorkerStatus


def stand_in(job: Job, channel: ChannelRef, cooldown: Cooldown, now: float) -> WorkerStatus:
    """`cooldown`: for jobs without one of their own; `now`: monotonic."""
    state = WorkerState.PAUSED if job.paused else WorkerState.STARTING
    script = "threadhook.py" if job.threadId else "webhook.py"
    rests = job.rests(cooldown)
    return WorkerStatus.without_process(job.jobName, channel.name, script, state, now, cooldown=rests.longest)


def with_stand_ins(
    job: Job, workers: Iterable[WorkerStatus], cooldown: Cooldown, now: float
) -> list[WorkerStatus]:
    """The job's workers, then its channels that have none. For the rest see stand_in."""
    known = list(workers)
    names = {worker.channel.lower() for worker in known}
    return known + [
        stand_in(job, channel, cooldown, now) for channel in job.channels if channel.key not in names
    ]
