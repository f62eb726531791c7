"""The ledger under test: in a SQLite file, in PostgreSQL, and in PostgreSQL behind the service's socket."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest

from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.storage.ledger import Ledger, LedgerRows
from disgram.storage.remote.client import RemoteLedger
from disgram.storage.remote.server import LedgerServer

NOW = 1_700_000_000.0

OpenLedger = Callable[..., LedgerRows]
"""Opens the test's one store once more; the argument is the clock."""


@pytest.fixture(params=["sqlite", "postgresql", "socket"])
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenLedger]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield lambda clock=time.time: stack.enter_context(closing(Ledger(tmp_path / "disgram.db", clock)))
            return
        url = request.getfixturevalue("postgres_url")
        from disgram.postgres.database import PostgresDatabase  # only here: it imports the driver
        from disgram.postgres.ledger import PostgresLedger

        numbers = count()

        def open_postgres(clock: Callable[[], float] = time.time) -> LedgerRows:
            ledger = PostgresLedger(stack.enter_context(closing(PostgresDatabase(url))), clock)
            if request.param == "socket":
                behind_socket(ledger, tmp_path / f"{next(numbers)}.sock", stack)
            return ledger

        yield open_postgres


def behind_socket(ledger: LedgerRows, path: Path, stack: ExitStack) -> None:
    """Its `of` gives what a worker would have, from now on."""
    of = ledger.of
    server = LedgerServer(path, lambda job, channel, epoch: of(job, channel), lambda: math.inf)
    server.start()
    stack.callback(server.stop)

    def remote(job: str, channel: str) -> ChannelLedger:
        return stack.enter_context(closing(RemoteLedger(path, 1))).of(job, channel)

    ledger.of = remote  # type: ignore[method-assign]


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> LedgerRows:
    return open_ledger(lambda: NOW)


@pytest.fixture
def rows(ledger: LedgerRows) -> ChannelLedger:
    return ledger.of("job", "Channel")


def sent(number: int, last_id: int | None = None) -> PostRow:
    return PostRow(number, last_id or number, "sent", "print", "shape")
