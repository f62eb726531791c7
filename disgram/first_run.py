"""What `make run` does before the service starts: write .env, and keep jobs.json out of git commits.

The .env has a random password and mode 0600; an existing one is not changed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from disgram.logs.standard_streams import protect_standard_streams
from disgram.logs.stderr import warn_stderr

_PASSWORD_LINE = re.compile(r"^AUTH_PASSWORD=.*$", re.MULTILINE)


def write_env(example: Path, target: Path, password: str) -> bool:
    """Write `target` from the example with this password; False if it exists already: it is not changed."""
    if target.exists():
        return False
    text = _PASSWORD_LINE.sub(f"AUTH_PASSWORD={password}", example.read_text("utf-8"), count=1)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(temporary, target)  # unlike a rename, this replaces no existing file
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def keep_jobs_out_of_commits(project: Path) -> None:
    """jobs.json is in the repository and will contain webhook URLs: `git commit -a` must not include them."""
    git = shutil.which("git")
    if git and (project / ".git").exists():
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            command = [git, "-C", str(project), "update-index", "--skip-worktree", "jobs.json"]
            subprocess.run(command, check=False, capture_output=True, timeout=10)


def write_first_env(example: Path, target: Path) -> None:
    """Write `target` with a random password and print that; an existing file is not changed."""
    password = secrets.token_urlsafe(24)
    if write_env(example, target, password):
        print(f"Wrote {target}. Your AUTH_PASSWORD (kept there, not shown again): {password}", flush=True)


def main(project: Path) -> None:
    """Do both, and print the new password on standard output."""
    try:
        write_first_env(project / ".env.example", project / ".env")
    except OSError as error:
        warn_stderr(f".env cannot be written ({error.strerror}); AUTH_PASSWORD may be set in the environment")
    keep_jobs_out_of_commits(project)


if __name__ == "__main__":
    protect_standard_streams()
    main(Path(__file__).resolve().parent.parent)
