"""Whether there is something to tell the operator now, and in which words. Pure.

A problem is told once when it begins, at once if it needs a person, else when it has lasted for ALERT_AFTER;
and once when it is over. What several channels have together (an outage, a job's dead webhook) is one thing
to tell. It is over when nobody has it any more, and everybody who could have it was heard: a service that has
just started knows nothing yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import groupby

from disgram.health.problems import Channels, Key, Problem
from disgram.health.sentences import Reach, Urgency, sentence_of

AT_MOST_EVERY = timedelta(minutes=1)
LONGEST = 1900
"""Characters of a message, below the 2,000 of Discord's `content`."""
_NAMES_SHOWN = 5
_LONGEST_NAME, _LONGEST_MESSAGE = 60, 400


@dataclass(frozen=True, slots=True)
class Memory:
    """What the operator was told and not yet told to be over, with when it began; and when that was."""

    told: Mapping[Key, datetime] = field(default_factory=dict)
    sent_at: datetime | None = None

    def of_this_host(self) -> Memory:
        """What goes on to be this host's to tell once another one tells of the jobs."""
        return replace(self, told={key: since for key, since in self.told.items() if _is_own(key.reason)})


@dataclass(frozen=True, slots=True)
class Alert:
    """A message, and what is to be remembered once it was sent."""

    content: str
    memory: Memory


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is told as one: its problems are of the same reason. `since`: the oldest one's."""

    key: Key
    since: datetime
    problems: tuple[Problem, ...]


def decide(
    problems: Iterable[Problem], unheard: Channels, memory: Memory, now: datetime, after: float
) -> Alert | None:
    """The message to send now; None: nothing. `unheard`: channels of which nothing is known yet; `after`:
    ALERT_AFTER in seconds."""
    if memory.sent_at and abs(now - memory.sent_at) < AT_MOST_EVERY:
        return None
    subjects = {subject.key: subject for subject in _subjects(problems, now)}
    begun = [
        subject
        for subject in subjects.values()
        if subject.key not in memory.told and _is_due(subject, now, after)
    ]
    over = [key for key in memory.told if key not in subjects and not key.may_be_of(unheard)]
    if not begun and not over:
        return None
    told = {key: since for key, since in memory.told.items() if key not in over}
    told |= {subject.key: subject.since for subject in begun}
    lines = [*map(_begins, begun), *(_is_over(key, memory.told[key]) for key in over)]
    return Alert(_joined(lines), Memory(told, now))


def of_this_host(problems: Iterable[Problem]) -> list[Problem]:
    """Of all problems those that no other host sees."""
    return [problem for problem in problems if _is_own(problem.reason)]


def _is_own(reason: str) -> bool:
    return sentence_of(reason).urgency is Urgency.SERVICE


def subject_of(problem: Problem) -> Key:
    """What an alert about this problem is about."""
    key, reach = problem.key, sentence_of(problem.reason).reach
    if reach is Reach.SERVICE:
        return Key(None, None, key.reason)
    return key._replace(channel=None) if reach is Reach.JOB else key


def _subjects(problems: Iterable[Problem], now: datetime) -> Iterator[_Subject]:
    ordered = sorted(problems, key=lambda problem: [part or "" for part in subject_of(problem)])
    for key, group in groupby(ordered, subject_of):
        members = tuple(group)
        yield _Subject(key, min(problem.since or now for problem in members), members)


def _is_due(subject: _Subject, now: datetime, after: float) -> bool:
    passes = sentence_of(subject.key.reason).urgency is Urgency.PASSES
    return not passes or (now - subject.since).total_seconds() >= after


def _begins(subject: _Subject) -> str:
    channels = list(dict.fromkeys(_short(each.channel) for each in subject.problems if each.channel))
    where = _where(subject.key.job, channels)
    message = _short(subject.problems[0].message.rstrip("."), _LONGEST_MESSAGE)
    return f"{where}{message} (since {_utc(subject.since)})"


def _where(job: str | None, channels: list[str]) -> str:
    names = ", ".join(channels[:_NAMES_SHOWN])
    if len(channels) > _NAMES_SHOWN:
        names += f" and {len(channels) - _NAMES_SHOWN} more"
    parts = [part for part in (_short(job) if job else "", names) if part]
    return " / ".join(parts) + ": " if parts else ""


def _is_over(key: Key, since: datetime) -> str:
    where = _where(key.job, [_short(key.channel)] if key.channel else [])
    return f"Over: {where}{sentence_of(key.reason).what} (since {_utc(since)})"


def _short(text: str, most: int = _LONGEST_NAME) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def _joined(lines: list[str]) -> str:
    """As many as fit, and how many do not."""
    text = "Disgram"
    for number, line in enumerate(lines):
        more = f"\n… and {len(lines) - number} more: see GET /health"
        if len(text) + len(line) + len(more) + 3 > LONGEST:
            return text + more
        text += f"\n- {line}"
    return text
