"""`disgram health`: one line about the service on this computer, for a person and for a container's check.

Asks GET /health over loopback. Runs every half minute in a container, so it imports little.
"""

from __future__ import annotations

import http.client
import json
import sys

from config import SETTINGS, Settings
from disgram.health.status_line import status_line

EXIT_TROUBLE = 1
_ANSWER_SECONDS = 10.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a listener on all addresses is reached by


def main(settings: Settings = SETTINGS) -> int:
    """Ask the service on this computer and print a line; 0 if it is healthy or degraded, else 1."""
    host = _ANY.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        line = status_line(json.loads(answer.read()))
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        print(f"no answer from {host} port {settings.port}: {error}", file=sys.stderr)
        return EXIT_TROUBLE
    finally:
        connection.close()
    print(line)
    return 0 if answer.status == http.client.OK else EXIT_TROUBLE
