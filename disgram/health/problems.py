"""What is wrong now: one list, made from what is known of workers, posts and the service, shown everywhere.

Owns which states are problems, and their order. Pure: reads no clock, asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from disgram.health.sentences import SENTENCES, Urgency, sentence_of
from disgram.jobs.unusable import UnusableJob
from disgram.workers.spec import WorkerStatus


class Key(NamedTuple):
    """What a problem is of: of the service (None, None), of a job (job, None), or of a channel. `channel` in
    lower case."""

    job: str | None
    channel: str | None
    reason: str

    def may_be_of(self, channels: Channels) -> bool:
        """Whether one of these channels could have it."""
        return any(self.job in {None, job} and self.channel in {None, name} for job, name in channels)


Channels = Collection[tuple[str, str]]
"""Job and channel, the latter in lower case."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`message`: one sentence for a person. `since`: when it began, as far as that is known; `until`: when it
    will end by itself. Neither holds a secret."""

    job: str | None
    channel: str | None
    reason: str
    message: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def key(self) -> Key:
        return Key(self.job, self.channel and self.channel.lower(), self.reason)


class RefusedPosts(NamedTuple):
    """The number of posts of a channel that Discord refused in every form, and when the first of them was."""

    number: int
    since: datetime | None


Refused = Mapping[tuple[str, str], RefusedPosts]
"""By job and channel, the latter in lower case."""


class Fault(NamedTuple):
    """Something that hinders the service itself, in words, with a reason of SENTENCES."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out beside the workers' own words: faults of the service, refused posts, other problems
    (of a job that cannot run, for instance), and when problems that do not tell it themselves began."""

    faults: tuple[Fault, ...] = ()
    refused: Refused = field(default_factory=dict)
    others: tuple[Problem, ...] = ()
    begun: Mapping[Key, datetime] = field(default_factory=dict)
    forwarded: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """When the newest post of a channel was confirmed, as far as its worker does not know it: before this
    service started, or before its job was paused; keys as in `refused`."""
    waiting: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """When posts of a channel began to wait, maybe before this service started; keys as in `refused`."""

    def of_job(self, job: str) -> Findings:
        """Those about one job; none of the service's own faults."""
        refused = {key: posts for key, posts in self.refused.items() if key[0] == job}
        others = tuple(other for other in self.others if other.job == job)
        return replace(self, faults=(), refused=refused, others=others)

    def of_persons(self) -> dict[tuple[str, str], str]:
        """The reasons that channels had before, of those that only a person ends; keys as in `refused`."""
        return {
            (key.job, key.channel): key.reason
            for key in self.begun
            if key.job and key.channel and sentence_of(key.reason).urgency is Urgency.PERSON
        }

    def of_jobs(self, jobs: Container[str]) -> Findings:
        """Without refused posts of jobs that are no more."""
        return replace(self, refused={key: posts for key, posts in self.refused.items() if key[0] in jobs})


def problem_list(workers: Iterable[WorkerStatus], findings: Findings) -> list[Problem]:
    """Every problem, most urgent first, among equals the oldest.

    A channel whose worker has not told anything since the service started keeps what it had before, if only
    a person could have ended it: else a restart would hide for minutes what is broken.
    """
    left, before = dict(findings.refused), findings.of_persons()
    found = [problem(reason, text) for reason, text in findings.faults]
    found += findings.others
    for worker in workers:
        channel = worker.job, worker.channel.lower()
        found += _of_worker(worker, left.pop(channel, None))
        if channel in before and not (worker.settled or worker.reason):
            reason = before[channel]
            found.append(Problem(worker.job, worker.channel, reason, sentence_of(reason).message()))
    found += [_refused(job, channel, posts) for (job, channel), posts in left.items()]
    return sorted((_dated(problem, findings.begun) for problem in found), key=_order)


def one_per_channel(problems: Iterable[Problem]) -> list[Problem]:
    """Of each channel the first one: what is shown to a person. Those of a whole job or the service stay."""
    shown: dict[Key, Problem] = {}
    for problem in problems:
        key = problem.key
        shown.setdefault(key._replace(reason="") if key.channel else key, problem)
    return list(shown.values())


def problem(reason: str, what: str = "", job: str | None = None) -> Problem:
    """One of the service's, or of a job as a whole. `what`: the first half of its sentence, else the
    reason's own."""
    first = what.partition(". ")[0].rstrip(".")
    return Problem(job, None, reason, sentence_of(reason).message(first))


def _of_worker(worker: WorkerStatus, refused: RefusedPosts | None) -> Iterator[Problem]:
    reason = worker.reason or worker.trouble
    if reason and reason != UnusableJob.reason:  # said once, of the job
        since = worker.since if reason == worker.trouble else None
        message = sentence_of(reason).message()
        yield Problem(worker.job, worker.channel, reason, message, since, worker.until)
    if refused:
        yield _refused(worker.job, worker.channel, refused)
    if worker.gaps:
        ranges = ", ".join(f"{first} to {last}" for first, last in worker.gaps[:3])
        more = " and others" if len(worker.gaps) > 3 else ""
        message = SENTENCES["gap"].message(f"Posts {ranges}{more} could not be read so far")
        yield Problem(worker.job, worker.channel, "gap", message)


def _refused(job: str, channel: str, posts: RefusedPosts) -> Problem:
    what = f"Discord refused {posts.number} post{'' if posts.number == 1 else 's'} in every form"
    return Problem(job, channel, "post_refused", SENTENCES["post_refused"].message(what), posts.since)


def _dated(found: Problem, begun: Mapping[Key, datetime]) -> Problem:
    known = begun.get(found.key)
    if known is None or (found.since is not None and found.since <= known):
        return found
    return replace(found, since=known)


def _order(found: Problem) -> tuple[int, bool, float]:
    since = found.since.timestamp() if found.since else 0.0
    return sentence_of(found.reason).urgency, found.since is None, since
