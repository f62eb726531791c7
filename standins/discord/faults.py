"""How Discord and its edge go wrong: ready-made faults for `DiscordStandIn.fail`.

Owns those answers (discord-api-docs #5385, #5810, #7040 for Cloudflare's). What breaks a connection
instead is in loopback.py.
"""

from __future__ import annotations

from standins.discord.errors import INTERNAL, Refusal
from standins.discord.rate_limits import Refused, refusal
from standins.loopback import Fault, Response

_VIA = ("Via", "1.1 google")
_CLOUDFLARE_PAGE = (
    b"<!DOCTYPE html><html><head><title>Access denied | discord.com used Cloudflare to restrict access"
    b"</title></head><body>Error 1015: You are being rate limited</body></html>"
)


def cloudflare_page(retry_after: int | None = None) -> Fault:
    """Its 429 page, with or without Retry-After (seconds)."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Fault(answer=Response(429, _CLOUDFLARE_PAGE, headers=headers))


def cloudflare_1015() -> Fault:
    """Its 403 in plain text."""
    return Fault(answer=Response(403, b"error code: 1015", "text/plain; charset=UTF-8"))


def _limit(scope: str, retry_after: float, *headers: tuple[str, str]) -> Fault:
    body, more = refusal(Refused(retry_after, scope, headers), milliseconds=False)
    return Fault(answer=Response.of_json(429, body, (*more, _VIA)))


def global_limit(retry_after: float) -> Fault:
    """A 429 for everything, as Discord itself sends it. Seconds."""
    return _limit("global", retry_after, ("X-RateLimit-Global", "true"))


def limit_without_a_time(retry_after: str = "NaN") -> Fault:
    """A 429 whose `retry_after` is no length of time."""
    body = f'{{"message": "You are being rate limited.", "retry_after": {retry_after}, "global": false}}'
    return Fault(answer=Response(429, body.encode(), "application/json", headers=(_VIA,)))


def shared_limit(retry_after: float) -> Fault:
    """A 429 that others caused. Seconds."""
    return _limit("shared", retry_after)


def odd_limit(limit: str, reset_after: str, remaining: str = "0") -> Fault:
    """The right answer with the headers of another limit, or of none (discord-api-docs #5646, #7394)."""
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset-After")
    return Fault(accepted=True, headers=tuple(zip(names, (limit, remaining, reset_after), strict=True)))


def server_error(status: int = 502) -> Fault:
    """500 in JSON, 502 as a page, others in plain text, as Discord's edge has them."""
    if status == 500:
        return Fault(answer=Response.of_json(500, INTERNAL.body(), (_VIA,)))
    if status == 502:
        return Fault(answer=Response(502, b"<html><head><title>502 Bad Gateway</title></head></html>"))
    return Fault(answer=Response(status, b"upstream connect error or disconnect/reset", "text/plain"))


def refuse(refused: Refusal) -> Fault:
    """Any error of errors.py in place of an answer."""
    return Fault(answer=Response.of_json(refused.status, refused.body(), (_VIA,)))


def every_fault(hang: float = 3.0) -> list[Fault]:
    """One of each that passes by itself; `hang` in seconds."""
    return [
        server_error(500), server_error(502), server_error(503), Fault.reset_before(), Fault.reset_after(),
        Fault.hang(hang), Fault.truncated(0.3), Fault.garbled(), cloudflare_page(1), global_limit(0.5),
        shared_limit(0.5), limit_without_a_time(), limit_without_a_time("-1"), Fault.early_hints(),
        Fault.gzip_cut_off(),
    ]  # fmt: skip
