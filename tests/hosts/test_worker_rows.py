"""What hosts tell each other of their workers, and what becomes of it where a host is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

pytest.importorskip("psycopg")

from disgram.hosts.shared import worker_rows
from disgram.hosts.shared.status_json import from_row, to_row
from disgram.hosts.shared.worker_rows import WorkerRows
from disgram.postgres.database import PostgresDatabase
from disgram.traffic import Traffic
from disgram.workers.spec import WorkerState, WorkerStatus

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)


def status(channel: str = "Durov", **changes: Any) -> WorkerStatus:
    bare = WorkerStatus.without_process("news", channel, "webhook.py", WorkerState.RUNNING, 100.0)
    return replace(bare, **{"cooldown": 300.0} | changes)


FULL = status(
    pid=77,
    reason="telegram_unavailable",
    restarts=3,
    last_poll_at=AT,
    last_poll_ok=False,
    last_post_id=12,
    gaps=((3, 4), (8, 8)),
    layout_changed=1,
    next_start_at=130.0,
    until=AT + timedelta(hours=1),
    trouble="crashed",
    since=AT - timedelta(hours=1),
    settled=True,
    discord_asked=True,
    traffic=Traffic(13, 1, AT, AT, ((5, 6), (7, 8)), ((13, AT),), 1.5, 12),
)


@pytest.mark.parametrize("sent", [status(), FULL])
def test_status_arrives_whole_but_for_what_means_nothing_on_another_host(sent: WorkerStatus) -> None:
    found = from_row(to_row(sent, now=110.0), "north", written_at=1010.0)
    assert found == replace(
        sent,
        host="north",
        pid=None,
        last_line_at=1000.0,
        idle_since=1000.0,
        next_start_at=sent.next_start_at and 1030.0,
        traffic=replace(sent.traffic, marks=()),
    )


@pytest.mark.parametrize(
    "row",
    [{}, [], {**to_row(FULL, 0), "state": "asleep"}, {**to_row(FULL, 0), "gaps": [[1]]},
     {**to_row(FULL, 0), "last_line_at": "long ago"}, {**to_row(FULL, 0), "until": "soon"}],
)  # fmt: skip
def test_row_of_another_form_is_no_status(row: Any) -> None:
    assert from_row(row, "north", 0.0) is None


def test_row_of_another_version_is_a_status_without_what_is_unknown() -> None:
    row = to_row(FULL, 0.0) | {"colour": "green"}
    del row["trouble"]
    found = from_row(row, "north", 0.0)
    assert found
    assert (found.reason, found.trouble) == ("telegram_unavailable", None)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows_of(database: PostgresDatabase, clock: Clock) -> Callable[[str], WorkerRows]:
    return lambda host: WorkerRows(database, host, clock)


def seen(rows: WorkerRows) -> dict[tuple[str, str], list[tuple[str | None, int | None]]]:
    """Channel -> (host, last post) of each that was told."""
    rows.read()
    return {key: [(one.host, one.last_post_id) for one in told] for key, told in rows.others.items()}


def written(database: PostgresDatabase) -> list[tuple[str, str]]:
    """Who wrote which rows, by their age."""
    with database.reading() as run:
        return run.execute("SELECT host, channel FROM worker_row ORDER BY at, channel").fetchall()


def test_hosts_see_each_others_workers_and_not_their_own(rows_of: Callable[[str], WorkerRows]) -> None:
    north, south = rows_of("north"), rows_of("south")
    north.write([status("a", last_post_id=1)])
    south.write([status("b", last_post_id=2)])
    assert seen(north) == {("news", "b"): [("south", 2)]}
    assert seen(south) == {("news", "a"): [("north", 1)]}


def test_changes_are_seen_by_who_had_read_before(rows_of: Callable[[str], WorkerRows]) -> None:
    north, south = rows_of("north"), rows_of("south")
    north.write([status("a", last_post_id=1), status("b", last_post_id=1)])
    south.read()
    north.write([status("a", last_post_id=2)])
    assert seen(south) == {("news", "a"): [("north", 2)]}


def test_only_rows_that_changed_are_written(
    rows_of: Callable[[str], WorkerRows], database: PostgresDatabase, clock: Clock
) -> None:
    north = rows_of("north")
    both = [status("a"), status("b")]
    north.write(both)
    clock.now += 10
    north.write([replace(both[0], last_line_at=clock.now), replace(both[1], last_post_id=3)])
    assert written(database) == [("north", "a"), ("north", "b")]
    north.write([replace(both[0], last_post_id=3), replace(both[1], last_post_id=3)])
    assert written(database) == [("north", "b"), ("north", "a")]


def test_worker_that_only_beats_is_written_now_and_then(
    rows_of: Callable[[str], WorkerRows], database: PostgresDatabase, clock: Clock
) -> None:
    north = rows_of("north")
    north.write([status("a"), status("silent")])
    north.write([status("a"), status("silent")])
    clock.now += worker_rows.FRESH_AFTER
    north.write([status("a", last_line_at=clock.now), status("silent")])
    assert written(database) == [("north", "silent"), ("north", "a")]


def test_age_of_a_workers_last_line_goes_on_where_it_is_read(
    rows_of: Callable[[str], WorkerRows], clock: Clock
) -> None:
    north, south = rows_of("north"), rows_of("south")
    clock.now = 107.0
    north.write([status("a", last_line_at=100.0)])
    south.read()
    ((found,),) = south.others.values()
    assert found.last_line_at == pytest.approx(100.0, abs=2)


def test_host_that_ends_or_starts_has_no_workers(rows_of: Callable[[str], WorkerRows]) -> None:
    north, south = rows_of("north"), rows_of("south")
    north.write([status("a"), status("b")])
    assert len(seen(south)) == 2
    rows_of("north").forget_own()
    assert seen(south) == {}
    assert seen(rows_of("third")) == {}
    north.forget_own()
    north.write([status("a")])
    assert list(seen(south)) == [("news", "a")]


def test_rows_that_were_over_a_day_ago_are_removed(
    rows_of: Callable[[str], WorkerRows], database: PostgresDatabase
) -> None:
    north = rows_of("north")
    north.write([status("a"), status("b")])
    north.write([status("b")])
    with database.transaction() as run:
        run.execute("UPDATE worker_row SET at = at - interval '2 days'")
    rows_of("south").forget_own()
    assert written(database) == [("north", "b")]
