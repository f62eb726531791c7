"""The environment: what may be set, what it means, what is refused (README, "Configuration").

Owns names, defaults, ranges and cross-checks. The one module where importing reads the environment:
`.env` of the project folder, and above it the real environment. Everything else is handed values, and
nothing in `disgram/` imports this. `read` itself is pure. Never touches the network or the data directory.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from disgram.addresses import Destination
from disgram.errors import BadSetting, BadWebhookURL
from disgram.workers.spec import WorkerSettings

PROJECT = Path(__file__).resolve().parent
DEFAULT_PASSWORD = "disgram_default_password_change_me"  # noqa: S105  (published: it opens loopback alone)
LOOPBACK = "127.0.0.1"

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_COLOR = re.compile(r"(?:#|0[xX])?([0-9a-fA-F]{6})")
_HOST = re.compile(r"(?![0-9.]+$)[A-Za-z0-9._-]{1,253}")
_HOST_AND_PORT = re.compile(
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_SWITCH = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True)
class Settings:
    """Everything the owner can set; seconds, bytes and MiB as the names say. Its `repr` hides the secrets."""

    auth_password: str = field(repr=False)
    host: str
    port: int
    discord_webhook_url: str | None = field(repr=False)
    embed_color: int | None
    cooldown: float
    initial_posts: int
    monitor_interval: float
    log_stale_after: float
    telegram_base_url: str
    telegram_requests_per_second: float
    webhook_hosts: tuple[str, ...]
    max_upload_bytes: int
    data_dir: Path
    log_max_bytes: int
    log_backups: int
    follow_edits: bool
    follow_deletions: str
    forward_service_messages: bool
    request_timeout: float
    protect_reads: bool
    trusted_proxies: tuple[IPNetwork, ...]

    @property
    def default_password(self) -> bool:
        """Whether anybody who has read the README knows the password."""
        return self.auth_password == DEFAULT_PASSWORD

    def worker_settings(self) -> WorkerSettings:
        """The part every worker is handed."""
        return WorkerSettings(
            data_dir=self.data_dir,
            cooldown=self.cooldown,
            initial_posts=self.initial_posts,
            telegram_base_url=self.telegram_base_url,
            telegram_requests_per_second=self.telegram_requests_per_second,
            max_upload_bytes=self.max_upload_bytes,
            follow_edits=self.follow_edits,
            follow_deletions=self.follow_deletions,
            forward_service_messages=self.forward_service_messages,
            # A worker that waits for an answer is silent: three such waits must fit into LOG_STALE_AFTER.
            request_timeout=min(self.request_timeout, self.log_stale_after / 3),
        )


def read(environ: Mapping[str, str]) -> Settings:
    """Understand the environment (an empty value is an absent one). Raises BadSetting."""
    env = _Environment(environ)
    password = env.text("AUTH_PASSWORD", DEFAULT_PASSWORD)
    cooldown = env.number("COOLDOWN", 300, at_least=0.01, at_most=7 * 86400)
    webhook_hosts = env.hosts("WEBHOOK_HOSTS")
    mib = 1024 * 1024
    return Settings(
        auth_password=password,
        host=_listening_address(env.host("HOST"), exposed=password != DEFAULT_PASSWORD),
        port=env.whole("PORT", 5000, at_least=1, at_most=65535),
        discord_webhook_url=env.webhook("DISCORD_WEBHOOK_URL", webhook_hosts),
        embed_color=env.color("EMBED_COLOR"),
        cooldown=cooldown,
        initial_posts=env.whole("INITIAL_POSTS", 20, at_least=0, at_most=1_000_000),
        monitor_interval=env.number("MONITOR_INTERVAL", 30, at_least=0.05, at_most=3600),
        log_stale_after=env.number(
            "LOG_STALE_AFTER", max(360, cooldown + 60), at_least=1, at_most=30 * 86400
        ),
        telegram_base_url=env.base_url("TELEGRAM_BASE_URL", "https://t.me"),
        telegram_requests_per_second=env.number(
            "TELEGRAM_REQUESTS_PER_SECOND", 2, at_least=0.001, at_most=1000
        ),
        webhook_hosts=webhook_hosts,
        max_upload_bytes=int(env.number("MAX_UPLOAD_MB", 20, at_least=0, at_most=1024) * mib),
        data_dir=env.folder("DATA_DIR", PROJECT),
        log_max_bytes=int(env.number("LOG_MAX_MB", 10, at_least=0.001, at_most=10240) * mib),
        log_backups=env.whole("LOG_BACKUPS", 5, at_least=0, at_most=100),
        follow_edits=env.switch("FOLLOW_EDITS", default=True),
        follow_deletions=env.choice("FOLLOW_DELETIONS", ("keep", "mark", "delete")),
        forward_service_messages=env.switch("FORWARD_SERVICE_MESSAGES", default=False),
        request_timeout=env.number("REQUEST_TIMEOUT", 30, at_least=0.1, at_most=30),
        protect_reads=env.switch("PROTECT_READS", default=False),
        trusted_proxies=env.networks("TRUSTED_PROXIES"),
    )


def environment(env_file: Path, real: Mapping[str, str]) -> dict[str, str]:
    """What `.env` says, and above it the real environment. Raises BadSetting if the file makes no sense.

    Nothing is put into `os.environ`, where every child would inherit the secrets.
    """
    try:
        text = env_file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return dict(real)
    except (OSError, ValueError) as error:
        raise BadSetting(str(env_file), f"cannot be read: {error}") from None
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise BadSetting(str(env_file), f"line {binding.original.line} is not of the form NAME=value.")
        if binding.key:
            found[binding.key] = binding.value or ""
    return {**found, **real}


def parse_color(text: str) -> int | None:
    """Six hex digits, `#` or `0x` in front or not; None for anything else."""
    found = _COLOR.fullmatch(text.strip())
    return int(found[1], 16) if found else None


class _Environment:
    """One method per kind of value; each raises BadSetting with what to write instead.

    No message repeats a value: a secret may stand in the wrong line.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def _given(self, name: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value.isprintable():
            raise BadSetting(name, "holds a character that cannot be printed, or is not UTF-8.")
        return value

    def _items(self, name: str) -> list[str]:
        return [item.strip() for item in self._given(name).split(",") if item.strip()]

    def text(self, name: str, default: str) -> str:
        return self._given(name) or default

    def number(self, name: str, default: float, *, at_least: float, at_most: float) -> float:
        value = self._given(name)
        if not value:
            return float(default)
        if not _NUMBER.fullmatch(value) or not at_least <= float(value) <= at_most:
            raise BadSetting(name, f"must be a number from {at_least:g} to {at_most:g}, such as {default:g}.")
        return float(value)

    def whole(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        value = self._given(name)
        if not value:
            return default
        if not _WHOLE.fullmatch(value) or not at_least <= int(value) <= at_most:
            raise BadSetting(name, f"must be a whole number from {at_least} to {at_most}, such as {default}.")
        return int(value)

    def switch(self, name: str, *, default: bool) -> bool:
        value = self._given(name).lower()
        if value and value not in _SWITCH:
            raise BadSetting(name, "must be true or false.")
        return _SWITCH[value] if value else default

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._given(name).lower() or choices[0]
        if value not in choices:
            raise BadSetting(name, f"must be one of {', '.join(choices)}.")
        return value

    def color(self, name: str) -> int | None:
        value = self._given(name)
        color = parse_color(value)
        if value and color is None:
            raise BadSetting(name, "must be six hex digits such as 89a7d9 (# or 0x in front is accepted).")
        return color

    def host(self, name: str) -> str:
        value = self._given(name).strip("[]")
        if value and not _HOST.fullmatch(value) and _address(value) is None:
            raise BadSetting(name, "must be an address or a host name to listen on, such as 0.0.0.0.")
        return value

    def hosts(self, name: str) -> tuple[str, ...]:
        return tuple(_webhook_host(name, item) for item in self._items(name))

    def webhook(self, name: str, extra_hosts: tuple[str, ...]) -> str | None:
        value = self._given(name)
        if not value:
            return None
        try:
            Destination.parse(value, extra_hosts=extra_hosts)
        except BadWebhookURL as error:
            raise BadSetting(name, str(error)) from None
        return value

    def base_url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not value.isascii() or re.search(r"[\s?#@\\]", value):
            raise BadSetting(name, f"must be an address such as {default}.")
        return value

    def folder(self, name: str, default: Path) -> Path:
        """A relative path is meant from the project folder, wherever the service is started from."""
        return (default / Path(self._given(name)).expanduser()).absolute()

    def networks(self, name: str) -> tuple[IPNetwork, ...]:
        try:
            return tuple(ipaddress.ip_network(item, strict=False) for item in self._items(name))
        except ValueError:
            raise BadSetting(
                name, "must be addresses or networks, such as 127.0.0.1 or 10.0.0.0/8."
            ) from None


def _webhook_host(name: str, item: str) -> str:
    found = _HOST_AND_PORT.fullmatch(item)
    if not found or not 1 <= int(found["port"] or 1) <= 65535:
        raise BadSetting(name, "must be hosts, each host or host:port, with commas between them.")
    # An address is compared without its brackets when no port stands behind it.
    return item.lower() if found["port"] else item.lower().strip("[]")


def _listening_address(given: str, *, exposed: bool) -> str:
    """A password that everybody knows is no reason to listen to everybody, whatever HOST says."""
    if exposed:
        return given or "0.0.0.0"  # noqa: S104  (the published default, README "Configuration")
    address = _address(given)
    return given if given.lower() == "localhost" or (address and address.is_loopback) else LOOPBACK


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _read_or_exit() -> Settings:
    try:
        return read(environment(PROJECT / ".env", os.environ))
    except BadSetting as error:
        print(f"disgram: {error.error}: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


SETTINGS = _read_or_exit()
COOLDOWN = SETTINGS.cooldown
AUTH_PASSWORD = SETTINGS.auth_password
EMBED_COLOR = SETTINGS.embed_color
