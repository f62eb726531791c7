"""The ledger under test: in a SQLite file, and in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.storage.ledger import Ledger, LedgerRows

NOW = 1_700_000_000.0

OpenLedger = Callable[..., LedgerRows]
"""Opens the test's one store once more; the argument is the clock."""


@pytest.fixture(params=["sqlite", "postgresql"])
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenLedger]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield lambda clock=time.time: stack.enter_context(closing(Ledger(tmp_path / "disgram.db", clock)))
            return
        url = request.getfixturevalue("postgres_url")
        from disgram.postgres.database import PostgresDatabase  # only here: it imports the driver
        from disgram.postgres.ledger import PostgresLedger

        yield lambda clock=time.time: PostgresLedger(
            stack.enter_context(closing(PostgresDatabase(url))), clock
        )


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> LedgerRows:
    return open_ledger(lambda: NOW)


@pytest.fixture
def rows(ledger: LedgerRows) -> ChannelLedger:
    return ledger.of("job", "Channel")


def sent(number: int, last_id: int | None = None) -> PostRow:
    return PostRow(number, last_id or number, "sent", "print", "shape")
