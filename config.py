"""The environment: what may be set, what it means, what is refused (README, "Configuration").

Owns names, defaults, ranges and cross-checks. The one module that reads the environment when imported:
`.env` of the project folder, and above it the real environment. Everything else is handed values, and
nothing in `disgram/` imports this. Never touches the network or the data directory.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from dotenv.parser import Binding, parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from disgram.addresses import Destination
from disgram.api.client_address import LOOPBACK, IPNetwork
from disgram.discord.color import parse_color
from disgram.errors import BadSetting, BadWebhookURL
from disgram.home import home
from disgram.logs.stderr import warn_stderr
from disgram.origin import Origin
from disgram.storage.regular_file import special_kind
from disgram.workers.spec import WorkerSettings

PROJECT = home(Path(__file__).resolve().parent, os.environ)
DEFAULT_PASSWORD = "disgram_default_password_change_me"  # noqa: S105  (published: accepted from loopback only)

_DAY = 86400
_MIB = 1024 * 1024
_PLAIN: Mapping[object, re.Pattern[str]] = {
    int: re.compile(r"[0-9]{1,9}"),
    float: re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?"),
    bool: re.compile(r"true|1|yes|on|false|0|no|off", re.IGNORECASE),
}
"""The forms of numbers and switches. Pydantic takes more: 5_000, 1e3, 20.0 for a whole number, t for true."""
_HOST = re.compile(r"(?![0-9.]+$)[A-Za-z0-9._-]{1,253}")
_HOST_AND_PORT = re.compile(
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)


# --- types that pydantic does not have: each raises BadSetting with what to write instead ---------------
# No message repeats a value: a secret may stand in the wrong line.


def _bad(info: ValidationInfo, message: str) -> BadSetting:
    return BadSetting((info.field_name or "").upper(), message)


def _embed_color(text: str, info: ValidationInfo) -> int:
    color = parse_color(text)
    if color is None:
        raise _bad(info, "must be six hex digits such as 89a7d9 (# or 0x in front is accepted).")
    return color


def _listening_host(text: str, info: ValidationInfo) -> str:
    """Loopback alone while the password is the published one, whatever HOST says."""
    host = text.strip("[]")
    address = _ip_address(host)
    if host and not _HOST.fullmatch(host) and address is None:
        raise _bad(info, "must be an address or a host name to listen on, such as 0.0.0.0.")
    if info.data["auth_password"] != DEFAULT_PASSWORD:
        return host or "0.0.0.0"  # noqa: S104  (the published default, README "Configuration")
    return host if host.lower() == "localhost" or (address and address.is_loopback) else LOOPBACK


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _webhook_host(text: str, info: ValidationInfo) -> str:
    found = _HOST_AND_PORT.fullmatch(text)
    if not found or not 1 <= int(found["port"] or 1) <= 65535:
        raise _bad(info, "must be hosts, each host or host:port, with commas between them.")
    # An address is compared without its brackets when no port stands behind it.
    return text.lower() if found["port"] else text.lower().strip("[]")


def _base_url(text: str, info: ValidationInfo) -> str:
    url = text.rstrip("/")
    if not Origin.of(url) or not url.isascii() or re.search(r"[\s?#@\\]", url):
        raise _bad(info, "must be an address such as https://t.me.")
    return url


def _folder(text: str, info: ValidationInfo) -> Path:
    """A relative path starts at the project folder, wherever the service is started from."""
    try:
        return (PROJECT / Path(text).expanduser()).absolute()
    except RuntimeError:
        raise _bad(info, "starts with the name of a user who has no home folder.") from None


def _network(text: str, info: ValidationInfo) -> IPNetwork:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _bad(info, "must be addresses or networks, such as 127.0.0.1 or 10.0.0.0/8.") from None


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


_lower = BeforeValidator(str.lower)
_commas = BeforeValidator(_split)


class Settings(BaseSettings):
    """Everything the owner can set: each variable is the field's name in capitals.

    Seconds and MiB, as the names say. A cross-check sees only the fields above its own. Immutable; its
    `repr` hides the secrets. Made by `read`.
    """

    model_config = SettingsConfigDict(
        alias_generator=str.upper,
        case_sensitive=True,
        enable_decoding=False,  # lists have commas between their items; they are not JSON
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    auth_password: str = Field(DEFAULT_PASSWORD, repr=False)
    host: Annotated[str, AfterValidator(_listening_host)] = Field("", validate_default=True)
    port: int = Field(5000, ge=1, le=65535)
    webhook_hosts: Annotated[tuple[Annotated[str, AfterValidator(_webhook_host)], ...], _commas] = ()
    discord_webhook_url: str | None = Field(None, repr=False)
    embed_color: Annotated[int | None, BeforeValidator(_embed_color)] = None
    cooldown: float = Field(300.0, ge=0.01, le=7 * _DAY)
    initial_posts: int = Field(20, ge=0, le=1_000_000)
    monitor_interval: float = Field(30.0, ge=0.05, le=3600)
    log_stale_after: float = Field(
        default_factory=lambda data: max(360.0, data.get("cooldown", 0.0) + 60), ge=1, le=30 * _DAY
    )
    telegram_base_url: Annotated[str, AfterValidator(_base_url)] = "https://t.me"
    telegram_requests_per_second: float = Field(2.0, ge=0.001, le=1000)
    max_upload_mb: float = Field(20.0, ge=0, le=1024)
    data_dir: Annotated[Path, BeforeValidator(_folder)] = PROJECT
    log_max_mb: float = Field(10.0, ge=0.001, le=10240)
    log_backups: int = Field(5, ge=0, le=100)
    follow_edits: bool = True
    follow_deletions: Annotated[Literal["keep", "mark", "delete"], _lower] = "keep"
    forward_service_messages: bool = False
    webhook_check: bool = True
    request_timeout: float = Field(30.0, ge=0.1, le=30)
    protect_reads: bool = False
    trusted_proxies: Annotated[tuple[Annotated[IPNetwork, BeforeValidator(_network)], ...], _commas] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and not value.isprintable():
            raise _bad(info, "holds a character that cannot be printed, or is not UTF-8.")
        field = cls.model_fields[info.field_name or ""]
        form = _PLAIN.get(field.annotation)
        if form and not form.fullmatch(str(value)):
            raise _bad(info, _what_to_write(field))
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The variables `read` was given, and nothing beside them."""
        return (_Variables(settings_cls, init_settings()["environ"]),)

    @property
    def default_password(self) -> bool:
        """Whether anybody who has read the README knows the password."""
        return self.auth_password == DEFAULT_PASSWORD

    @property
    def webhook_problem(self) -> str | None:
        """Why DISCORD_WEBHOOK_URL cannot be used, if it is set; it is refused only where it is needed."""
        try:
            Destination.parse(self.discord_webhook_url or "", extra_hosts=self.webhook_hosts)
        except BadWebhookURL as error:
            return f"{error.error}: {error}" if self.discord_webhook_url else None
        return None

    @property
    def answering_to(self) -> frozenset[str] | None:
        """The names a request may call the service by; None for any."""
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return frozenset({"localhost", LOOPBACK, "[::1]", host}) if self.default_password else None

    @property
    def max_upload_bytes(self) -> int:
        return int(self.max_upload_mb * _MIB)

    @property
    def log_max_bytes(self) -> int:
        return int(self.log_max_mb * _MIB)

    def worker_settings(self) -> WorkerSettings:
        """The part every worker is handed: its fields are settings of the same name.

        A worker that waits for a response is silent: three such waits must fit into LOG_STALE_AFTER.
        """
        values = {field.name: getattr(self, field.name) for field in fields(WorkerSettings)}
        values["request_timeout"] = min(self.request_timeout, self.log_stale_after / 3)
        return WorkerSettings(**values)


class _Variables(EnvSettingsSource):
    """Variables of a mapping instead of os.environ; an empty value counts as absent."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self.env_vars = {name: value.strip() for name, value in environ.items() if value.strip()}


def read(environ: Mapping[str, str]) -> Settings:
    """The settings these variables make. Raises BadSetting."""
    try:
        return Settings.model_validate({"environ": environ})
    except ValidationError as error:
        name = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
        raise BadSetting(name, _what_to_write(Settings.model_fields[name.lower()])) from None


def _what_to_write(field: FieldInfo) -> str:
    """From the type and range of a setting that has no validator of its own."""
    if field.annotation is bool:
        return "must be true or false."
    if choices := get_args(field.annotation):
        return f"must be one of {', '.join(choices)}."
    low, high = (next(getattr(m, side) for m in field.metadata if hasattr(m, side)) for side in ("ge", "le"))
    kind = "whole number" if field.annotation is int else "number"
    example = "" if field.default_factory else f", such as {field.default:g}"
    return f"must be a {kind} from {low} to {high}{example}."


def environment(env_file: Path, real: Mapping[str, str]) -> dict[str, str]:
    """What `.env` says, and above it the real environment. Raises BadSetting for a line that is neither
    a comment nor NAME=value.

    Nothing is put into `os.environ`, where every child would inherit the secrets, and `${NAME}` in a
    value stays as it is: a password may hold it.
    """
    kind = special_kind(env_file)
    if kind:
        raise BadSetting(str(env_file), f"is {kind}, and must be a file.")
    try:
        text = env_file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return dict(real)
    except (OSError, ValueError) as error:
        raise BadSetting(str(env_file), f"cannot be read: {error}") from None
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key and (binding.value is None or not binding.key.isprintable())):
            raise BadSetting(str(env_file), f"line {_line_of(binding)} is not of the form NAME=value.")
        if binding.key:
            found[binding.key] = binding.value or ""
    return {**found, **real}


def _line_of(binding: Binding) -> int:
    """What the parser calls its line is that of the empty lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _read_or_exit() -> Settings:
    try:
        return read(environment(PROJECT / ".env", os.environ))
    except BadSetting as error:
        warn_stderr(f"{error.error}: {error}")
        sys.exit(2)


SETTINGS = _read_or_exit()
# Names that users' own scripts import from here; Disgram itself asks SETTINGS.
COOLDOWN = SETTINGS.cooldown
AUTH_PASSWORD = SETTINGS.auth_password
EMBED_COLOR = SETTINGS.embed_color
