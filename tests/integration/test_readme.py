"""The README's curl lines, run as they stand against the real service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.stage import PASSWORD, ROOT, Stage, staged
from standins.telegram.text_markup import post, words

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = re.compile(r"^# (?P<what>.+): (?P<status>\d{3})\n(?P<command>(?:.+\n)+?)(?=\n|\Z)", re.MULTILINE)


def examples() -> list[tuple[str, int, str]]:
    """What each is for, the status it promises, the command."""
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))
    return [(found["what"], int(found["status"]), found["command"]) for found in EXAMPLE.finditer(blocks)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        for name in ("telegram", "durov"):
            channel = one.telegram.add_channel(name, name.title())
            for number in range(3):
                channel.add(post(words(f"Post {number} of {name}")))
        yield one


def curl(stage: Stage, command: str) -> tuple[int, str]:
    """Status and body. What the README leaves to curl's defaults is asked for in a .curlrc."""
    (stage.folder / ".curlrc").write_text('silent\nmax-time = 30\nwrite-out = "\\n%{http_code}"\n', "utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "CURL_HOME": str(stage.folder),
        "DISGRAM": f"http://127.0.0.1:{stage.port}",
        "AUTH_PASSWORD": PASSWORD,
        "WEBHOOK": stage.webhook.url,
    }
    done = subprocess.run(
        ["/bin/bash", "-ec", command], env=environment, capture_output=True, text=True, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_every_curl_line_answers_as_promised(stage: Stage) -> None:
    stage.start()
    assert len(examples()) == README.count(
        "curl ", README.index("```bash"), README.index("Errors always have")
    )
    answers = {}
    for what, promised, command in examples():
        status, answers[what] = curl(stage, command)
        assert status == promised, f"{what}: {answers[what]}"
    assert "/***" in answers["All jobs, tokens masked"]
    assert stage.webhook.token not in answers["All jobs, tokens masked"]
    assert stage.webhook.token in answers["All jobs with their webhook URLs, for a backup"]
    cleared = json.loads(answers["Take an optional value away (an empty header is written with a semicolon)"])
    assert (cleared["job"]["embedColor"], cleared["job"]["threadId"]) == (None, None)


def test_an_error_has_the_form_shown(stage: Stage) -> None:
    shown = re.search(r'```json\n(\{"detail".*?)\n```', README)
    assert shown
    stage.start()
    answer = stage.call("POST", "/job", JOB_NAME="x", DISCORD_WEBHOOK_URL=stage.webhook.url)
    assert (answer.status_code, answer.json()) == (400, json.loads(shown[1]))


def test_a_worker_by_hand_delivers(stage: Stage) -> None:
    command = [sys.executable, "webhook.py", "telegram", "--once"]
    environment = os.environ | stage.environment | {"DISCORD_WEBHOOK_URL": stage.webhook.url}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [f"Post {number} of telegram" for number in range(3)] == [
        json.loads(json.dumps(message.embeds))[0]["description"] for message in stage.arrived()
    ]
