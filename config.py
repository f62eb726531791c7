"""The environment: what may be set, what it means, what is refused (README, "Configuration").

Owns names, defaults, ranges and cross-checks. The one module that reads the environment when imported:
`.env` of the project folder, and above it the real environment. Everything else is handed values, and
nothing in `disgram/` imports this. Never touches the network or the data directory.
"""

from __future__ import annotations

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
from disgram.alerts.address import parse_alert_address
from disgram.api.client_address import LOOPBACK, IPNetwork
from disgram.cooldown import Cooldown
from disgram.errors import BadSetting, BadWebhookURL
from disgram.home import home
from disgram.logs.stderr import warn_stderr
from disgram.setting_types import (
    DEFAULT_PASSWORD,
    account_session,
    alert_address_of,
    api_hash_of,
    api_id_of,
    bad,
    base_url,
    commas,
    cooldown_of,
    database_url_of,
    embed_color_of,
    host_name_of,
    listening_host,
    lower,
    network,
    passwords_of,
    stale_after,
    webhook_host,
)
from disgram.storage.files.regular_file import special_kind
from disgram.telegram.account.session import AccountLogin, account_login, library_installed
from disgram.workers.spec import WorkerSettings

PROJECT = home(Path(__file__).resolve().parent, os.environ)

COOLDOWN = 300.0
"""Seconds between two polls of one channel, where neither the environment nor .env says COOLDOWN."""

_DAY = 86400
_MIB = 1024 * 1024
_PLAIN: Mapping[object, re.Pattern[str]] = {
    int: re.compile(r"[0-9]{1,9}"),
    float: re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?"),
    bool: re.compile(r"true|1|yes|on|false|0|no|off", re.IGNORECASE),
}
"""The forms of numbers and switches. Pydantic takes more: 5_000, 1e3, 20.0 for a whole number, t for true."""


def _folder(text: str, info: ValidationInfo) -> Path:
    """A relative path starts at the project folder, wherever the service is started from."""
    try:
        return (PROJECT / Path(text).expanduser()).absolute()
    except RuntimeError:
        raise bad(info, "starts with the name of a user who has no home folder.") from None


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
    host: Annotated[str, AfterValidator(listening_host)] = Field("", validate_default=True)
    port: int = Field(5000, ge=1, le=65535)
    webhook_hosts: Annotated[tuple[Annotated[str, AfterValidator(webhook_host)], ...], commas] = ()
    discord_webhook_url: str | None = Field(None, repr=False)
    embed_color: Annotated[int | None, BeforeValidator(embed_color_of)] = None
    cooldown: Annotated[Cooldown, BeforeValidator(cooldown_of)] = Field(COOLDOWN, validate_default=True)
    initial_posts: int = Field(20, ge=0, le=1_000_000)
    monitor_interval: float = Field(30.0, ge=0.05, le=3600)
    log_stale_after: float = Field(
        default_factory=lambda data: stale_after(data.get("cooldown")), ge=1, le=30 * _DAY
    )
    telegram_base_url: Annotated[str, AfterValidator(base_url)] = "https://t.me"
    telegram_requests_per_second: float = Field(2.0, ge=0.001, le=1000)
    max_upload_mb: float = Field(20.0, ge=0, le=1024)
    data_dir: Annotated[Path, BeforeValidator(_folder)] = PROJECT
    log_max_mb: float = Field(10.0, ge=0.001, le=10240)
    log_backups: int = Field(5, ge=0, le=100)
    log_to_stderr: bool = True
    follow_edits: bool = True
    follow_deletions: Annotated[Literal["keep", "mark", "delete"], lower] = "keep"
    forward_service_messages: bool = False
    webhook_check: bool = True
    request_timeout: float = Field(30.0, ge=0.1, le=30)
    protect_reads: bool = False
    alert_webhook_url: Annotated[str | None, AfterValidator(alert_address_of)] = Field(None, repr=False)
    alert_after: float = Field(300.0, ge=0, le=7 * _DAY)
    tg_api_id: Annotated[int | None, BeforeValidator(api_id_of)] = None
    tg_api_hash: Annotated[str | None, AfterValidator(api_hash_of)] = Field(None, repr=False)
    tg_session_string: Annotated[str | None, AfterValidator(account_session)] = Field(None, repr=False)
    database_url: Annotated[str | None, AfterValidator(database_url_of)] = Field(None, repr=False)
    host_name: Annotated[str | None, AfterValidator(host_name_of)] = None
    trusted_proxies: Annotated[tuple[Annotated[IPNetwork, BeforeValidator(network)], ...], commas] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and not value.isprintable():
            raise bad(info, "holds a character that cannot be printed, or is not UTF-8.")
        field = cls.model_fields[info.field_name or ""]
        form = _PLAIN.get(field.annotation)
        if form and not form.fullmatch(str(value)):
            raise bad(info, _what_to_write(field))
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
    def alert_address(self) -> Destination | str | None:
        """See parse_alert_address."""
        return self.alert_webhook_url and parse_alert_address(self.alert_webhook_url, self.webhook_hosts)

    @property
    def account_login(self) -> AccountLogin | None:
        """What an account can be used with, if there is one now: `make account` may come later."""
        return account_login(self.tg_api_id, self.tg_api_hash, self.tg_session_string, self.data_dir)

    @property
    def account(self) -> bool:
        """Whether workers can ask an account."""
        return self.account_login is not None and library_installed()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold."""
        password = () if self.default_password else (self.auth_password,)
        of_database = passwords_of(self.database_url or "")
        return (*password, *filter(None, (self.tg_api_hash, self.tg_session_string)), *of_database)

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

    def worker_settings(
        self, cooldown: Cooldown | None = None, initial_posts: int | None = None
    ) -> WorkerSettings:
        """The part every worker is handed: settings of the same name, but for what a job has of its own.

        A worker that waits for a response is silent: three such waits must fit into LOG_STALE_AFTER.
        """
        names = [field.name for field in fields(WorkerSettings) if field.name != "shortest_cooldown"]
        values = {name: getattr(self, name) for name in names}
        values["request_timeout"] = min(self.request_timeout, self.log_stale_after / 3)
        rests = cooldown or self.cooldown
        values["cooldown"] = rests.longest
        values["shortest_cooldown"] = rests.shortest if rests.shortest < rests.longest else None
        if initial_posts is not None:
            values["initial_posts"] = initial_posts
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
    example = "" if field.default_factory or field.validate_default else f", such as {field.default:g}"
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
AUTH_PASSWORD, EMBED_COLOR, COOLDOWN = SETTINGS.auth_password, SETTINGS.embed_color, SETTINGS.cooldown.longest
