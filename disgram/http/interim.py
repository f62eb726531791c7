"""Skips interim responses (RFC 9110, section 15.2), of which http.client knows only 100.

It takes a 103 before the answer to a POST for the answer itself, and the message would be sent again.
Owns the reading of status lines. Never knows what was asked.
"""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse, parse_headers

from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_INTERIM = 20
"""Before one final response. A server sends one or two; a stream of them must end."""


class OnlyInterimResponses(HTTPException):
    """More than MAX_INTERIM."""


class FinalResponse(HTTPResponse):
    """Also of a proxy to CONNECT, of which http.client reads the status with the same method."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= 200:
                return version, status, reason
            parse_headers(self.fp)
        raise OnlyInterimResponses


class PlainConnection(HTTPConnection):
    response_class = FinalResponse


class TlsConnection(HTTPSConnection):
    response_class = FinalResponse
