"""A job's rules as its fields hold them: what travels to a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """None where a job has no such rule. Not checked: Rules and MessageOptions do that."""

    include: str | None = None
    exclude: str | None = None
    kinds: str | None = None
    mention: str | None = None
    mention_if: str | None = None
    silent: bool = False
    thread_name: str | None = None
    tags: str | None = None


NO_RULES = RuleTexts()
"""Of a job that names none."""
