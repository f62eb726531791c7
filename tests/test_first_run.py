"""The first `make run`: a .env with a random password, and no webhook URL in a commit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from config import PROJECT, Settings, environment, read
from disgram.first_run import keep_jobs_out_of_commits, main, write_env


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / ".env.example", tmp_path)
    (tmp_path / "jobs.json").write_text("{}\n", "utf-8")
    return tmp_path


def test_first_run_makes_a_password_and_the_second_run_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(project)
    password = capsys.readouterr().out.split()[-1]
    settings = read(environment(project / ".env", {}))
    assert settings.auth_password == password
    assert len(password) >= 32
    assert not settings.default_password
    assert (project / ".env").stat().st_mode & 0o777 == 0o600
    before = (project / ".env").read_text("utf-8")
    main(project)
    assert capsys.readouterr().out == ""
    assert (project / ".env").read_text("utf-8") == before
    assert sorted(path.name for path in project.iterdir()) == [".env", ".env.example", "jobs.json"]


def test_existing_env_file_is_not_changed(project: Path) -> None:
    (project / ".env").write_text("PORT=1\n", "utf-8")
    assert not write_env(project / ".env.example", project / ".env", "x")
    assert (project / ".env").read_text("utf-8") == "PORT=1\n"


def test_env_example_shows_the_defaults(project: Path) -> None:
    """Each commented line is a default, so uncommenting all of them changes nothing."""
    text = (project / ".env.example").read_text("utf-8").replace("\n#", "\n")
    lines = [line for line in text.splitlines() if line.split("=")[0].isupper() and "=" in line]
    values = dict(line.split("=", 1) for line in lines)
    assert read(values) == read({})
    assert len(values) == len(Settings.model_fields)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_git_commit_leaves_jobs_json_out(project: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(project), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    git("init", "-q")
    git("add", "jobs.json")
    git("commit", "-qm", "x")
    keep_jobs_out_of_commits(project)
    (project / "jobs.json").write_text('{"secret": 1}', "utf-8")
    assert "jobs.json" not in git("status", "--short")
    git("commit", "-qa", "--allow-empty", "-m", "y")
    assert git("show", "HEAD:jobs.json") == "{}\n"


def test_first_run_without_git_raises_nothing(project: Path) -> None:
    keep_jobs_out_of_commits(project)
