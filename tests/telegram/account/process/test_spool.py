"""The newest messages of a channel in memory, against all orders in which updates and answers may come."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.telegram.account.process.spool import SPOOLED, Spool
from disgram.telegram.account.process.spools import MOST_NAMES, Names, Spools

CHANNEL = tl.PeerChannel(7)
DATE = datetime(2026, 1, 1, tzinfo=timezone.utc)


def message(number: int, text: str = "") -> Any:
    return tl.Message(id=number, peer_id=CHANNEL, date=DATE, message=text or f"post {number}")


def new(number: int, pts: int) -> Any:
    return tl.UpdateNewChannelMessage(message(number), pts, 1)


def edited(number: int, text: str, pts: int) -> Any:
    return tl.UpdateEditChannelMessage(message(number, text), pts, 1)


def deleted(*numbers: int, pts: int) -> Any:
    return tl.UpdateDeleteChannelMessages(7, list(numbers), pts, len(numbers))


def apply(spool: Spool, *updates: Any) -> None:
    for update in updates:
        spool.apply(update, update.pts, update.pts_count)


def loaded(*numbers: int, pts: int = 10) -> Spool:
    spool = Spool()
    spool.load(map(message, numbers), pts, at_start=True, now=0.0)
    return spool


def texts(spool: Spool) -> list[str]:
    return [each.message for each in spool.messages()]


def test_updates_in_order_keep_it_fresh() -> None:
    spool = loaded(1, 2)
    apply(spool, new(3, 11), edited(1, "one", 12), deleted(2, pts=13))
    assert texts(spool) == ["one", "post 3"]
    assert spool.fresh_at == 0.0


def test_an_update_that_was_read_already_changes_nothing() -> None:
    spool = loaded(1, 2)
    apply(spool, edited(1, "post 1", 10), new(2, 4), deleted(7, pts=9))
    assert texts(spool) == ["post 1", "post 2"]
    assert spool.fresh_at == 0.0


@pytest.mark.parametrize("unread", [new(3, 10), edited(1, "x", 9), deleted(1, pts=10)])
def test_an_update_that_its_number_says_was_read_and_was_not_makes_it_stale(unread: Any) -> None:
    spool = loaded(1, 2)
    apply(spool, unread)
    assert spool.fresh_at is None


@pytest.mark.parametrize("late", [new(3, 12), edited(1, "x", 15), deleted(1, 2, pts=13)])
def test_a_missing_update_makes_it_stale(late: Any) -> None:
    spool = loaded(1, 2)
    apply(spool, late)
    assert spool.fresh_at is None


def test_an_update_during_the_reading_is_applied_to_what_was_read() -> None:
    spool = loaded(1)
    spool.begin_reading()
    apply(spool, new(2, 11), edited(1, "newer", 12))
    spool.load([message(1), message(2)], 11, at_start=True, now=5.0)
    assert texts(spool) == ["newer", "post 2"]
    assert spool.fresh_at == 5.0


def test_an_update_missing_during_the_reading_makes_it_stale_again() -> None:
    spool = Spool()
    spool.begin_reading()
    apply(spool, edited(1, "newer", 14))
    spool.load([message(1)], 11, at_start=True, now=5.0)
    assert spool.fresh_at is None


def test_what_was_missed_during_the_reading_makes_it_stale_again() -> None:
    spools = Spools()
    spool = spools.of(7)
    for miss in (spools.make_stale, lambda: spools.take(tl.UpdateChannelTooLong(7))):
        spool.begin_reading()
        miss()
        spool.load([message(1)], 11, at_start=True, now=5.0)
        assert spool.fresh_at is None
    spool.begin_reading()
    spool.load([message(1)], 11, at_start=True, now=6.0)
    assert spool.fresh_at == 6.0


def test_an_edit_of_an_older_message_is_not_kept() -> None:
    spool = loaded(5)
    apply(spool, edited(2, "older", 11))
    assert texts(spool) == ["post 5"]
    assert spool.fresh_at == 0.0


@pytest.mark.parametrize(("pts", "count"), [(11, 1), (10, 0), (9, 0)])
def test_a_link_preview_that_came_later_is_read_again(pts: int, count: int) -> None:
    spool = loaded(1)
    apply(spool, tl.UpdateChannelWebPage(7, tl.WebPageEmpty(1), pts, count))
    assert spool.fresh_at is None


def test_an_album_at_the_end_settles_a_second_after_its_last_message() -> None:
    spool = loaded(1, 2)
    assert spool.settles_in(0.0) <= 0
    for number, now in ((3, 5.0), (4, 5.5)):
        part = message(number)
        part.grouped_id = 9
        apply(spool, tl.UpdateNewChannelMessage(part, 8 + number, 1))
        assert spool.settles_in(now) == 1.0
    assert spool.settles_in(6.0) == 0.5
    assert spool.settles_in(6.5) == 0.0
    apply(spool, new(5, 13))
    assert spool.settles_in(6.5) <= 0


def test_it_keeps_the_newest_messages_alone() -> None:
    spool = loaded(1, pts=1)
    apply(spool, *(new(number, number) for number in range(2, 100)))
    assert spool.count == SPOOLED
    assert [each.id for each in spool.messages()] == list(range(100 - SPOOLED, 100))
    assert not spool.at_start


def test_channels_asked_for_longest_ago_are_dropped_when_memory_is_short() -> None:
    spools = Spools()
    for channel in range(20):
        spool = spools.of(channel)
        spool.load([message(1, "x" * 1024 * 1024)], 1, at_start=True, now=0.0)
        spools.shrink()
    assert [channel for channel in range(20) if spools.follows(channel)] == list(range(5, 20))


def test_an_update_of_a_channel_that_nobody_reads_is_ignored() -> None:
    spools = Spools()
    assert not spools.take(new(1, 2))
    assert not spools.follows(7)


def test_names_are_found_for_everybody_a_message_names() -> None:
    names = Names()
    names.learn([tl.User(1, first_name="Anna"), tl.User(2, first_name="Ben"), tl.User(3, first_name="Eve")])
    header = tl.MessageFwdHeader(date=DATE, from_id=tl.PeerUser(2))
    found = names.named_in(
        [tl.Message(id=1, peer_id=CHANNEL, date=DATE, from_id=tl.PeerUser(1), message="", fwd_from=header)]
    )
    assert sorted(each.first_name for each in found) == ["Anna", "Ben"]


def test_names_are_bounded() -> None:
    names = Names()
    names.learn(tl.User(number, first_name="x") for number in range(MOST_NAMES + 10))
    asking = [
        tl.Message(id=1, peer_id=CHANNEL, date=DATE, message="", from_id=tl.PeerUser(n)) for n in (0, 9, 10)
    ]
    assert [each.id for each in names.named_in(asking)] == [10]
