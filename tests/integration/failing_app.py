"""A service over parts in memory, with a route that raises; run as module or as uvicorn's `app`."""

from __future__ import annotations

from config import SETTINGS
from disgram.api.server import serve
from tests.builders.api_fakes import app as app


@app.get("/fail")
def fail() -> None:
    raise ValueError("two\nlines, and https://discord.com/api/webhooks/1/the-token")


if __name__ == "__main__":
    serve(app, SETTINGS.host, SETTINGS.port)
