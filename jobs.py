"""Jobs: which channels go to which webhook. `Job`, its validation, and jobs.json.

Owns jobs.json: `JobManager` is its only reader and writer (`{name: job}`, mode 0600, replaced whole, so
that no crash leaves half a file). Never starts a process, never answers a request.
"""

from __future__ import annotations

import contextlib
import re
import threading
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, Field

from config import Settings, parse_color
from disgram.addresses import ChannelRef, Destination
from disgram.api.headers import (
    DISCORD_THREAD_ID,
    DISCORD_WEBHOOK_URL,
    EMBED_COLOR,
    JOB_NAME,
    TELEGRAM_CHANNELS,
    needed,
)
from disgram.errors import BadInput, JobExists, UnknownJob
from disgram.storage.json_file import JsonFile
from disgram.workers.spec import WorkerSpec

_THREAD_ID = re.compile(r"[0-9]{1,20}")
_MOST_CHANNELS = 1000


class Job(BaseModel):
    """One forwarding job. The field names are those of jobs.json and of the API's answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jobName: str
    webhookUrl: str = Field(repr=False)
    telegramChannels: tuple[str, ...]
    threadId: str | None = None
    embedColor: str | None = None

    @property
    def channels(self) -> tuple[ChannelRef, ...]:
        """The channels, understood."""
        return tuple(ChannelRef.parse(address) for address in self.telegramChannels)

    def destination(self, webhook_hosts: Collection[str] = ()) -> Destination:
        """The webhook and thread, understood. Raises BadWebhookURL for a host not allowed any more."""
        return Destination.parse(self.webhookUrl, self.threadId, extra_hosts=webhook_hosts)

    def masked(self) -> Job:
        """The same job without its secret, for answers that anybody may read."""
        destination = self.destination((_host_of(self.webhookUrl),))
        return self.model_copy(update={"webhookUrl": destination.masked})


# --- what a person typed -> what a job holds ----------------------------------------------------------


def job_name(text: str) -> str:
    """1 to 100 printable characters of any script. Raises BadInput."""
    name = text.strip()
    if not 1 <= len(name) <= 100 or any(map(_unprintable, name)) or not any(map(_visible, name)):
        raise BadInput("Invalid JOB_NAME", "A job name is 1 to 100 printable characters, on one line.")
    return name


def webhook_url(text: str, webhook_hosts: Collection[str]) -> str:
    """A webhook of Discord, or of a host of WEBHOOK_HOSTS. Raises BadWebhookURL."""
    Destination.parse(text, extra_hosts=webhook_hosts)
    return text.strip()


def channel_addresses(items: Collection[str]) -> tuple[str, ...]:
    """As `https://t.me/name[/123]`, each channel once (the first mention counts). Raises BadInput."""
    found: dict[str, ChannelRef] = {}
    for item in filter(None, (item.strip() for item in items)):
        channel = ChannelRef.parse(item)
        found.setdefault(channel.key, channel)
    if not 1 <= len(found) <= _MOST_CHANNELS:
        raise BadInput(
            "Invalid TELEGRAM_CHANNELS",
            f"Name 1 to {_MOST_CHANNELS} channels, a comma between two: https://t.me/name, @name or name.",
        )
    return tuple(channel.address for channel in found.values())


def thread_id(text: str) -> str | None:
    """Digits, or None for nothing at all. Raises BadInput."""
    digits = text.strip()
    if digits and not (_THREAD_ID.fullmatch(digits) and int(digits)):
        raise BadInput(
            "Invalid DISCORD_THREAD_ID", "A thread id is a number, as Discord's Copy Thread ID gives it."
        )
    return digits or None


def embed_color(text: str) -> str | None:
    """Six lower-case hex digits, or None for nothing at all. Raises BadInput."""
    color = parse_color(text)
    if text.strip() and color is None:
        raise BadInput(
            "Invalid EMBED_COLOR", "A colour is six hex digits such as 89a7d9 (# in front is accepted)."
        )
    return None if color is None else f"{color:06x}"


def _unprintable(character: str) -> bool:
    """Controls, line ends and marks that reorder text; joiners and flag tags belong to scripts and emoji."""
    if character in "\u200c\u200d" or "\U000e0020" <= character <= "\U000e007f":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cn" or category[0] in "LNPS"  # Cn: newer than this Python's tables, such as an emoji


def _host_of(url: str) -> str:
    return url.split("/")[2]


def new_job(headers: Mapping[str, str], settings: Settings) -> Job:
    """The job that the headers of a POST describe. Raises BadInput."""
    webhook = (
        headers.get(DISCORD_WEBHOOK_URL)
        or settings.discord_webhook_url
        or needed(headers, DISCORD_WEBHOOK_URL)
    )
    return Job(
        jobName=job_name(needed(headers, JOB_NAME)),
        webhookUrl=webhook_url(webhook, settings.webhook_hosts),
        telegramChannels=channel_addresses(needed(headers, TELEGRAM_CHANNELS).split(",")),
        threadId=thread_id(headers.get(DISCORD_THREAD_ID, "")),
        embedColor=embed_color(headers.get(EMBED_COLOR, "")),
    )


def changes(headers: Mapping[str, str], webhook_hosts: Collection[str]) -> dict[str, Any]:
    """The fields that the headers of a PATCH give new values; an empty header clears. Raises BadInput."""
    found: dict[str, Any] = {}
    if DISCORD_WEBHOOK_URL in headers:
        found["webhookUrl"] = webhook_url(headers[DISCORD_WEBHOOK_URL], webhook_hosts)
    if TELEGRAM_CHANNELS in headers:
        found["telegramChannels"] = channel_addresses(headers[TELEGRAM_CHANNELS].split(","))
    if DISCORD_THREAD_ID in headers:
        found["threadId"] = thread_id(headers[DISCORD_THREAD_ID])
    if EMBED_COLOR in headers:
        found["embedColor"] = embed_color(headers[EMBED_COLOR])
    if not found:
        raise BadInput(
            "Nothing to change", "Send at least one header beside JOB_NAME, such as TELEGRAM_CHANNELS."
        )
    return found


# --- jobs.json ----------------------------------------------------------------------------------------


class JobManager:
    """All jobs, in memory and in jobs.json. Thread-safe; what was written is what is held, always."""

    def __init__(self, path: Path, webhook_hosts: Collection[str] = ()) -> None:
        self._file, self._webhook_hosts = JsonFile(path), webhook_hosts
        self._lock = threading.RLock()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._jobs: dict[str, Job] = {}

    def load(self) -> None:
        """Take over what the file says; no file is no job. Raises StartRefused and leaves it as it is."""
        with self._lock:
            self._jobs = _taken_over(self._file, self._webhook_hosts)
        self._file.hide()

    def jobs(self) -> dict[str, Job]:
        """A copy, in the order of creation."""
        with self._lock:
            return dict(self._jobs)

    def get(self, name: str) -> Job:
        """Raises UnknownJob."""
        with self._lock:
            return self._jobs.get(name) or _unknown(name)

    def refuse_taken(self, name: str) -> None:
        """Raises JobExists if there is a job of this name."""
        with self._lock:
            if name in self._jobs:
                raise JobExists(
                    "Job name already taken",
                    f"There is a job named {name!r}. Choose another name, or PATCH that one.",
                )

    def create(self, job: Job) -> None:
        """Raises JobExists, or StorageUnavailable if it cannot be written (then nothing changed)."""
        with self._lock:
            self.refuse_taken(job.jobName)
            self._store({**self._jobs, job.jobName: job})

    def change(self, name: str, changed: Callable[[Job], Job]) -> Job:
        """Put `changed(job)` in its place; gives it back. Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            job = changed(self.get(name))
            self._store({**self._jobs, name: job})
            return job

    def remove(self, name: str) -> None:
        """Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.get(name)
            self._store({other: job for other, job in self._jobs.items() if other != name})

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Whoever creates, changes or deletes a job of this name waits until the one before is done.

        A deletion takes as long as the job's processes need to stop; other names do not wait for it.
        """
        with self._lock:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            yield

    def specs(self, settings: Settings) -> dict[tuple[str, str], WorkerSpec]:
        """What should run: one worker for each job and channel, by its key."""
        specs = (spec for job in self.jobs().values() for spec in worker_specs(job, settings))
        return {spec.key: spec for spec in specs}

    def _store(self, jobs: dict[str, Job]) -> None:
        self._file.replace({name: job.model_dump(mode="json") for name, job in jobs.items()})
        self._jobs = jobs


def worker_specs(job: Job, settings: Settings) -> list[WorkerSpec]:
    """The workers of one job."""
    destination = job.destination(settings.webhook_hosts)
    color = settings.embed_color if job.embedColor is None else int(job.embedColor, 16)
    shared = settings.worker_settings()
    return [WorkerSpec(job.jobName, channel, destination, color, shared) for channel in job.channels]


def _unknown(name: str) -> NoReturn:
    raise UnknownJob("Job not found", f"There is no job named {name!r}. GET /jobs lists all.")


def _taken_over(file: JsonFile, webhook_hosts: Collection[str]) -> dict[str, Job]:
    """The jobs of a file, ours or an older Disgram's. Raises StartRefused."""
    name = ""
    jobs = {}
    try:
        for name, fields in (file.read() or {}).items():
            jobs[name] = _taken_over_job(name, fields, webhook_hosts)
    except BadInput as error:
        raise file.refusal(file.line_of(name), f"job {name!r}: {error.error}: {error}") from None
    return jobs


def _taken_over_job(name: str, fields: object, webhook_hosts: Collection[str]) -> Job:
    """Older files leave out optional keys, name channels barely, hold colours and thread ids as numbers."""
    if not isinstance(fields, dict):
        raise BadInput("Not a job", "There must be an object with jobName, webhookUrl and telegramChannels.")
    channels = fields.get("telegramChannels")
    if isinstance(channels, str):
        channels = channels.split(",")
    if not isinstance(channels, list):
        raise BadInput("Invalid telegramChannels", "There must be a list of channel addresses.")
    return Job(
        jobName=job_name(name),
        webhookUrl=webhook_url(_words(fields, "webhookUrl"), webhook_hosts),
        telegramChannels=channel_addresses([str(channel) for channel in channels]),
        threadId=thread_id(_words(fields, "threadId")),
        embedColor=embed_color(_color_words(fields)),
    )


def _words(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"Invalid {key}", "There must be a string.")
    return str(value)


def _color_words(fields: Mapping[str, Any]) -> str:
    value = fields.get("embedColor")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFF:
        return f"{value:06x}"
    return _words(fields, "embedColor")
