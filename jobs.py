"""Jobs: which channels go to which webhook. `Job`, what its fields accept, and jobs.json.

Owns jobs.json (`{name: job}`, mode 0600): `JobManager` replaces it whole, so that no crash leaves half a
file, and takes over what a person writes into it. Never starts a process, never answers a request.
"""

from __future__ import annotations

import contextlib
import re
import threading
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn
from weakref import WeakValueDictionary

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from config import Settings, parse_color
from disgram.addresses import ChannelRef, Destination
from disgram.api.headers import DISCORD_WEBHOOK_URL, JOB_FIELDS, needed
from disgram.errors import BadInput, JobExists, UnknownJob
from disgram.storage.hand_edits import Edit, EditedFile
from disgram.storage.json_file import JsonFile
from disgram.workers.spec import WorkerSpec

_THREAD_ID = re.compile(r"[0-9]{1,20}")
_MAX_CHANNELS = 1000

# --- the types of a job's fields: each takes what a header, jobs.json or a JSON body holds --------------
# All raise BadInput, which pydantic lets through as it is.


def job_name(value: object) -> str:
    """1 to 100 printable characters of any script. Raises BadInput."""
    name = _text("JOB_NAME", value)
    if not 1 <= len(name) <= 100 or any(map(_unprintable, name)) or not any(map(_visible, name)):
        raise BadInput("Invalid JOB_NAME", "A job name is 1 to 100 printable characters, on one line.")
    return name


def _webhook_url(value: object, info: ValidationInfo) -> str:
    """A webhook of Discord, or of a host in the context's `webhook_hosts`."""
    url = _text("DISCORD_WEBHOOK_URL", value)
    Destination.parse(url, extra_hosts=(info.context or {}).get("webhook_hosts", ()))
    return url


def _channels(value: object) -> tuple[str, ...]:
    """A list, or text with commas -> `https://t.me/name[/123]`, each channel once (the first one counts)."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise BadInput("Invalid TELEGRAM_CHANNELS", "There must be a list of channel addresses.")
    found: dict[str, ChannelRef] = {}
    for item in filter(None, (str(item).strip() for item in items)):
        channel = ChannelRef.parse(item)
        found.setdefault(channel.key, channel)
    if not 1 <= len(found) <= _MAX_CHANNELS:
        raise BadInput(
            "Invalid TELEGRAM_CHANNELS",
            f"Name 1 to {_MAX_CHANNELS} channels, a comma between two: https://t.me/name, @name or name.",
        )
    return tuple(channel.address for channel in found.values())


def _thread_id(value: object) -> str | None:
    """Digits; None for nothing. Older files hold a number."""
    digits = _text("DISCORD_THREAD_ID", value)
    if digits and not (_THREAD_ID.fullmatch(digits) and 0 < int(digits) < 2**63):  # a snowflake
        raise BadInput(
            "Invalid DISCORD_THREAD_ID", "A thread id is a number, as Discord's Copy Thread ID gives it."
        )
    return digits or None


def _embed_color(value: object) -> str | None:
    """Six lower-case hex digits; None for nothing. Older files hold a number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFF:
        return f"{value:06x}"
    text = _text("EMBED_COLOR", value)
    color = parse_color(text)
    if text and color is None:
        raise BadInput(
            "Invalid EMBED_COLOR", "A colour is six hex digits such as 89a7d9 (# in front is accepted)."
        )
    return None if color is None else f"{color:06x}"


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"Invalid {name}", "There must be a string.")
    return str(value).strip()


def _unprintable(character: str) -> bool:
    """Controls, line ends and marks that reorder text; joiners and flag tags belong to scripts and emoji."""
    if character in "\u200c\u200d" or "\U000e0020" <= character <= "\U000e007f":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cn" or category[0] in "LNPS"  # Cn: newer than this Python's tables, such as an emoji


JobName = Annotated[str, BeforeValidator(job_name)]
WebhookUrl = Annotated[str, BeforeValidator(_webhook_url)]
ChannelList = Annotated[tuple[str, ...], BeforeValidator(_channels)]
ThreadId = Annotated[str | None, BeforeValidator(_thread_id)]
EmbedColor = Annotated[str | None, BeforeValidator(_embed_color)]


# --- the job --------------------------------------------------------------------------------------------


# A further field needs a line here and its header's name in disgram/api/headers.py (JOB_FIELDS); its
# description stands at that header in the OpenAPI document, too.
class Job(BaseModel):
    """One forwarding job. The field names are those of jobs.json and of the API's answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    jobName: JobName = Field(description="The job's name.")
    webhookUrl: WebhookUrl = Field(
        repr=False, description="Where posts go: a webhook URL of Discord, or of a host of WEBHOOK_HOSTS."
    )
    telegramChannels: ChannelList = Field(
        description="Public channels, with commas between them: `name`, `@name`, `https://t.me/name`; "
        "with `/123` behind it a channel is forwarded from post 123 on."
    )
    threadId: ThreadId = Field(None, description="Post into this thread.")
    embedColor: EmbedColor = Field(None, description="Six hex digits, such as 89a7d9.")

    @classmethod
    def parse(cls, fields: Mapping[str, Any], webhook_hosts: Collection[str] = ()) -> Job:
        """A job of what a person wrote. Raises BadInput, which never repeats a webhook URL."""
        try:
            return cls.model_validate(fields, context={"webhook_hosts": webhook_hosts})
        except ValidationError as error:  # a field that is missing or unknown; the rest is BadInput already
            first = error.errors(include_url=False, include_input=False)[0]
            name = first["loc"][0] if first["loc"] else "job"
            if first["type"] == "missing":
                raise BadInput(f"Invalid {name}", "It is missing, and each job needs it.") from None
            raise BadInput(f"Invalid {name}", f"{first['msg']}.") from None

    def changed(self, fields: Mapping[str, Any], webhook_hosts: Collection[str] = ()) -> Job:
        """The same job, under its name, with other values for these fields. Raises BadInput."""
        return self.parse({**dict(self), **fields, "jobName": self.jobName}, webhook_hosts)

    @property
    def channels(self) -> tuple[ChannelRef, ...]:
        """The channels, parsed."""
        return tuple(ChannelRef.parse(address) for address in self.telegramChannels)

    def destination(self, webhook_hosts: Collection[str] = ()) -> Destination:
        """The webhook and thread, parsed. Raises BadWebhookURL for a host not allowed any more."""
        return Destination.parse(self.webhookUrl, self.threadId, extra_hosts=webhook_hosts)

    def masked(self) -> Job:
        """The same job without its secret, for answers that anybody may read."""
        destination = self.destination((_host_of(self.webhookUrl),))
        return self.model_copy(update={"webhookUrl": destination.masked})


def _host_of(url: str) -> str:
    return url.split("/")[2]


def new_job(headers: Mapping[str, str], settings: Settings) -> Job:
    """The job that the headers of a POST describe; an empty header counts as absent. Raises BadInput."""
    default = {DISCORD_WEBHOOK_URL: settings.discord_webhook_url} if settings.discord_webhook_url else {}
    given = default | {name: value for name, value in headers.items() if value}
    needed(given, DISCORD_WEBHOOK_URL)  # first, as ever: a proxy that drops underscores drops this one too
    for name, field in JOB_FIELDS.items():
        if Job.model_fields[field].is_required():
            needed(given, name)
    return Job.parse(_fields(given), settings.webhook_hosts)


def changes(headers: Mapping[str, str]) -> dict[str, str]:
    """The fields that the headers of a PATCH change, for Job.changed; empty text clears. Raises BadInput."""
    found = _fields(headers)
    found.pop("jobName", None)
    if not found:
        raise BadInput(
            "Nothing to change", "Send at least one header beside JOB_NAME, such as TELEGRAM_CHANNELS."
        )
    return found


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    return {field: headers[name] for name, field in JOB_FIELDS.items() if name in headers}


# --- jobs.json ------------------------------------------------------------------------------------------


class JobManager:
    """All jobs, in memory and in jobs.json; both hold the same unless `problem` says why not. Thread-safe."""

    def __init__(self, path: Path, webhook_hosts: Collection[str] = ()) -> None:
        file = JsonFile(path)
        self._file = EditedFile[Job](file, lambda: _read_jobs(file, webhook_hosts))
        self._lock = threading.RLock()
        self._name_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @property
    def _jobs(self) -> dict[str, Job]:
        return self._file.entries

    @property
    def problem(self) -> str | None:
        """What a person has to correct in jobs.json."""
        return self._file.problem

    def load(self) -> None:
        """Read the file; none means no jobs. Raises StartRefused, and leaves the file as it is."""
        with self._lock:
            self._file.load()

    def take_over_edits(self) -> list[Edit]:
        """What people have written into the file since the last call; their jobs are the jobs from now on."""
        with self._lock:
            self._file.look()
            return self._file.take_edits()

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

    def change(self, job: Job) -> None:
        """Put `job` in place of the one of its name. Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.get(job.jobName)
            self._store({**self._jobs, job.jobName: job})

    def remove(self, name: str) -> None:
        """Raises UnknownJob and StorageUnavailable."""
        with self._lock:
            self.get(name)
            self._store({other: job for other, job in self._jobs.items() if other != name})

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Of those who create, change or delete a job of this name, only one at a time is inside.

        A deletion takes as long as the job's processes need to stop; other names do not wait for it. What a
        person has written into jobs.json is taken over first. Raises StorageUnavailable if it is unusable.
        """
        with self._lock:
            self._file.look()
            self._file.refuse_to_overwrite()
            lock = self._name_locks.setdefault(name, threading.Lock())
        with lock:
            yield

    def specs(self, settings: Settings, ledger_file: str | None = None) -> dict[tuple[str, str], WorkerSpec]:
        """What should run: one worker for each job and channel, by its key."""
        specs = (spec for job in self.jobs().values() for spec in worker_specs(job, settings, ledger_file))
        return {spec.key: spec for spec in specs}

    def _store(self, jobs: dict[str, Job]) -> None:
        self._file.store(jobs, {name: job.model_dump(mode="json") for name, job in jobs.items()})


def worker_specs(job: Job, settings: Settings, ledger_file: str | None = None) -> list[WorkerSpec]:
    """The workers of one job."""
    destination = job.destination(settings.webhook_hosts)
    color = settings.embed_color if job.embedColor is None else int(job.embedColor, 16)
    shared = settings.worker_settings()
    return [
        WorkerSpec(job.jobName, channel, destination, color, shared, ledger_file) for channel in job.channels
    ]


def _unknown(name: str) -> NoReturn:
    raise UnknownJob("Job not found", f"There is no job named {name!r}. GET /jobs lists all.")


def _read_jobs(file: JsonFile, webhook_hosts: Collection[str]) -> dict[str, Job] | None:
    """The jobs of a file, ours or an older Disgram's; None without a file. Raises StartRefused."""
    name = ""
    jobs = {}
    content = file.read()
    if content is None:
        return None
    try:
        for name, fields in content.items():
            job = _read_job(name, fields, webhook_hosts)
            if job.jobName in jobs:
                raise BadInput("Job name taken", f"another key means the job {job.jobName!r} too.")
            jobs[job.jobName] = job
    except BadInput as error:
        raise file.refusal(file.line_of(name), f"job {name!r}: {error.error}: {error}".rstrip(".")) from None
    return jobs


def _read_job(name: str, fields: object, webhook_hosts: Collection[str]) -> Job:
    """The key is the job's name; fields of another version of Disgram are left out."""
    if not isinstance(fields, dict):
        raise BadInput("Not a job", "There must be an object with jobName, webhookUrl and telegramChannels.")
    known = {field: value for field, value in fields.items() if field in Job.model_fields}
    return Job.parse({**known, "jobName": name}, webhook_hosts)
