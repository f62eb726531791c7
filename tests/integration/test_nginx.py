"""deploy/nginx.conf in a real nginx, in front of the real service."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from standins.stage import PASSWORD, ROOT, Stage, eventually, free_port, staged
from tests.integration.programs import program

MAIN = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/disgram.conf;
}}
"""
CALLER = "127.0.0.2"
"""An address of this machine that is no proxy's."""


@contextmanager
def in_front(port_of_service: int, folder: Path, *, leave_out: str = "") -> Iterator[str]:
    """nginx with our file, but for its addresses; gives its URL."""
    port = free_port()
    ours = (ROOT / "deploy" / "nginx.conf").read_text("utf-8").replace(leave_out or "\0", "")
    ours = ours.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen [::]:80;", "")
    ours = ours.replace("127.0.0.1:5000", f"127.0.0.1:{port_of_service}")
    (folder / "disgram.conf").write_text(ours, "utf-8")
    with running_nginx(folder, f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def running_nginx(folder: Path, url: str) -> Iterator[str]:
    """nginx with `disgram.conf` of the folder, once it answers at this address; gives the address."""
    binary = program("nginx")
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder), "utf-8")
    command = [binary, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command) as nginx:
        try:
            eventually(lambda: answers(nginx, f"{url}/"), of=(folder / "error.log").read_text)
            yield url
        finally:
            nginx.terminate()


def answers(nginx: subprocess.Popen[bytes], url: str) -> bool:
    assert nginx.poll() is None
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    program("nginx")  # before a service is started for nothing
    with staged(tmp_path) as one:
        one.telegram.add_channel("news", "News")
        yield one


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    program("nginx")
    with staged(tmp_path_factory.mktemp("service")) as one:
        one.telegram.add_channel("news", "News")
        one.start()
        yield one


def create(url: str, stage: Stage, names: str, **further: str) -> requests.Response:
    """POST /job, its header names with `_` or as `names` says."""
    headers = {"JOB_NAME": "job", "TELEGRAM_CHANNELS": "news", "DISCORD_WEBHOOK_URL": stage.webhook.url}
    sent = {name.replace("_", names): value for name, value in (headers | further).items()}
    sent["Authorization"] = f"Bearer {PASSWORD}"
    return requests.post(f"{url}/job", headers=sent, timeout=30)


@pytest.mark.parametrize("names", ["_", "-"])
def test_header_names_pass_with_either_sign(running: Stage, tmp_path: Path, names: str) -> None:
    with in_front(running.port, tmp_path) as url:
        assert create(url, running, names).status_code == 201


def test_without_the_directive_underscores_get_lost(running: Stage, tmp_path: Path) -> None:
    """So the file's line is needed, and the README's word about hyphens true."""
    with in_front(running.port, tmp_path, leave_out="underscores_in_headers on;") as url:
        refused = create(url, running, "_")
        assert (refused.status_code, refused.json()["detail"]["error"]) == (
            400,
            "Missing DISCORD_WEBHOOK_URL",
        )
        assert create(url, running, "-").status_code == 201


def test_a_thousand_channels_are_not_too_long_a_header(running: Stage, tmp_path: Path) -> None:
    """The longest addresses there are. Service and nginx alike must take them."""
    channels = ",".join(f"https://t.me/channel_{number:024d}" for number in range(1001))
    with in_front(running.port, tmp_path) as url:
        refused = create(url, running, "_", TELEGRAM_CHANNELS=channels)
        assert (refused.status_code, refused.json()["detail"]["error"]) == (400, "Invalid TELEGRAM_CHANNELS")


@pytest.mark.parametrize(("trusted", "blamed"), [("127.0.0.1", CALLER), ("", "127.0.0.1")])
def test_forwarded_addresses_count_only_from_trusted_proxies(
    stage: Stage, tmp_path: Path, trusted: str, blamed: str
) -> None:
    """What the caller himself puts into the header never counts."""
    stage.start(TRUSTED_PROXIES=trusted)
    with in_front(stage.port, tmp_path) as url, requests.Session() as session:
        session.mount("http://", From(CALLER))
        forged = {"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.9"}
        assert session.get(f"{url}/jobs", headers=forged, timeout=30).status_code == 403
    assert re.findall("Login refused for (.+?):", stage.log()) == [blamed]


class From(HTTPAdapter):
    """Connections from one address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)  # type: ignore[arg-type]
