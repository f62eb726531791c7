"""The supervisor with real processes and real signals; what is gone is looked up by pid."""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.report import Level, Report
from disgram.storage.locks import LOCK_FILE, WorkerLock
from disgram.workers import forkserver_client as worker_process
from disgram.workers import lifecycle
from disgram.workers.forkserver_client import ForkServer
from disgram.workers.spec import WorkerSpec, WorkerState, WorkerStatus
from disgram.workers.supervisor import Supervisor
from tests.integration.small_service import forkserver, spec_of

ROOT = Path(__file__).resolve().parents[2]


def eventually(predicate: Callable[[], object], timeout: float = 10.0) -> None:
    """Poll until it holds; fail if it does not in time."""
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """No such process, or one that has ended and that nobody has reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def stderr_of_this_process() -> str:
    """Which the template shares, and which may be a pipe too."""
    return str(Path("/proc/self/fd/2").readlink())


class Service:
    """A supervisor and its surroundings: the wanted workers, and every line that came."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.wanted: dict[lifecycle.Key, WorkerSpec] = {}
        self.lines: list[tuple[str, Report]] = []
        self.log_trouble: Exception | None = None
        self.forkserver: ForkServer = forkserver()
        self.supervisor = self.supervise(30.0, 360.0)

    def supervise(
        self,
        monitor_interval: float,
        stale_after: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> Supervisor:
        """The supervisor to use; not started yet."""
        self.supervisor = Supervisor(
            lambda: dict(self.wanted),
            self._keep,
            self.forkserver,
            monitor_interval=monitor_interval,
            stale_after=stale_after,
            clock=clock,
        )
        return self.supervisor

    def _keep(self, spec: WorkerSpec, report: Report) -> None:
        if self.log_trouble:
            raise self.log_trouble
        self.lines.append((spec.channel.name, report))

    def want(self, *channels: str, job: str = "job", color: int | None = None) -> None:
        for channel in channels:
            spec = spec_of(self.data_dir, channel, job, color)
            self.wanted[spec.key] = spec

    def run(self, *channels: str) -> list[WorkerStatus]:
        """Start with these, and wait until all run."""
        self.want(*channels)
        self.supervisor.start()
        self.all_running()
        return [self.status(channel) for channel in channels]

    def all_running(self) -> None:
        eventually(lambda: self.running() == len(self.wanted))

    def running(self) -> int:
        return sum(worker.state is WorkerState.RUNNING for worker in self.supervisor.snapshot().workers)

    def find(self, channel: str) -> WorkerStatus | None:
        return next((w for w in self.supervisor.snapshot().workers if w.channel == channel), None)

    def status(self, channel: str) -> WorkerStatus:
        status = self.find(channel)
        assert status
        return status

    def pid(self, channel: str) -> int:
        pid = self.status(channel).pid
        assert pid
        return pid

    def restarted(self, channel: str, old_pid: int) -> bool:
        status = self.find(channel)
        return bool(
            status
            and status.state is WorkerState.RUNNING
            and status.pid not in (None, old_pid)
            and is_gone(old_pid)
        )

    def said(self, channel: str) -> list[str]:
        return [report.text for name, report in self.lines if name == channel]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.supervisor.stop(timeout=2)


# --- a life without trouble ---


def test_workers_come_up_report_and_go(service: Service) -> None:
    first, _ = service.run("obedient_a", "obedient_b")
    eventually(lambda: service.status("obedient_a").last_post_id == 7)
    status = service.status("obedient_a")
    assert (status.gaps, status.layout_changed, status.last_poll_ok) == (((3, 5),), 2, True)
    assert (status.script, status.restarts, status.reason) == ("webhook.py", 0, None)
    assert first.pid and Path(f"/proc/{first.pid}/cmdline").read_bytes().startswith(b"webhook.py obedient_a")
    warm = service.forkserver.pid
    service.supervisor.stop()
    service.supervisor.stop()
    assert is_gone(first.pid) and warm and is_gone(warm)
    assert service.supervisor.snapshot().workers == ()


def test_stop_hears_the_last_lines(service: Service) -> None:
    service.run("obedient_a")
    service.supervisor.stop()
    assert service.said("obedient_a")[-1] == "farewell 199"
    assert len([text for text in service.said("obedient_a") if text.startswith("farewell")]) == 200


def test_a_chatty_worker_never_blocks_and_loses_nothing(service: Service) -> None:
    service.run("chatty_a", "obedient_a")
    eventually(lambda: "the last" in service.said("chatty_a"))
    said = service.said("chatty_a")
    assert [int(text.split()[0]) for text in said if text.endswith("xxx")] == list(range(2000))
    assert "y" * 65536 in said
    assert "printed: \N{SNOWMAN}" in said and "warned" in said
    assert "" not in said


def test_a_hundred_workers(service: Service) -> None:
    service.run(*(f"silent_{number}" for number in range(100)))
    assert len({status.pid for status in service.supervisor.snapshot().workers}) == 100


def test_no_secret_on_a_command_line_or_in_an_environment(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_PASSWORD", "secret-of-the-owner")
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", "https://discord.com/api/webhooks/1/token-never-shown")
    service.run("obedient_a")
    eventually(lambda: any(text.startswith("knows") for text in service.said("obedient_a")))
    (known,) = (text for text in service.said("obedient_a") if text.startswith("knows"))
    assert "PATH" in known
    assert not {"AUTH_PASSWORD", "DISCORD_WEBHOOK_URL"} & set(known.split("'"))
    for pid in (service.pid("obedient_a"), service.forkserver.pid):
        for name in ("cmdline", "environ"):
            text = Path(f"/proc/{pid}/{name}").read_bytes()
            assert b"secret-of" not in text
            assert b"token-never" not in text


def test_the_template_keeps_no_pipe_of_its_children(service: Service) -> None:
    service.run("silent_a", "silent_b", "silent_c")
    directory = Path(f"/proc/{service.forkserver.pid}/fd")

    def pipes() -> set[str]:
        links = {str(entry.readlink()) for entry in directory.iterdir()} - {stderr_of_this_process()}
        return {link for link in links if link.startswith("pipe:")}

    eventually(lambda: len(pipes()) == 1)  # its own wake-up


def test_a_child_holds_its_own_pipe_and_nothing_of_its_sisters(service: Service) -> None:
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


# --- changes of what is wanted ---


def test_a_changed_spec_restarts_that_worker_alone(service: Service) -> None:
    changed, kept = service.run("obedient_a", "obedient_b")
    service.want("obedient_a", color=5)
    service.supervisor.wake()
    assert changed.pid
    eventually(lambda: service.restarted("obedient_a", changed.pid or 0))
    assert service.pid("obedient_b") == kept.pid
    assert service.status("obedient_b").restarts == 0


def test_wait_gone_means_gone(service: Service) -> None:
    service.want("obedient_b", job="other")
    removed, kept = service.run("obedient_a")[0], service.pid("obedient_b")
    del service.wanted["job", "obedient_a"]
    assert service.supervisor.wait_gone("job", timeout=5)
    assert removed.pid and is_gone(removed.pid)
    assert service.pid("obedient_b") == kept


def test_wait_gone_gives_up_in_time(service: Service) -> None:
    service.run("hanging_a")
    service.wanted.clear()
    assert not service.supervisor.wait_gone("job", timeout=0.2)


def test_a_job_made_anew_at_once_does_not_keep_the_waiter(service: Service) -> None:
    (old,) = service.run("silent_a")
    service.want("silent_a", color=9)
    assert service.supervisor.wait_gone("job", timeout=5)
    assert old.pid and is_gone(old.pid)
    eventually(lambda: service.restarted("silent_a", old.pid or 0))


# --- ends nobody asked for ---


def test_a_traceback_becomes_error_lines_and_the_worker_backs_off(service: Service) -> None:
    service.want("crashing_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("crashing_a")) and status.state is WorkerState.BACKOFF)
    status = service.status("crashing_a")
    assert (status.reason, status.pid) == ("crashed", None)
    assert status.next_start_at
    assert "RuntimeError: a bug of ours" in service.said("crashing_a")
    assert {report.level for _, report in service.lines} == {Level.ERROR}
    assert service.said("crashing_a")[-1] == "worker ended with exit code 1; next start in 1 s"
    eventually(lambda: service.status("crashing_a").restarts >= 1)


def test_a_permanent_failure_waits_for_a_person(service: Service) -> None:
    service.want("permanent_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("permanent_a")) and status.state is WorkerState.FAILED)
    assert service.status("permanent_a").reason == "no_preview"
    service.supervisor.revive("job")
    eventually(
        lambda: (
            service.status("permanent_a").restarts == 1
            and service.status("permanent_a").state is WorkerState.FAILED
        )
    )


def test_kill_9_of_a_worker_is_seen_at_once_and_touches_no_other(service: Service) -> None:
    victim, other = service.run("obedient_a", "obedient_b")
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    eventually(lambda: service.status("obedient_a").reason == "killed", timeout=2)
    assert "worker was ended by SIGKILL (out of memory?); next start in 1 s" in service.said("obedient_a")
    eventually(lambda: service.restarted("obedient_a", victim.pid or 0))
    assert service.pid("obedient_b") == other.pid


def test_a_stopped_worker_is_replaced_within_two_ticks_and_no_other(service: Service) -> None:
    """A stopped process cannot obey SIGTERM: it is not given the ten seconds of one that works."""
    service.supervise(monitor_interval=0.5, stale_after=2.0)
    victim, other = service.run("obedient_a", "obedient_b")
    assert victim.pid
    os.kill(victim.pid, signal.SIGSTOP)
    eventually(lambda: service.restarted("obedient_a", victim.pid or 0), timeout=8)
    assert service.pid("obedient_b") == other.pid
    assert any("no sign of life" in text for text in service.said("obedient_a"))


def test_a_quiet_worker_that_waits_is_not_stale_however_little_is_allowed(service: Service) -> None:
    service.supervise(monitor_interval=0.5, stale_after=1.0)
    (old,) = service.run("waiting_a")
    since = service.status("waiting_a").last_line_at
    eventually(lambda: service.status("waiting_a").last_line_at > since + 1.5)
    assert service.pid("waiting_a") == old.pid


def test_all_silent_together_are_all_replaced(service: Service) -> None:
    service.supervise(monitor_interval=0.5, stale_after=1.5)
    old = service.run("silent_a", "silent_b")
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))


def test_a_machine_that_slept_has_no_stale_workers(service: Service) -> None:
    slept = 0.0
    service.supervise(0.5, 2.0, clock=lambda: time.monotonic() + slept)
    old = service.run("obedient_a", "obedient_b")
    for slept in (1e5, 2e5):
        service.supervisor.wake()
        eventually(lambda: service.supervisor.snapshot().taken_at > slept)  # noqa: B023
    seen = len(service.lines)
    eventually(lambda: len(service.lines) > seen + 10)
    assert [service.status(status.channel).pid for status in old] == [status.pid for status in old]


def test_restart_all_replaces_every_worker_without_delay(service: Service) -> None:
    old = service.run("silent_a", "silent_b")
    service.supervisor.restart_all()
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))


def test_a_worker_that_ignores_sigterm_is_killed_before_stop_returns(service: Service) -> None:
    (status,) = service.run("hanging_a")
    service.supervisor.stop(timeout=1.5)
    assert status.pid and is_gone(status.pid)


def test_a_worker_waits_while_another_process_has_its_channel(service: Service) -> None:
    lock = WorkerLock(service.data_dir / LOCK_FILE, "job", "silent_a")
    assert lock.acquire()
    service.run("silent_a")
    eventually(lambda: service.status("silent_a").reason == "waiting")
    assert "up" not in service.said("silent_a")
    lock.release()
    eventually(lambda: "up" in service.said("silent_a"))
    assert service.status("silent_a").reason is None


# --- the template ---


def test_kill_9_of_the_template_ends_its_children_and_all_start_anew(service: Service) -> None:
    old = service.run("obedient_a", "silent_b")
    warm = service.forkserver.pid
    assert warm
    os.kill(warm, signal.SIGKILL)
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))
    assert service.forkserver.pid != warm
    assert service.supervisor.snapshot().errors == ()


def test_a_hanging_orphan_is_killed_before_its_successor_starts(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "KILL_AFTER", 0.5)
    (old,) = service.run("hanging_a")
    assert old.pid and service.forkserver.pid
    os.kill(service.forkserver.pid, signal.SIGKILL)
    eventually(lambda: service.restarted("hanging_a", old.pid or 0))


def test_a_template_that_cannot_import_leaves_the_service_up_and_is_told(service: Service) -> None:
    service.forkserver = ForkServer(["tests.integration.workers.broken"])
    service.supervise(30, 360)
    service.want("obedient_a")
    service.supervisor.start()
    eventually(lambda: service.supervisor.snapshot().errors)
    assert service.supervisor.snapshot().errors == ("the template process ended with exit code 3",)
    assert service.supervisor.alive
    assert service.running() == 0


def test_a_hung_template_does_not_keep_stop_waiting(service: Service) -> None:
    (status,) = service.run("obedient_a")
    warm = service.forkserver.pid
    assert warm and status.pid
    os.kill(warm, signal.SIGSTOP)
    service.supervisor.stop(timeout=1.5)
    eventually(lambda: is_gone(warm) and is_gone(status.pid or 0), timeout=5)


def test_a_hung_template_is_replaced_with_all_its_children(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_PATIENCE", 1.0)
    service.supervise(monitor_interval=0.2, stale_after=60)
    (old,) = service.run("obedient_a")
    warm = service.forkserver.pid
    assert warm and old.pid
    os.kill(warm, signal.SIGSTOP)
    service.want("silent_b")
    service.supervisor.wake()
    eventually(lambda: service.restarted("obedient_a", old.pid or 0))
    service.all_running()
    assert is_gone(warm)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_supervisor_that_fails_leaves_no_worker_behind(service: Service) -> None:
    (old,) = service.run("obedient_a")
    vars(service)["wanted"] = None
    service.supervisor.wake()
    eventually(lambda: not service.supervisor.alive)
    assert old.pid and is_gone(old.pid)
    service.supervisor.wake()
    assert service.supervisor.wait_gone("job", timeout=1)


def test_stop_while_the_template_still_imports_leaves_nothing(service: Service) -> None:
    service.want("obedient_a", "silent_b")
    service.supervisor.start()
    eventually(lambda: service.forkserver.pid)
    warm = service.forkserver.pid
    service.supervisor.stop()
    assert warm and is_gone(warm)
    assert not service.supervisor.alive


# --- scarcity, and trouble outside ---


def test_without_memory_for_a_fork_the_service_stays_up_and_says_so(service: Service) -> None:
    service.forkserver = ForkServer(["tests.integration.workers.no_memory"])
    service.supervise(30, 360)
    service.want("obedient_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("obedient_a")) and status.restarts >= 1)
    eventually(lambda: service.status("obedient_a").reason == "start_failed")
    (error,) = service.supervisor.snapshot().errors
    assert error == "webhook.py obedient_a cannot be started: fork: Cannot allocate memory"
    assert service.supervisor.snapshot().template_alive


def test_without_descriptors_the_service_stays_up_and_recovers(service: Service) -> None:
    service.run("silent_a")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what earlier tests left open must not be closed in between
    free, next_free = os.dup(0), os.dup(0)
    os.close(free)
    os.close(next_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, limits[1]))  # one is left, and a pipe takes two
    try:
        service.want("silent_b")
        service.supervisor.wake()
        eventually(lambda: (status := service.find("silent_b")) and status.reason == "start_failed")
        assert "Too many open files" in service.supervisor.snapshot().errors[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    service.all_running()
    eventually(lambda: service.supervisor.snapshot().errors == ())


def test_a_log_that_cannot_be_written_ends_nothing(service: Service) -> None:
    service.log_trouble = StorageUnavailable("Disgram.log: no space left")
    service.run("obedient_a")
    eventually(lambda: service.supervisor.snapshot().errors == ("the log: Disgram.log: no space left",))
    service.log_trouble = None
    eventually(lambda: service.supervisor.snapshot().errors == ())
    assert service.status("obedient_a").restarts == 0


# --- the service's own death ---


def start_service(tmp_path: Path, *channels: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.small_service", str(tmp_path), *channels]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def pids_shown(process: subprocess.Popen[str], pids: set[int], templates: list[int] | None = None) -> None:
    """Gather every pid the service names, as long as it speaks; its template's apart as well."""
    assert process.stdout
    for line in process.stdout:
        shown = json.loads(line)
        if templates is not None and shown["template"]:
            templates.append(shown["template"])
        pids |= {pid for pid in (shown["template"], *shown["workers"]) if pid}


def test_kill_9_of_the_service_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    moments = random.Random(5)
    everyone: list[set[int]] = []
    for _ in range(5):
        pids: set[int] = set()
        with start_service(tmp_path, "obedient_a", "silent_b", "chatty_c", "crashing_d") as process:
            reader = threading.Thread(target=pids_shown, args=(process, pids))
            reader.start()
            eventually(lambda: pids)  # noqa: B023
            time.sleep(moments.uniform(0, 0.8))
            process.kill()
            reader.join()
        everyone.append(pids)
    assert sum(map(len, everyone)) > 5
    eventually(lambda: all(is_gone(pid) for pids in everyone for pid in pids))


def test_kill_9_of_the_service_ends_a_worker_that_ignores_sigterm(tmp_path: Path) -> None:
    pids: set[int] = set()
    with start_service(tmp_path, "hanging_a") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids))
        reader.start()
        eventually(lambda: len(pids) == 2)
        process.kill()
        reader.join()
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_kill_9_of_service_and_template_together_leaves_nothing(tmp_path: Path) -> None:
    pids: set[int] = set()
    templates: list[int] = []
    with start_service(tmp_path, "obedient_a", "silent_b") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids, templates))
        reader.start()
        eventually(lambda: len(pids) == 3)
        os.kill(templates[0], signal.SIGKILL)
        process.kill()
        reader.join()
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_sigterm_to_the_service_ends_everything_with_exit_code_0(tmp_path: Path) -> None:
    pids: set[int] = set()
    with start_service(tmp_path, "obedient_a", "silent_b") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids))
        reader.start()
        eventually(lambda: len(pids) == 3)
        process.terminate()
        assert process.wait(timeout=10) == 0
        reader.join()
    assert all(is_gone(pid) for pid in pids)


def test_a_fault_of_the_monitor_ends_all_and_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its workers would run on without anybody to watch them, or to hear what they say."""
    crashed = threading.Event()
    service.supervisor = Supervisor(
        lambda: dict(service.wanted), lambda spec, report: None, service.forkserver, on_crash=crashed.set
    )
    (worker,) = service.run("obedient_a")
    monkeypatch.setattr(lifecycle, "plan", None)
    service.supervisor.wake()
    assert crashed.wait(10)
    assert worker.pid and is_gone(worker.pid)
    assert "TypeError" in capfd.readouterr().err
