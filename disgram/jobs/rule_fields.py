"""The types of a job's optional rules: which posts, whom they ping, how they look, how often to poll.

Each takes what a header, jobs.json or a JSON body holds, keeps it as the person wrote it, and is None where
nothing is said. All raise BadInput.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from disgram.cooldown import LEAST, MOST, Cooldown
from disgram.errors import BadInput
from disgram.jobs.fields import text_of
from disgram.rules.kinds import KindsRule
from disgram.rules.mention import Mention
from disgram.rules.pattern import Pattern
from disgram.rules.thread_title import checked_template, parse_tags

MOST_INITIAL_POSTS = 1_000_000


def _pattern(header: str) -> Callable[[object], str | None]:
    def read(value: object) -> str | None:
        text = text_of(header, value)
        if text:
            Pattern(header, text)
        return text or None

    return read


def _parsed(header: str, parse: Callable[[str], object]) -> Callable[[object], str | None]:
    """What `parse` makes of the text, as text again; a list is one with commas."""

    def read(value: object) -> str | None:
        if isinstance(value, list | tuple):
            value = ",".join(text_of(header, item) for item in value)
        text = text_of(header, value)
        return str(parse(text)) if text else None

    return read


def _tags(text: str) -> str:
    return ",".join(parse_tags(text))


def _silent(value: object) -> bool | None:
    if isinstance(value, bool):
        return value or None
    text = text_of("SILENT", value).lower()
    if text not in {"", "true", "false"}:
        raise BadInput("Invalid SILENT", "It is true or false.")
    return text == "true" or None


def _cooldown(value: object) -> str | None:
    plain = str(value) if isinstance(value, float) else value
    text = text_of("COOLDOWN", plain)
    try:
        return str(Cooldown.parse(text)) if text else None
    except ValueError:
        raise BadInput(
            "Invalid COOLDOWN",
            f"Seconds from {LEAST} to {MOST:.0f} between two polls, such as 300, or a range such as 60-300.",
        ) from None


def _initial_posts(value: object) -> int | None:
    text = text_of("INITIAL_POSTS", value)
    if text and not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= MOST_INITIAL_POSTS):
        raise BadInput("Invalid INITIAL_POSTS", f"It is a number from 0 to {MOST_INITIAL_POSTS}.")
    return int(text) if text else None


CooldownField = Annotated[str | None, BeforeValidator(_cooldown)]
InitialPosts = Annotated[int | None, BeforeValidator(_initial_posts)]
Include = Annotated[str | None, BeforeValidator(_pattern("INCLUDE"))]
Exclude = Annotated[str | None, BeforeValidator(_pattern("EXCLUDE"))]
Kinds = Annotated[str | None, BeforeValidator(_parsed("KINDS", KindsRule.parse))]
MentionField = Annotated[str | None, BeforeValidator(_parsed("MENTION", Mention.parse))]
MentionIf = Annotated[str | None, BeforeValidator(_pattern("MENTION_IF"))]
Silent = Annotated[bool | None, BeforeValidator(_silent)]
ThreadName = Annotated[str | None, BeforeValidator(_parsed("THREAD_NAME", checked_template))]
Tags = Annotated[str | None, BeforeValidator(_parsed("TAGS", _tags))]


def refuse_contradictions(job: Mapping[str, Any]) -> None:
    """Of fields that are sound by themselves. Raises BadInput."""
    if job["threadName"] and job["threadId"]:
        raise BadInput(
            "Invalid THREAD_NAME",
            "THREAD_NAME opens a thread for each post, DISCORD_THREAD_ID names one for all: set one of them.",
        )
    for name, header, needed, needed_header in (
        ("tags", "TAGS", "threadName", "THREAD_NAME"),
        ("mentionIf", "MENTION_IF", "mention", "MENTION"),
    ):
        if job[name] and not job[needed]:
            raise BadInput(f"Invalid {header}", f"{header} says nothing without {needed_header}.")
