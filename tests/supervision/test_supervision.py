"""Workers under the supervisor, with real processes and real signals."""

from __future__ import annotations

import gc
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.report import Level
from disgram.storage.files.locks import LOCK_FILE, WorkerLock
from disgram.workers import lifecycle
from disgram.workers.spec import WorkerState
from disgram.workers.supervisor import Supervisor
from tests.supervision.supervised import Supervised, eventually, is_gone


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Supervised]:
    service = Supervised(tmp_path)
    yield service
    service.supervisor.stop(timeout=2)


# --- start and stop ---


def test_workers_start_report_and_end_with_the_supervisor(service: Supervised) -> None:
    first, _ = service.run("obedient_a", "obedient_b")
    eventually(lambda: service.status("obedient_a").last_post_id == 7)
    status = service.status("obedient_a")
    assert (status.gaps, status.layout_changed, status.last_poll_ok) == (((3, 5),), 2, True)
    assert (status.script, status.restarts, status.reason) == ("webhook.py", 0, None)
    assert first.pid and Path(f"/proc/{first.pid}/cmdline").read_bytes().startswith(b"webhook.py obedient_a")
    server_pid = service.forkserver.pid
    service.supervisor.stop()
    service.supervisor.stop()
    assert is_gone(first.pid) and server_pid and is_gone(server_pid)
    assert service.supervisor.snapshot().workers == ()


def test_kernel_without_memory_takes_a_worker_before_the_service(service: Supervised) -> None:
    (worker,) = service.run("obedient_a")
    ours, theirs = (int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in ("self", worker.pid))
    assert theirs == min(ours + 500, 1000)


def test_last_lines_of_stopped_workers_are_reported(service: Supervised) -> None:
    service.run("obedient_a")
    service.supervisor.stop()
    assert service.texts("obedient_a")[-1] == "last line 199"
    assert len([text for text in service.texts("obedient_a") if text.startswith("last line")]) == 200


def test_worker_that_fills_its_pipe_loses_no_line(service: Supervised) -> None:
    service.run("chatty_a", "obedient_a")
    eventually(lambda: "all written" in service.texts("chatty_a"))
    texts = service.texts("chatty_a")
    assert [int(text.split()[0]) for text in texts if text.endswith("xxx")] == list(range(2000))
    assert "y" * 65536 in texts
    assert "printed: \N{SNOWMAN}" in texts and "warned" in texts
    assert "" not in texts


def test_hundred_workers_run_at_once(service: Supervised) -> None:
    service.run(*(f"silent_{number}" for number in range(100)))
    assert len({status.pid for status in service.supervisor.snapshot().workers}) == 100


def test_no_command_line_and_no_environment_contains_a_secret(
    service: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_PASSWORD", "secret-of-the-owner")
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", "https://discord.com/api/webhooks/1/token-never-shown")
    service.run("obedient_a")
    eventually(lambda: any(text.startswith("environment") for text in service.texts("obedient_a")))
    (environment,) = (text for text in service.texts("obedient_a") if text.startswith("environment"))
    assert "PATH" in environment
    assert not {"AUTH_PASSWORD", "DISCORD_WEBHOOK_URL"} & set(environment.split("'"))
    for pid in (service.pid("obedient_a"), service.forkserver.pid):
        for name in ("cmdline", "environ"):
            text = Path(f"/proc/{pid}/{name}").read_bytes()
            assert b"secret-of" not in text
            assert b"token-never" not in text


def test_worker_has_its_own_pipe_open_and_none_of_other_workers(service: Supervised) -> None:
    service.run("obedient_a", "obedient_b")
    descriptors = [
        {int(entry.name): str(entry.readlink()) for entry in Path(f"/proc/{service.pid(name)}/fd").iterdir()}
        for name in ("obedient_a", "obedient_b")
    ]
    for own, other in (descriptors, descriptors[::-1]):
        assert own[0] == os.devnull
        assert own[1] == own[2] != other[1]
        assert not {link for link in own.values() if link.startswith("socket:")}
        assert not set(own.values()) & {link for link in other.values() if link.startswith("pipe:")}


# --- changes of the desired workers ---


def test_changed_spec_restarts_that_worker_alone(service: Supervised) -> None:
    changed, kept = service.run("obedient_a", "obedient_b")
    service.add("obedient_a", color=5)
    service.supervisor.wake()
    assert changed.pid
    eventually(lambda: service.restarted("obedient_a", changed.pid or 0))
    assert service.pid("obedient_b") == kept.pid
    assert service.status("obedient_b").restarts == 0


def test_wait_gone_returns_true_once_the_processes_are_gone(service: Supervised) -> None:
    service.add("obedient_b", job="other")
    removed, kept = service.run("obedient_a")[0], service.pid("obedient_b")
    del service.desired["job", "obedient_a"]
    assert service.supervisor.wait_gone("job", timeout=5)
    assert removed.pid and is_gone(removed.pid)
    assert service.pid("obedient_b") == kept


def test_wait_gone_returns_false_after_its_timeout(service: Supervised) -> None:
    service.run("hanging_a")
    service.desired.clear()
    assert not service.supervisor.wait_gone("job", timeout=0.2)


def test_wait_gone_does_not_wait_for_a_job_created_again_at_once(service: Supervised) -> None:
    (old,) = service.run("silent_a")
    service.add("silent_a", color=9)
    assert service.supervisor.wait_gone("job", timeout=5)
    assert old.pid and is_gone(old.pid)
    eventually(lambda: service.restarted("silent_a", old.pid or 0))


# --- crashes and stale workers ---


def test_crash_of_a_worker_logs_its_traceback_as_one_line_and_backs_off(service: Supervised) -> None:
    service.add("crashing_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("crashing_a")) and status.state is WorkerState.BACKOFF)
    status = service.status("crashing_a")
    assert (status.reason, status.pid) == ("crashed", None)
    assert status.next_start_at
    crash, end = service.texts("crashing_a")[:2]
    assert crash.startswith("The worker crashed\nTraceback (most recent call last):\n")
    assert crash.endswith("RuntimeError: a bug of ours")
    assert {report.level for _, report in service.lines} == {Level.ERROR}
    assert end == "Worker exited with code 1; restarting in 1 s"
    eventually(lambda: service.status("crashing_a").restarts >= 1)


def test_worker_failed_for_good_restarts_after_reset_backoff(service: Supervised) -> None:
    service.add("permanent_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("permanent_a")) and status.state is WorkerState.FAILED)
    assert service.status("permanent_a").reason == "no_preview"
    service.supervisor.reset_backoff("job")
    eventually(
        lambda: (
            service.status("permanent_a").restarts == 1
            and service.status("permanent_a").state is WorkerState.FAILED
        )
    )


def test_killed_worker_restarts_and_no_other(service: Supervised) -> None:
    victim, other = service.run("obedient_a", "obedient_b")
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    eventually(lambda: service.status("obedient_a").reason == "killed", timeout=2)
    assert "Worker was killed by SIGKILL (out of memory?); restarting in 1 s" in service.texts("obedient_a")
    eventually(lambda: service.restarted("obedient_a", victim.pid or 0))
    assert service.pid("obedient_b") == other.pid


def test_worker_halted_by_sigstop_is_replaced_and_no_other(service: Supervised) -> None:
    """A halted process cannot react to SIGTERM, so it gets SIGKILL before the usual ten seconds."""
    service.supervise(monitor_interval=0.5, stale_after=2.0)
    victim, other = service.run("obedient_a", "obedient_b")
    assert victim.pid
    os.kill(victim.pid, signal.SIGSTOP)
    eventually(lambda: service.restarted("obedient_a", victim.pid or 0), timeout=8)
    assert service.pid("obedient_b") == other.pid
    assert any("Worker sent nothing for" in text for text in service.texts("obedient_a"))


def test_idle_worker_is_never_stale_even_with_a_short_limit(service: Supervised) -> None:
    service.supervise(monitor_interval=0.5, stale_after=1.0)
    (old,) = service.run("waiting_a")
    since = service.status("waiting_a").last_line_at
    eventually(lambda: service.status("waiting_a").last_line_at > since + 1.5)
    assert service.pid("waiting_a") == old.pid


def test_workers_all_stale_at_once_are_all_replaced(service: Supervised) -> None:
    service.supervise(monitor_interval=0.5, stale_after=1.5)
    old = service.run("silent_a", "silent_b")
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))


def test_no_worker_is_stale_after_the_machine_slept(service: Supervised) -> None:
    slept = 0.0
    service.supervise(0.5, 2.0, clock=lambda: time.monotonic() + slept)
    old = service.run("obedient_a", "obedient_b")
    for slept in (1e5, 2e5):
        service.supervisor.wake()
        eventually(lambda: service.supervisor.snapshot().taken_at > slept)  # noqa: B023
    seen = len(service.lines)
    eventually(lambda: len(service.lines) > seen + 10)
    assert [service.status(status.channel).pid for status in old] == [status.pid for status in old]


def test_restart_replaces_every_worker_of_a_job_without_delay(service: Supervised) -> None:
    old = service.run("silent_a", "silent_b")
    service.supervisor.restart("job")
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))


def test_worker_that_ignores_sigterm_is_killed_before_stop_returns(service: Supervised) -> None:
    (status,) = service.run("hanging_a")
    service.supervisor.stop(timeout=1.5)
    assert status.pid and is_gone(status.pid)


def test_worker_waits_while_another_process_holds_the_lock_of_its_channel(service: Supervised) -> None:
    lock = WorkerLock(service.data_dir / LOCK_FILE, "job", "silent_a")
    assert lock.acquire()
    service.start("silent_a")
    eventually(lambda: service.status("silent_a").reason == "waiting")
    assert "up" not in service.texts("silent_a")
    lock.release()
    eventually(lambda: "up" in service.texts("silent_a"))
    assert service.status("silent_a").reason is None


# --- errors of the service itself ---


def test_lack_of_descriptors_is_an_error_until_there_are_some_again(service: Supervised) -> None:
    service.run("silent_a")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what earlier tests left open must not be closed in between
    free, next_free = os.dup(0), os.dup(0)
    os.close(free)
    os.close(next_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, limits[1]))  # one is left, and a pipe takes two
    try:
        service.add("silent_b")
        service.supervisor.wake()
        eventually(lambda: (status := service.find("silent_b")) and status.reason == "start_failed")
        assert "Too many open files" in service.supervisor.snapshot().errors[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    service.all_running()
    eventually(lambda: service.supervisor.snapshot().errors == ())


def test_log_that_cannot_be_written_is_an_error_and_stops_no_worker(service: Supervised) -> None:
    service.log_error = StorageUnavailable("Disgram.log: no space left")
    service.start("obedient_a")
    eventually(
        lambda: (
            service.supervisor.snapshot().errors == ("The log cannot be written: Disgram.log: no space left",)
        )
    )
    service.log_error = None
    eventually(lambda: service.supervisor.snapshot().errors == ())
    assert service.status("obedient_a").restarts == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_crash_of_the_supervisor_leaves_no_worker(service: Supervised) -> None:
    (old,) = service.run("obedient_a")
    vars(service)["desired"] = None
    service.supervisor.wake()
    eventually(lambda: not service.alive())
    assert old.pid and is_gone(old.pid)
    service.supervisor.wake()
    assert service.supervisor.wait_gone("job", timeout=1)


def test_crash_of_the_supervisor_is_logged_once_and_reported_to_on_crash(
    service: Supervised,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Otherwise its workers would run on, unwatched and unlogged."""
    crashed = threading.Event()
    service.supervisor = Supervisor(
        lambda: dict(service.desired), lambda spec, report: None, service.forkserver, on_crash=crashed.set
    )
    (worker,) = service.start("obedient_a")
    monkeypatch.setattr(lifecycle, "plan", None)
    service.supervisor.wake()
    assert crashed.wait(10)
    assert worker.pid and is_gone(worker.pid)
    (record,) = caplog.records
    assert record.exc_info and record.exc_info[0] is TypeError
    assert "Traceback" not in capfd.readouterr().err
