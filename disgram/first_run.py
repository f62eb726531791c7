"""What `make run` does before the first start: a .env with a password, and jobs.json kept to oneself.

Owns the making of .env (mode 0600, never an existing one) and one git setting. Never starts the service.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

_PASSWORD_LINE = re.compile(r"^AUTH_PASSWORD=.*$", re.MULTILINE)


def write_env(example: Path, target: Path, password: str) -> bool:
    """Make `target` of the example, with this password; False if there is one already, which stays."""
    if target.exists():
        return False
    text = _PASSWORD_LINE.sub(f"AUTH_PASSWORD={password}", example.read_text("utf-8"), count=1)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(fresh, target)  # unlike a rename, this takes nobody's place
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True


def keep_jobs_out_of_commits(project: Path) -> None:
    """jobs.json is in the repository and will hold webhook URLs: `git commit -a` must not take them along."""
    git = shutil.which("git")
    if git and (project / ".git").exists():
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            command = [git, "-C", str(project), "update-index", "--skip-worktree", "jobs.json"]
            subprocess.run(command, check=False, capture_output=True, timeout=10)


def main(project: Path) -> None:
    """Both, and the password on standard output, this once."""
    password = secrets.token_urlsafe(24)
    if write_env(project / ".env.example", project / ".env", password):
        print(f"Made .env. Your AUTH_PASSWORD, shown this once (it stands in .env): {password}", flush=True)
    keep_jobs_out_of_commits(project)


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
