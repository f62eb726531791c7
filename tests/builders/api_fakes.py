"""Parts for a service without processes: they do in memory what the real ones do in processes and files.

`python -m tests.builders.api_fakes` and `uvicorn tests.builders.api_fakes:app` start a service over them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from config import SETTINGS, Settings
from disgram.addresses import ChannelRef, Destination
from disgram.api.server import serve
from disgram.checks.channel_lookup import ChannelAnswer
from disgram.checks.webhook_lookup import WebhookAnswer
from disgram.errors import StorageUnavailable
from disgram.storage.post_history import KnownChannel, KnownPost
from disgram.workers.spec import (
    Snapshot,
    WorkerSpec,
    WorkerState,
    WorkerStatus,
)
from hosting import open_jobs
from main import create_app
from service import Service, ServiceParts, assembled, open_log

Key = tuple[str, str]


class FakeSupervisor:
    """Workers that run as soon as they are desired; once they are not, they end if `may_end` is set."""

    def __init__(self, desired: Callable[[], Mapping[Key, WorkerSpec]]) -> None:
        self._desired = desired
        self._workers: dict[Key, WorkerStatus] = {}
        self._lock = threading.Lock()
        self.may_end = threading.Event()
        self.may_end.set()
        self.revived: list[str] = []
        self.running = False

    def start(self) -> None:
        self.running = True
        self.wake()

    def stop(self, timeout: float = 9.0) -> None:
        self.running = False
        self._workers.clear()

    def wake(self) -> None:
        with self._lock:
            desired = self._desired()
            for key, spec in desired.items():
                self._workers.setdefault(key, _status(spec))
            if self.may_end.is_set():
                self._workers = {key: status for key, status in self._workers.items() if key in desired}

    def reset_backoff(self, job: str) -> None:
        self.revived.append(job)
        self.wake()

    def restart(self, job: str) -> None:
        self.reset_backoff(job)

    def wait_gone(self, job: str, timeout: float) -> bool:
        if not self.may_end.wait(min(timeout, 5)):
            return False
        self.wake()
        return all(name != job for name, _ in self._workers)

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(tuple(self._workers.values()), time.monotonic())

    def becomes(self, job: str, **changes: Any) -> None:
        """Change what the job's workers report of themselves."""
        with self._lock:
            for key, status in self._workers.items():
                if key[0] == job:
                    self._workers[key] = replace(status, **changes)


def _status(spec: WorkerSpec) -> WorkerStatus:
    return WorkerStatus(
        job=spec.job,
        channel=spec.channel.name,
        script=spec.script,
        pid=4242,
        state=WorkerState.RUNNING,
        reason=None,
        restarts=0,
        last_poll_at=datetime.now(timezone.utc),
        last_poll_ok=True,
        last_post_id=None,
        gaps=(),
        layout_changed=0,
        last_line_at=time.monotonic(),
        next_start_at=None,
        idle_since=time.monotonic(),
        cooldown=spec.settings.cooldown,
    )


class FakeLedger:
    """Failed posts, and which jobs were forgotten."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.forgotten: list[str] = []
        self.forgiven: list[str] = []
        self.guilds: dict[str, str] = {}
        self.full = False
        self.known: KnownPost | None = None
        self.channel = KnownChannel()

    def _book(self) -> None:
        if self.full:
            raise StorageUnavailable("disgram.db: database or disk is full")

    def delete_job(self, job: str) -> None:
        self._book()
        self.forgotten.append(job)

    def clear_gone(self, destination: str) -> None:
        self._book()
        self.forgiven.append(destination)

    def begin_replaced_anew(self, job: str) -> None:
        self._book()

    def failed_counts(self) -> dict[tuple[str, str], tuple[int, float]]:
        numbers = Counter((post["job"], post["channel"].lower()) for post in self.posts)
        return {key: (number, 0.0) for key, number in numbers.items()}

    def last_confirmed(self) -> dict[tuple[str, str], float]:
        return {}

    def failed(self, job: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
        return [post for post in self.posts if job in {None, post["job"]}][:most]

    def retry(self, job: str, post_id: int | None, *, channels: Collection[str] | None = None) -> int:
        chosen = [
            post
            for post in self.posts
            if post["job"] == job and post_id in {None, post["post_id"]}
            if channels is None or post["channel"].lower() in channels
        ]
        self.posts = [post for post in self.posts if post not in chosen]
        return len(chosen)

    def dismiss(self, job: str, post_id: int | None) -> int:
        return self.retry(job, post_id)

    def known_post(self, job: str, channel: str, post_id: int) -> KnownPost | None:
        return self.known

    def known_channel(self, job: str, channel: str, post_id: int) -> KnownChannel:
        return self.channel

    def put_guild(self, webhook_id: str, guild_id: str) -> None:
        self.guilds[webhook_id] = guild_id

    def refusal(self, *destinations: str) -> str | None:
        return None


class FakeLimits:
    def snapshot(self) -> dict[str, Any]:
        return {
            "active_buckets": 1,
            "global_requests_per_second": 0.5,
            "buckets": {},
            "invalid_requests": {"count": 0},
        }

    def invalid_requests(self) -> int:
        return 3


class FakeWebhooks:
    """Discord, which knows every webhook but those in `unknown`, and is silent about those in `silent`."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.tests: list[Destination] = []

    def ask(self, webhooks: Collection[Destination]) -> dict[str, WebhookAnswer]:
        self.asked += [webhook.webhook_id for webhook in webhooks]
        return {webhook.webhook_key: self._answer(webhook.webhook_id) for webhook in webhooks}

    def _answer(self, webhook_id: str) -> WebhookAnswer:
        if webhook_id in self.silent:
            return WebhookAnswer(None, "Discord did not answer in time.")
        if webhook_id in self.unknown:
            return WebhookAnswer(False, "Discord does not know this webhook.")
        return WebhookAnswer(True, "Posts go to the channel 77.", "Captain", "77", "99")

    def send_test(self, destination: Destination, *, new_thread: bool = False) -> WebhookAnswer:
        self.tests.append(destination)
        return WebhookAnswer(True, "Discord has taken the test message.")


class FakeChannels:
    """Telegram, where every channel but those in `missing` has twelve posts."""

    def __init__(self) -> None:
        self.missing: set[str] = set()

    def ask(self, channels: Collection[ChannelRef]) -> dict[str, ChannelAnswer]:
        return {
            channel.key: ChannelAnswer(False, "channel_not_found")
            if channel.key in self.missing
            else ChannelAnswer(True, None, channel.name.title(), 12)
            for channel in channels
        }


@contextlib.contextmanager
def fake_service(settings: Settings) -> Iterator[Service]:
    """The real jobs, log, gate and host over fake processes and a fake ledger."""
    jobs, log = open_jobs(settings), open_log(settings)
    supervisor = FakeSupervisor(lambda: jobs.specs(settings))
    parts = ServiceParts(
        settings=settings,
        jobs=jobs,
        log=log,
        supervisor=supervisor,
        ledger=FakeLedger(),
        limits=FakeLimits(),
        webhooks=FakeWebhooks(),
        channels=FakeChannels(),
    )
    with assembled(parts) as service:
        yield service


app = create_app(SETTINGS, fake_service)

if __name__ == "__main__":
    serve(app, SETTINGS.host, SETTINGS.port)
