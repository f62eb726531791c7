"""The files of deploy/, each read by the program it is for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from standins.loopback import LoopbackServer, Request, Response
from tests.integration.programs import program

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def unit(folder: Path) -> str:
    """The unit with an interpreter that exists here."""
    text = (DEPLOY / "disgram.service").read_text("utf-8")
    path = folder / "disgram.service"
    path.write_text(text.replace("/opt/disgram/.venv/bin/python", sys.executable), "utf-8")
    return str(path)


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    done = run(program("systemd-analyze", always_in_ci=False), "verify", "--man=no", unit(tmp_path))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", always_in_ci=False)
    done = run(analyze, "security", "--offline=true", "--no-pager", unit(tmp_path))
    exposure = re.search(r"exposure level for disgram.service: ([0-9.]+)", done.stdout)
    assert exposure and float(exposure[1]) < 3, done.stdout + done.stderr


@pytest.mark.parametrize("line", ["KillMode=mixed", "TimeoutStopSec=15", "StateDirectory=disgram"])
def test_the_unit_leaves_the_stop_to_the_service(line: str) -> None:
    """SIGTERM to the service alone, and more time than the ten seconds it needs."""
    assert line in (DEPLOY / "disgram.service").read_text("utf-8").splitlines()


def test_pm2_is_given_what_it_needs() -> None:
    script = "console.log(JSON.stringify(require(process.argv[1]).apps[0]))"
    node = program("node", always_in_ci=False)
    done = run(node, "-e", script, str(DEPLOY / "ecosystem.config.js"))
    app = json.loads(done.stdout)
    assert app["kill_timeout"] >= 10_000
    assert app["treekill"] is False
    assert app["interpreter"] == str(DEPLOY.parent / ".venv" / "bin" / "python")
    assert (Path(app["cwd"]) / app["script"]).exists()
    assert (app["exec_mode"], app["instances"], app["stop_exit_codes"]) == ("fork", 1, [2])


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (200, {"status": "healthy", "errors": []}, 0, ""),
        (200, {"status": "degraded", "errors": []}, 1, "is degraded\n"),
        (503, {"status": "unhealthy"}, 2, "is unhealthy\n"),
        (502, {"detail": "a proxy without a service"}, 2, 'is not answering: {"detail":'),
    ],
)
def test_cron_hears_only_of_trouble(status: int, body: dict[str, object], code: int, says: str) -> None:
    def answer(request: Request) -> Response:
        text = json.dumps(body, separators=(",", ":")).encode()
        return Response(status if request.path == "/health" else 404, text, "application/json")

    server = LoopbackServer(answer)
    server.start()
    try:
        done = run(str(DEPLOY / "disgram-health.sh"), server.url)
    finally:
        server.stop()
    assert (done.returncode, bool(done.stdout)) == (code, bool(says))
    assert says in done.stdout


def test_cron_hears_of_the_first_problems() -> None:
    problems = [
        {
            "job": None,
            "channel": None,
            "reason": "jobs_file",
            "message": "Line 3: mend it.",
            "since": None,
        },
        {"job": 'my "own" \\ job', "channel": "durov", "reason": "gap", "message": "Wait.", "since": None},
        {"job": "new", "channel": None, "reason": "x", "message": 'Say "a", {b}.', "since": None},
        *[{"job": "n", "channel": f"c{n}", "reason": "x", "message": "M.", "since": None} for n in range(9)],
    ]
    body = {"status": "degraded", "log_freshness": {"message": "no"}, "problems": problems}
    text = json.dumps(body | {"problems_total": 12, "errors": []}, separators=(",", ":")).encode()
    server = LoopbackServer(lambda _: Response(200, text, "application/json"))
    server.start()
    try:
        done = run(str(DEPLOY / "disgram-health.sh"), server.url)
    finally:
        server.stop()
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "- Line 3: mend it.",
        '- my "own" \\ job / durov: Wait.',
        '- new: Say "a", {b}.',
        "- n / c0: M.",
        "- n / c1: M.",
    ]


def test_cron_hears_that_nobody_answers() -> None:
    done = run(str(DEPLOY / "disgram-health.sh"), "http://127.0.0.1:1")
    assert done.returncode == 2
    assert "not answering: curl:" in done.stdout
