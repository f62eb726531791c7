"""A job of jobs.json that cannot run: it stops no other, and waits for a person as it stands there.

Owns which troubles are one job's own; every other one makes the whole file unusable. Never reads the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from disgram.addresses import ChannelRef, without_token
from disgram.errors import BadChannelAddress, BadInput, BadWebhookURL
from disgram.jobs.job import RULES, Job

_MOST_SHOWN = 100


def is_its_own(trouble: BadInput, fields: Mapping[str, Any], webhook_hosts: Collection[str]) -> bool:
    """Whether the trouble is an address that older versions took or WEBHOOK_HOSTS allowed, or a rule.
    `fields`: those that a job may have."""
    if isinstance(trouble, BadChannelAddress | BadWebhookURL):
        return True
    try:
        Job.parse({name: value for name, value in fields.items() if name not in RULES}, webhook_hosts)
    except BadInput:
        return False
    return True


@dataclass(frozen=True)
class UnusableJob:
    """`fields`: what the file holds, secrets included. `problem`: why that is no job."""

    reason = "job_unusable"
    """In /health."""

    jobName: str
    fields: Mapping[str, Any] = field(repr=False)
    problem: BadInput = field(compare=False)

    def changed(self, fields: Mapping[str, Any], webhook_hosts: Collection[str] = ()) -> Job:
        """The job that these fields make of it. Raises BadInput."""
        known = {name: value for name, value in self.fields.items() if name in Job.model_fields}
        return Job.parse({**known, **fields, "jobName": self.jobName}, webhook_hosts)

    def differences(self, job: Job) -> list[str]:
        """The names of the fields that are not in the file as this job has them, those it lacks included."""
        values = job.model_dump(mode="json")
        names = (name for name in Job.model_fields if name != "jobName")
        return [name for name in names if self.fields.get(name) != values.get(name)]

    @property
    def addresses(self) -> list[str]:
        """What stands for channels, as far as it is text: for people, so without a secret."""
        found = self.fields.get("telegramChannels", ())
        items = found.split(",") if isinstance(found, str) else found
        texts = (_for_people(item.strip()) for item in items if isinstance(item, str))
        return [text[:_MOST_SHOWN] for text in texts if text]

    @property
    def rules(self) -> dict[str, str]:
        """Those that the file holds, as far as they are text or numbers: for people, so without a secret."""
        rules = ((name, self.fields.get(name)) for name in sorted(RULES))
        return {name: _for_people(str(rule)) for name, rule in rules if isinstance(rule, str | int | float)}

    @property
    def color(self) -> str | None:
        """What stands for one: for people."""
        found = self.fields.get("embedColor")
        return _for_people(str(found))[:_MOST_SHOWN] if found else None

    @property
    def channels(self) -> list[ChannelRef]:
        """Those of its channels that are none of the trouble."""
        found = []
        for address in self.addresses:
            try:
                found.append(ChannelRef.parse(address))
            except BadChannelAddress:
                continue
        return found

    @property
    def error(self) -> BadInput:
        """For whoever asks for something that it cannot do as it is."""
        what = f"{self.problem.error}: {self.problem}".rstrip(".")
        return BadInput(
            "Job cannot run",
            f"Job {self.jobName!r} cannot run. {what}. PATCH or DELETE it; the others go on.",
        )


def _for_people(text: str) -> str:
    """Without a secret, and such that an answer can hold it: no half of a surrogate pair, which JSON may
    spell but UTF-8 may not."""
    return without_token(text).encode("utf-8", "replace").decode()
