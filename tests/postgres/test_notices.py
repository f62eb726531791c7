"""Notices: heard by all who listen, after the transaction, and again after a lost connection."""

from __future__ import annotations

from contextlib import closing

import pytest

pytest.importorskip("psycopg")

from disgram.errors import StorageUnavailable
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.notices import Notices, notify
from standins.postgres import PostgresServer


def test_all_listeners_hear_a_notice_once_its_transaction_ended(postgres_url: str) -> None:
    with (
        closing(PostgresDatabase(postgres_url)) as database,
        closing(Notices(postgres_url)) as one,
        closing(Notices(postgres_url)) as other,
    ):
        assert one.wait(0) == other.wait(0) == []
        with database.transaction() as run:
            notify(run, "jobs")
            assert one.wait(0.05) == []
        assert one.wait(5) == other.wait(5) == ["jobs"]


def test_notices_sent_together_are_heard_together(postgres_url: str) -> None:
    with closing(PostgresDatabase(postgres_url)) as database, closing(Notices(postgres_url)) as notices:
        notices.wait(0)
        with database.transaction() as run:
            for payload in ("one", "two"):
                notify(run, payload)
        assert notices.wait(5) == ["one", "two"]


def test_listener_that_lost_its_connection_says_so_and_listens_again(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with closing(PostgresDatabase(postgres_url)) as database, closing(Notices(postgres_url)) as notices:
        notices.wait(0)
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
        with pytest.raises(StorageUnavailable):
            notices.wait(5)
        notices.wait(0)
        with database.transaction() as run:
            notify(run, "again")
        assert notices.wait(5) == ["again"]
