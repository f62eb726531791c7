"""The wheel, built and installed into an environment of its own, and served from there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from disgram import __version__
from standins.discord.server import DiscordStandIn
from standins.stage import eventually, free_port
from standins.telegram.server import TelegramStandIn
from standins.telegram.text_markup import post, words

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd="/",
        env=clean_environment() | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Without what a developer's shell may set for the project."""
    ours = {"AUTH_PASSWORD", "DATA_DIR", "XDG_STATE_HOME", "DISCORD_WEBHOOK_URL", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def disgram(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command. The libraries are those of this environment, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder / "bin" / "disgram"


def test_the_wheel_has_the_clone_s_tree_under_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "disgram_app",
        f"disgram-{__version__}.dist-info",
    }
    folders = [ROOT / name for name in ("routes", "commands", "disgram", "demo", "standins")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    wanted = [*ROOT.glob("*.py"), *files, ROOT / ".env.example"]
    shipped = {name.removeprefix("disgram_app/") for name in names if name.startswith("disgram_app/")}
    assert shipped == {str(path.relative_to(ROOT)) for path in wanted if path.suffix not in {".pyc", ".pyo"}}


@pytest.mark.parametrize(
    ("file", "extra"),
    [
        ("requirements.txt", ""),
        ("requirements-account.txt", "account"),
        ("requirements-hosts.txt", "hosts"),
    ],
)
def test_the_requirements_are_those_of_the_requirements_files(wheel: Path, file: str, extra: str) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"disgram-{__version__}.dist-info/METADATA").decode()
    required = re.findall(r"^Requires-Dist: ([\w.-]+)[^;]*?(?:;\s*extra == '(.*)')?$", metadata, re.M)
    lines = (ROOT / file).read_text("utf-8").splitlines()
    wanted = {re.split(r"[<>=[]", line)[0] for line in lines if line and not line.startswith("#")}
    assert {name for name, of in required if of == extra} == wanted


def test_the_version_is_the_package_s(disgram: Path) -> None:
    done = run(disgram, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"disgram {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["acount"], ["run", "--fast"]])
def test_an_unknown_command_is_refused_with_the_usage(disgram: Path, arguments: list[str]) -> None:
    done = run(disgram, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: disgram [command]")


class Installed:
    """A running `disgram` with the environment `environ`, its output in a file."""

    def __init__(self, disgram: Path, folder: Path, environ: dict[str, str]) -> None:
        self.port = free_port()
        self._output = folder / "output.txt"
        listening = {"HOST": "127.0.0.1", "PORT": str(self.port), "PYTHONDONTWRITEBYTECODE": "1"}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [str(disgram)],
                cwd="/",
                env=clean_environment() | listening | environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def output(self) -> str:
        return self._output.read_text("utf-8")

    def await_answer(self) -> None:
        def answers() -> bool:
            assert self._process.poll() is None, self.output()
            try:
                return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=5).ok
            except requests.ConnectionError:
                return False

        eventually(answers, of=self.output)

    def end(self) -> int:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(15)


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def discord() -> Iterator[DiscordStandIn]:
    with DiscordStandIn() as stand_in:
        yield stand_in


def test_the_first_start_makes_a_password_and_a_post_arrives(
    disgram: Path, tmp_path: Path, telegram: TelegramStandIn, discord: DiscordStandIn
) -> None:
    telegram.add_channel("news", "News").add(post(words("from the wheel")))
    webhook = discord.add_webhook(discord.add_channel("general"))
    environ = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TELEGRAM_BASE_URL": telegram.url,
        "WEBHOOK_HOSTS": discord.host,
    }
    before = time.time()
    service = Installed(disgram, tmp_path, environ)
    try:
        service.await_answer()
        home = tmp_path / "state" / "disgram"
        password = re.findall(r"^AUTH_PASSWORD=(.+)$", (home / ".env").read_text("utf-8"), re.M)[0]
        assert service.output().count(password) == 1
        assert (home / ".env").stat().st_mode & 0o777 == 0o600
        headers = {
            "Authorization": f"Bearer {password}",
            "JOB-NAME": "wheel",
            "TELEGRAM-CHANNELS": "news",
            "DISCORD-WEBHOOK-URL": webhook.url,
        }
        created = requests.post(f"http://127.0.0.1:{service.port}/job", headers=headers, timeout=20)
        assert created.status_code == 201, created.text
        eventually(discord.messages, of=service.output)
        health = run(disgram, "health", **environ, HOST="127.0.0.1", PORT=str(service.port))
        assert (health.returncode, health.stdout) == (0, "healthy: 1 of 1 workers running, 1 job\n")
    finally:
        code = service.end()
    assert code == 0
    assert {"jobs.json", "disgram.db", "Disgram.log"} <= {path.name for path in home.iterdir()}
    again = run(disgram, "check", **environ)
    assert (again.returncode, [line[:8] for line in again.stdout.splitlines()]) == (0, ["ok      "] * 3), (
        again.stdout + again.stderr
    )
    (package,) = disgram.parents[1].glob("lib/python3*/site-packages/disgram_app")
    written = [path for path in package.rglob("*") if path.is_file() and path.stat().st_mtime > before]
    assert [path for path in written if path.suffix != ".pyc"] == []


def test_a_password_of_the_environment_needs_no_env_file(disgram: Path, tmp_path: Path) -> None:
    service = Installed(disgram, tmp_path, {"DATA_DIR": str(tmp_path / "data"), "AUTH_PASSWORD": "hunter22"})
    try:
        service.await_answer()
    finally:
        assert service.end() == 0
    assert "hunter22" not in service.output()
    assert not (tmp_path / "data" / ".env").exists()
    assert (tmp_path / "data" / "disgram.db").exists()


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_2(disgram: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    done = run(disgram, DATA_DIR=str(tmp_path / "file" / "data"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert str(tmp_path / "file" / "data") in done.stderr


def test_the_demo_runs_from_the_wheel(disgram: Path) -> None:
    done = run(disgram, "demo", "--port", "0", "--once-all-kinds", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert "Open this in a browser" in done.stdout


def test_replay_runs_from_the_wheel(disgram: Path, tmp_path: Path, telegram: TelegramStandIn) -> None:
    telegram.add_channel("news", "News").add(post(words("saved")))
    (tmp_path / "page.html").write_bytes(requests.get(f"{telegram.url}/s/news", timeout=5).content)
    done = run(disgram, "replay", tmp_path / "page.html", "--post", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["messages"][0]["payload"]["embeds"][0]["description"] == "saved"
