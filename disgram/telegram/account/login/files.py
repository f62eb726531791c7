"""Where the login is kept: the session in DATA_DIR, the API keys in `.env`; both are their owner's alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from disgram.home import home
from disgram.telegram.account.login.steps import ApiKeys
from disgram.telegram.account.session import SESSION_FILE


@dataclass(frozen=True, slots=True)
class Place:
    """`settings`: what `.env` says and, above it, the environment."""

    env_file: Path
    session_file: Path
    settings: Mapping[str, str]

    @classmethod
    def of(cls, code: Path, environ: Mapping[str, str]) -> Place:
        """As the service has them (config.py). `code`: the folder of main.py."""
        folder = home(code, environ)
        env_file = folder / ".env"
        written = {name: value or "" for name, value in dotenv_values(env_file, interpolate=False).items()}
        settings = {**written, **{name: value for name, value in environ.items() if value.strip()}}
        data = (folder / Path(settings.get("DATA_DIR", "").strip()).expanduser()).absolute()
        return cls(env_file, data / SESSION_FILE, settings)

    @property
    def keys(self) -> ApiKeys | None:
        """Those that are set already."""
        api_id, api_hash = (self.settings.get(name, "").strip() for name in ("TG_API_ID", "TG_API_HASH"))
        return ApiKeys(int(api_id), api_hash) if api_id.isdecimal() and api_hash else None

    def keep(self, session: str, keys: ApiKeys) -> bool:
        """Whether the keys could be kept as well: without a `.env` they are not. Raises OSError."""
        self.session_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.session_file, session + "\n")
        if self.keys == keys:
            return True
        if not self.env_file.exists():
            return False
        text = self.env_file.read_text("utf-8")
        for name, value in (("TG_API_ID", str(keys.api_id)), ("TG_API_HASH", keys.api_hash)):
            text = _with_line(text, name, value)
        _write(self.env_file, text)
        return True


def _with_line(text: str, name: str, value: str) -> str:
    """In the place of the line that sets it, or is the comment for it; else at the end."""
    line = re.compile(rf"^#?[ \t]*{name}=.*$", re.MULTILINE)
    if line.search(text):
        return line.sub(f"{name}={value}", text, count=1)
    return f"{text.rstrip()}\n\n{name}={value}\n"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
