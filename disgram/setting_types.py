"""The types of settings that pydantic does not have. Each raises BadSetting with what to write instead.

No message repeats a value: a secret may stand in the wrong line. Owns forms and ranges; config.py the names.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote

from pydantic import BeforeValidator, ValidationInfo

from disgram.alerts.address import parse_alert_address
from disgram.api.client_address import LOOPBACK, IPNetwork
from disgram.cooldown import LEAST, MOST, Cooldown
from disgram.discord.color import parse_color
from disgram.errors import BadSetting
from disgram.origin import Origin
from disgram.telegram.account.session import is_string_session

DEFAULT_PASSWORD = "disgram_default_password_change_me"  # noqa: S105  (published: accepted from loopback only)
_HOST = re.compile(r"(?![0-9.]+$)[A-Za-z0-9._-]{1,253}")
_API_HASH = re.compile(r"[0-9a-fA-F]{32}")
_DATABASE_URL = re.compile(r"postgres(?:ql)?://\S*")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHORT_PASSWORD = 8
_HOST_AND_PORT = re.compile(
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)


def bad(info: ValidationInfo, message: str) -> BadSetting:
    return BadSetting((info.field_name or "").upper(), message)


def embed_color_of(text: str, info: ValidationInfo) -> int:
    color = parse_color(text)
    if color is None:
        raise bad(info, "must be six hex digits such as 89a7d9 (# or 0x in front is accepted).")
    return color


def cooldown_of(text: str, info: ValidationInfo) -> Cooldown:
    try:
        return Cooldown.parse(text)
    except ValueError:
        raise bad(
            info, f"must be a number from {LEAST} to {MOST:.0f}, or a range of them such as 60-300."
        ) from None


def stale_after(cooldown: Cooldown | None) -> float:
    return max(360.0, (cooldown.longest if cooldown else 0.0) + 60)


def listening_host(text: str, info: ValidationInfo) -> str:
    """Loopback alone while the password is the published one, whatever HOST says."""
    host = text.strip("[]")
    address = _ip_address(host)
    if host and not _HOST.fullmatch(host) and address is None:
        raise bad(info, "must be an address or a host name to listen on, such as 0.0.0.0.")
    if info.data["auth_password"] != DEFAULT_PASSWORD:
        return host or "0.0.0.0"  # noqa: S104  (the published default, README "Configuration")
    return host if host.lower() == "localhost" or (address and address.is_loopback) else LOOPBACK


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def webhook_host(text: str, info: ValidationInfo) -> str:
    found = _HOST_AND_PORT.fullmatch(text)
    if not found or not 1 <= int(found["port"] or 1) <= 65535:
        raise bad(info, "must be hosts, each host or host:port, with commas between them.")
    # An address is compared without its brackets when no port stands behind it.
    return text.lower() if found["port"] else text.lower().strip("[]")


def base_url(text: str, info: ValidationInfo) -> str:
    url = text.rstrip("/")
    if not Origin.of(url) or not url.isascii() or re.search(r"[\s?#@\\]", url):
        raise bad(info, "must be an address such as https://t.me.")
    return url


def alert_address_of(text: str, info: ValidationInfo) -> str:
    try:
        parse_alert_address(text, info.data["webhook_hosts"])
    except ValueError as error:
        raise bad(info, str(error)) from None
    return text


def api_id_of(text: str, info: ValidationInfo) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 0 < int(text) < 2**31:
        raise bad(info, "must be the number that my.telegram.org shows as the api id.")
    return int(text)


def api_hash_of(text: str, info: ValidationInfo) -> str:
    if not _API_HASH.fullmatch(text):
        raise bad(info, "must be 32 hex digits, as my.telegram.org shows it beside the api id.")
    return text


def account_session(text: str, info: ValidationInfo) -> str:
    """A string session. Without id and hash it is of no use, so they must stand beside it."""
    if not is_string_session(text):
        raise bad(info, "must be a string session of Telethon (`make account` does without one).")
    if not (info.data["tg_api_id"] and info.data["tg_api_hash"]):
        raise bad(info, "needs TG_API_ID and TG_API_HASH beside it (https://my.telegram.org).")
    return text


def network(text: str, info: ValidationInfo) -> IPNetwork:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise bad(info, "must be addresses or networks, such as 127.0.0.1 or 10.0.0.0/8.") from None


def database_url_of(text: str, info: ValidationInfo) -> str:
    if not _DATABASE_URL.fullmatch(text):
        raise bad(info, "must be an address such as postgresql://user:password@host:5432/disgram.")
    return text


def passwords_of(database_url: str) -> tuple[str, ...]:
    """As they stand in the address and as they are meant. One of a few characters counts only where it stands
    in the address: to mask it everywhere would make a log unreadable."""
    userinfo = re.match(r"[a-z]+://(?P<user>[^:/?#]*):(?P<password>[^/?#]*)@", database_url)
    written = [userinfo["password"]] if userinfo else []
    written += re.findall(r"[?&](?:ssl)?password=([^&#]*)", database_url)
    found = dict.fromkeys([*written, *map(unquote, written)])
    return tuple(f":{one}@" if len(one) < _SHORT_PASSWORD else one for one in found if one)


def host_name_of(text: str, info: ValidationInfo) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise bad(info, "must be a name of at most 64 letters, digits, dots, hyphens and underscores.")
    return text


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


lower = BeforeValidator(str.lower)
commas = BeforeValidator(_split)
