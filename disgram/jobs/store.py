"""Where the jobs lie, as jobs.py uses it: jobs.json, or a table that several hosts share.

Owns the interface alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from disgram.errors import JobExists
from disgram.jobs.job import Job
from disgram.jobs.unusable import UnusableJob
from disgram.storage.files.hand_edits import Edit

Entry = Job | UnusableJob


class JobStore(Protocol):
    """Used under one lock, but for `entries` and `problem`, which anybody reads at any time."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The jobs that count, by their names, in the order of creation: replaced whole, never changed."""

    @property
    def problem(self) -> str | None:
        """What a person has to correct, so that these are not the jobs that are stored."""

    def load(self) -> None:
        """At the start. Raises StartRefused, and StorageUnavailable where it may pass; changes nothing."""

    def look(self) -> None:
        """Take over what others have written, as far as that is known without waiting."""

    def take_edits(self) -> list[Edit]:
        """What others have written, as far as it was taken over since the last call."""

    def prepare_change(self, names: Collection[str]) -> None:
        """Take over what others have written: the next change of these jobs is one of what they are now.
        Raises StorageUnavailable if no job can be changed."""

    def store(self, changed: Mapping[str, Entry], removed: Collection[str] = ()) -> None:
        """Put these jobs, new ones last, and remove those. Raises StorageUnavailable, also where somebody
        else has changed one of them since, and JobExists for a new one whose name is taken; then nothing
        changed."""


def name_taken(name: str) -> JobExists:
    return JobExists(
        "Job name already taken",
        f"There is a job named {name!r}. Choose another name, or PATCH that one.",
    )
