"""A web without wires: what a client asks is written down, what it is answered was prepared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from disgram.errors import HttpError
from disgram.http_client import PIECE, Body, HttpClient, HttpResponse


@dataclass(frozen=True)
class Asked:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Web:
    """`web.client` stands where HttpClient does. Of several answers to one question the last one stays."""

    asked: list[Asked] = field(default_factory=list)
    _answers: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def answer(
        self, method: str, url: str, body: bytes | str = b"", status: int = 200, **headers: str
    ) -> None:
        """Header names with _ for -."""
        raw = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        self._answers.setdefault((method, url), []).append((status, named, raw))

    def fail(self, method: str, url: str, *, sent: bool = True) -> None:
        self._answers.setdefault((method, url), []).append(HttpError("no such luck", sent=sent))

    @property
    def client(self) -> type[HttpClient]:
        web = self

        class Client(HttpClient):
            def request(
                self,
                method: str,
                url: str,
                *,
                headers: Mapping[str, str] | None = None,
                body: bytes | Body | None = None,
            ) -> HttpResponse:
                whole = body if isinstance(body, bytes) else b"".join(body or ())
                web.asked.append(Asked(method, url, {**self._headers, **(headers or {})}, whole))
                exactly = (method, url)
                prepared = web._answers[
                    exactly if exactly in web._answers else (method, url.partition("?")[0])
                ]
                found = prepared.pop(0) if len(prepared) > 1 else prepared[0]
                if isinstance(found, HttpError):
                    raise found
                return _Prepared(*found)

        return Client


class _Prepared(HttpResponse):
    def __init__(self, status: int, headers: dict[str, str], raw: bytes) -> None:
        self.status, self.headers, self._bytes = status, headers, raw

    def pieces(self) -> Iterator[bytes]:
        for start in range(0, len(self._bytes), PIECE):
            yield self._bytes[start : start + PIECE]

    def close(self) -> None:
        """Nothing to give back."""
