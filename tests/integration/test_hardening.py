"""What must not bring the service down, and what must never get out: real processes, real signals."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from standins.loopback import Fault, Response
from standins.stage import PASSWORD, ROOT, Stage, eventually, free_port, staged
from standins.telegram.text_markup import post, words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        yield one


# --- the machine's limits ---


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """One megabyte, mounted there."""
    folder.mkdir()
    made = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as full:
        try:
            while full.write(b"\0" * 4096):
                pass
        except OSError:
            return


@pytest.mark.skipif(not Path("/bin/mount").exists(), reason="needs mount(8)")
def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with small_disk(folder), staged(tmp_path) as stage:
        channel = stage.telegram.add_channel("news")
        channel.add(post(words("before")))
        stage.start()
        stage.add_job("job", "news/1")
        eventually(lambda: "[NEW_MESSAGE]" in stage.log())  # what Discord confirmed is in the ledger
        before = (folder / "jobs.json").read_bytes()
        fill(folder / "fill")
        channel.add(post(words("while it is full")))
        eventually(lambda: stage.health()["status"] == "unhealthy", of=stage.health)
        assert "cannot be written" in stage.health()["errors"][0]
        for method in ("PATCH", "DELETE"):
            assert stage.call(method, "/job", JOB_NAME="job", EMBED_COLOR="89a7d9").status_code == 503
        stage.worker("news").kill()
        assert (folder / "jobs.json").read_bytes() == before
        (folder / "fill").unlink()
        eventually(lambda: stage.numbers() == [1, 2], 30, of=stage.numbers)
        eventually(lambda: stage.health()["status"] == "healthy", 30, of=stage.health)
        assert stage.stop() == 0
    told = stage.output.read_text()
    assert "cannot be written: No space left" in told
    assert "can be written again" in told


def test_no_descriptors_left(stage: Stage) -> None:
    """Only the soft limit: putting a hard one back needs a privilege."""
    channel = stage.telegram.add_channel("news")
    stage.start()
    stage.add_job("job", "news/1")
    eventually(lambda: stage.workers("job")["news"]["state"] == "running")
    service = psutil.Process(stage.pid)
    soft, hard = service.rlimit(psutil.RLIMIT_NOFILE)
    stage.worker("news").kill()
    service.rlimit(psutil.RLIMIT_NOFILE, (4, hard))
    channel.add(post(words("meanwhile")))
    with socket.create_connection(("127.0.0.1", stage.port)):
        eventually(lambda: "Too many open files" in stage.output.read_text())
    service.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
    eventually(lambda: stage.numbers() == [1], 30)
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.health)


def test_worker_that_waits_for_discord_longer_than_log_stale_after_is_not_replaced(tmp_path: Path) -> None:
    """It gives the answer up in time, and sends the message again."""
    with staged(tmp_path, LOG_STALE_AFTER="3") as stage:
        channel = stage.telegram.add_channel("news")
        stage.start()
        stage.add_job("job", "news/1")
        old = stage.worker("news")
        stage.discord.fail(Fault.hang(5))
        channel.add(post(words("slow")))
        eventually(lambda: set(stage.numbers()) == {1})
        assert stage.worker("news") == old
        assert stage.workers("job")["news"]["restarts"] == 0


# --- many at once ---


def test_two_hundred_requests_at_once(running: Stage) -> None:
    """Ten names, every kind of call: in the end file, answers and processes say the same."""
    for number in range(10):
        running.telegram.add_channel(f"chan_{number}")
    rng = random.Random(5)

    def call(number: int) -> int:
        name, method = f"job {number % 10}", rng.choice(["POST", "PATCH", "DELETE", "GET", "POST"])
        path = "/job" if method != "GET" else rng.choice(["/jobs", "/health", "/logs", "/"])
        headers = {"JOB_NAME": name} if method != "GET" else {}
        if method == "POST":
            headers |= {
                "TELEGRAM_CHANNELS": f"chan_{number % 10}",
                "DISCORD_WEBHOOK_URL": running.webhook.url,
            }
        if method == "PATCH":
            headers["EMBED_COLOR"] = f"{number:06x}"
        return running.call(method, path, **headers).status_code

    with ThreadPoolExecutor(50) as threads:
        codes = set(threads.map(call, range(200)))
    assert codes <= {200, 201, 404, 409}
    jobs = running.call("GET", "/jobs").json()
    assert jobs == json.loads((running.data / "jobs.json").read_text())
    wanted = sorted(f"webhook.py chan_{name[4:]}" for name in jobs)

    def workers() -> list[str]:
        titles = (running.title(process) for process in running.processes())
        return sorted(title for title in titles if title.startswith("webhook.py"))

    eventually(lambda: workers() == wanted, of=workers)
    expected = {"total": len(jobs), "running": len(jobs)}  # running once it has said a word
    eventually(lambda: running.health()["processes"] == expected, of=running.health)


@pytest.mark.parametrize("start", [["main.py"], ["-m", "uvicorn", "main:app"]], ids=["python", "uvicorn"])
def test_a_second_service_is_refused(running: Stage, start: list[str]) -> None:
    env = os.environ | {"DATA_DIR": str(running.data), "PORT": str(free_port())}
    second = subprocess.run(
        [sys.executable, *start], cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=False
    )
    assert (second.returncode, second.stderr.count("another Disgram")) == (2, 1)
    assert f"pid {running.pid}" in second.stderr
    assert running.health()["status"] == "healthy"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_midst_of_the_start(tmp_path: Path, number: signal.Signals) -> None:
    """As soon as there is a child: the lock is held and the template on its way."""
    env = os.environ | {"DATA_DIR": str(tmp_path), "PORT": str(free_port()), "AUTH_PASSWORD": PASSWORD}
    service = subprocess.Popen([sys.executable, "main.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    children = eventually(lambda: psutil.Process(service.pid).children())
    service.send_signal(number)
    assert service.wait(15) == 0
    assert psutil.wait_procs(children, 10)[1] == []


# --- secrets ---


def test_no_core_file_holds_a_secret(stage: Stage) -> None:
    """Even where the shell that starts the service allows them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        stage.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    stage.telegram.add_channel("news")
    stage.add_job("job", "news")
    stage.worker("news")
    processes = [psutil.Process(stage.pid), *stage.processes()]
    assert [process.rlimit(psutil.RLIMIT_CORE)[0] for process in processes] == [0] * len(processes)


def shown_by(stage: Stage) -> Iterator[tuple[str, str]]:
    """Everything anybody can see of a running service without the password; files included."""
    for path in ("/", "/health", "/logs?lines=100000", "/jobs", "/openapi.json", "/docs", "/nothing", "/job"):
        for method in ("GET", "POST", "OPTIONS"):
            yield f"{method} {path}", requests.request(method, f"http://127.0.0.1:{stage.port}{path}").text
    yield "health of a job", str(stage.health("job"))
    yield "failed posts", stage.call("GET", "/job/failed").text
    yield "output", stage.output.read_text()
    for file in stage.data.rglob("*"):
        if file.is_file() and file.name != "jobs.json":
            yield str(file), file.read_bytes().decode("latin-1")
    for process in [psutil.Process(stage.pid), *stage.processes()]:
        yield f"command line of {process.name()}", stage.title(process)
        if process.pid != stage.pid:  # its own environment is where the password comes from
            yield f"environment of {process.name()}", str(process.environ())


def test_every_secret_in_every_output(stage: Stage) -> None:
    """After trouble that quotes secrets: a refusal with the token bare, a redirect, bad logins."""
    channel = stage.telegram.add_channel("news")
    stage.start()
    stage.add_job("job", "news/1")
    quoting = json.dumps({"message": f"{stage.webhook.url} {stage.webhook.token}", "code": 0}).encode()
    away = Response(302, headers=(("Location", f"{stage.telegram.url}/steal"),))
    stage.discord.fail(Fault(answer=Response(400, quoting, "application/json")), times=6)
    channel.add(post(words("refused")))
    eventually(lambda: stage.call("GET", "/job/failed").json()["failed"])
    stage.discord.faults.clear()
    stage.discord.fail(Fault(answer=away))
    channel.add(post(words("sent elsewhere")))
    eventually(lambda: 2 in stage.numbers())
    stage.call("POST", "/job", JOB_NAME="other", DISCORD_WEBHOOK_URL=f"{stage.webhook.url}/../x")
    for wrong in (f"Bearer {PASSWORD}x", f"Basic {PASSWORD}", PASSWORD):
        requests.get(f"http://127.0.0.1:{stage.port}/jobs", headers={"Authorization": wrong})
    leaks = [name for name, text in shown_by(stage) if stage.webhook.token in text or PASSWORD in text]
    assert leaks == []
    assert not [request for request in stage.telegram.requests if "steal" in request.path]
    modes = {file.name: file.stat().st_mode & 0o777 for file in stage.data.iterdir()}
    assert modes["jobs.json"] == modes["disgram.db"] == 0o600


# --- any request whatever ---


def test_the_document_tells_the_truth(running: Stage) -> None:
    """schemathesis sends what the document allows and what it forbids: no 5xx, no answer it does not name.

    Left out: that whatever the document allows is accepted; no document can say "at least one of these
    headers", which PATCH wants. And calls without the bearer: so many of them are answered with 429. 503 is
    what /health says while no worker runs.
    """
    pytest.importorskip("schemathesis")
    expected = '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "4xx", 503]\n'
    (running.folder / "schemathesis.toml").write_text(expected, "utf-8")
    document = f"http://127.0.0.1:{running.port}/openapi.json"
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", document, "--max-examples", "15"]
    left_out = "positive_data_acceptance,ignored_auth,missing_required_header"
    command += ["--exclude-checks", left_out, "--phases", "examples,coverage,fuzzing"]
    command += ["--header", f"Authorization: Bearer {PASSWORD}", "--seed", "1", "--no-color"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=running.folder
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert running.call("GET", "/jobs").ok
    assert "Traceback" not in running.output.read_text()
