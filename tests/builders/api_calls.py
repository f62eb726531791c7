"""Calls into the app in process, over fake workers: the harness of the API's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from config import read
from main import ServiceContext, create_app
from service import Service
from tests.builders.api_fakes import FakeChannels, FakeLedger, FakeSupervisor, FakeWebhooks, fake_service

PASSWORD = "hunter22"
URL = "https://discord.com/api/webhooks/123/secretToken"
MASKED = "https://discord.com/api/webhooks/123/***"
AUTH = {"Authorization": f"Bearer {PASSWORD}"}
NEWS = {"JOB_NAME": "news", "DISCORD_WEBHOOK_URL": URL, "TELEGRAM_CHANNELS": "durov,@telegram/5"}


class Api:
    """Calls from any thread into an app that lives in a thread of its own.

    Every answer is checked for secrets and for the form of an error.
    """

    def __init__(self, portal: BlockingPortal, app: FastAPI, peer: str) -> None:
        self._portal = portal
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 50000))
        self.service: Service = app.state.service
        assert isinstance(self.service.supervisor, FakeSupervisor)
        assert isinstance(self.service.ledger, FakeLedger)
        assert isinstance(self.service.webhooks, FakeWebhooks)
        self.supervisor, self.ledger = self.service.supervisor, self.service.ledger
        assert isinstance(self.service.channels, FakeChannels)
        self.webhooks, self.channels = self.service.webhooks, self.service.channels

    def raw(self, method: str, path: str, headers: Any = None, content: Any = None) -> httpx.Response:
        answer: httpx.Response = self._portal.call(self._send, method, path, headers, content)
        return answer

    async def _send(self, method: str, path: str, headers: Any, content: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers, content=content)

    def __call__(
        self, method: str, path: str, headers: Any = None, *, content: Any = None, secret: bool = False
    ) -> httpx.Response:
        answer = self.raw(method, path, headers, content)
        assert answer.status_code != 422
        assert answer.status_code < 500 or answer.status_code == 503
        assert secret or "secretToken" not in answer.text
        assert PASSWORD not in answer.text
        if answer.status_code >= 400 and "status" not in answer.json():
            assert set(answer.json()) == {"detail"}
            assert set(answer.json()["detail"]) == {"error", "message"}
        return answer

    def json(self, method: str, path: str, content: Any, **headers: str) -> httpx.Response:
        """A call with the bearer and a JSON body."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self(method, path, AUTH | {"Content-Type": "application/json"} | headers, content=raw)

    def post(self, **changes: str) -> httpx.Response:
        return self("POST", "/job", AUTH | NEWS | changes)


@contextmanager
def serving(
    folder: Path, peer: str = "127.0.0.1", *, run: ServiceContext = fake_service, **environ: str
) -> Iterator[Api]:
    configuration = read({"AUTH_PASSWORD": PASSWORD, "DATA_DIR": str(folder), **environ})
    app = create_app(configuration, run)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        yield Api(portal, app, peer)


def log_of(api: Api) -> str:
    return (api.service.settings.data_dir / "Disgram.log").read_text("utf-8")
