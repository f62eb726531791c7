"""The warm-up does the real work of a worker, and leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil
import pytest

import webhook
from disgram.errors import HttpError, StorageUnavailable
from disgram.http import client as http
from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec
from disgram.workers.warmup import warm_up

pytestmark = pytest.mark.usefixtures("clean_http_environment")
"""No test may find the certificates that another one has read."""


def test_warm_up_sends_edits_and_polls_as_a_worker_does() -> None:
    lines: list[tuple[Level | None, str]] = []
    warm_up(webhook.serve, lambda level, text: lines.append((level, text)))
    texts = [text for _, text in lines]
    assert [level for level, _ in lines].count(Level.NEW_MESSAGE) == 2
    assert any("followed an edit" in text for text in texts)
    assert sum(text.startswith("Checked: post") for text in texts) == 2
    assert Level.ERROR not in [level for level, _ in lines]


def test_warm_up_leaves_no_file_descriptor_or_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("no_proxy", "somewhere")
    descriptors, children = list(Path("/dev/fd").iterdir()), psutil.Process().children()
    warm_up(webhook.serve)
    assert not list(tmp_path.iterdir())
    assert os.environ["no_proxy"] == "somewhere"
    assert len(list(Path("/dev/fd").iterdir())) == len(descriptors)
    assert psutil.Process().children() == children  # a dead one that nobody waited for would be there too


def test_warm_up_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody is there
    lines: list[Level | None] = []
    warm_up(webhook.serve, lambda level, text: lines.append(level))
    assert Level.NEW_MESSAGE in lines
    assert Level.ERROR not in lines


def test_certificates_are_read_for_all_workers_at_once() -> None:
    warm_up(webhook.serve)
    assert http.ssl_context.cache_info().currsize == 1


def test_warm_up_ignores_certificates_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    warm_up(webhook.serve)
    with pytest.raises(HttpError, match=r"missing\.pem: No such file"):
        http.ssl_context()


def test_warm_up_without_a_temporary_folder_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    warm_up(webhook.serve)


@pytest.mark.parametrize("error", [StorageUnavailable("disk full"), ValueError("a mistake of ours")])
def test_warm_up_whose_worker_fails_raises_nothing(error: Exception) -> None:
    def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
        raise error

    warm_up(serve)


def test_warm_up_ends_at_the_first_long_wait() -> None:
    waits: list[float] = []

    def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int:
        while True:
            waits.append(60.0)
            heartbeat.wait(60.0)

    warm_up(serve)
    assert waits == [60.0]
