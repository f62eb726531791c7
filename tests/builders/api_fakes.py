"""Parts for a service without processes: they do in memory what the real ones do in processes and files.

`python -m tests.builders.api_fakes` and `uvicorn tests.builders.api_fakes:app` start a service over them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from config import SETTINGS, Settings
from disgram.api.server import serve
from disgram.errors import StorageUnavailable
from disgram.workers.spec import (
    Snapshot,
    WorkerSpec,
    WorkerState,
    WorkerStatus,
)
from main import create_app
from service import Service, assembled, open_jobs, open_log

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
        self.full = False

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

    def failed(self) -> list[dict[str, Any]]:
        return list(self.posts)

    def retry(self, job: str, post_id: int | None) -> int:
        chosen = [post for post in self.posts if post["job"] == job and post_id in {None, post["post_id"]}]
        self.posts = [post for post in self.posts if post not in chosen]
        return len(chosen)

    def dismiss(self, job: str, post_id: int | None) -> int:
        return self.retry(job, post_id)


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


@contextlib.contextmanager
def fake_service(settings: Settings) -> Iterator[Service]:
    """The real jobs, log, gate and host over fake processes and a fake ledger."""
    jobs, log = open_jobs(settings), open_log(settings)
    supervisor = FakeSupervisor(lambda: jobs.specs(settings))
    with assembled(settings, jobs, log, supervisor, FakeLedger(), FakeLimits()) as service:
        yield service


app = create_app(SETTINGS, fake_service)

if __name__ == "__main__":
    serve(app, SETTINGS.host, SETTINGS.port)
