"""The ledger, in a file and in PostgreSQL: confirmed messages stay, unconfirmed ones show after a crash, a
deleted job leaves nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from disgram.post import PostSlice
from disgram.storage.channel_ledger import ChannelLedger, LastPost, MessageRow, PostRow
from disgram.storage.channel_source import Source
from disgram.storage.destinations import GoneRow
from disgram.storage.ledger import LedgerRows
from disgram.storage.missing_posts import MISSING, REMOVED, MissingPost
from disgram.storage.post_history import KnownChannel, KnownMessage, KnownPost
from tests.storage.conftest import NOW, OpenLedger, sent


def test_new_worker_has_no_progress(rows: ChannelLedger) -> None:
    assert rows.progress() is None
    assert rows.imported() is None


def test_progress_moves_with_finished_posts_and_never_back(rows: ChannelLedger) -> None:
    rows.begin(10, None)
    rows.finish(sent(12, 14))
    rows.finish(sent(11))
    progress = rows.progress()
    assert progress is not None
    assert progress.last_id == 14


def test_channel_names_differing_in_case_are_one_channel(ledger: LedgerRows, rows: ChannelLedger) -> None:
    rows.begin(5, 3)
    assert ledger.of("job", "cHANNEL").progress() == (5, 3)
    assert ledger.of("other", "channel").progress() is None


def test_message_without_confirmation_is_found_after_a_crash(open_ledger: OpenLedger) -> None:
    first = open_ledger().of("job", "c")
    first.put_message(7, MessageRow(0, "sent", "100", "200", "d", "[]"))
    first.put_message(7, MessageRow(1, "attempting"))
    after = open_ledger().of("job", "c")
    assert [message.state for message in after.messages(7)] == ["sent", "attempting"]
    after.drop_message(7, 1)
    assert [message.position for message in after.messages(7)] == [0]


def test_post_that_was_left_out_does_not_end_a_row_of_refused_ones(rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number in (1, 3):
        rows.fail(sent(number)._replace(state="failed"), "400", "[]")
    rows.leave_out(PostRow(2, 2, "filtered", "print", ""), "FORWARD_SERVICE_MESSAGES")
    assert rows.failed_in_a_row(4, 5) == [1, 3]
    assert rows.post(2) == PostRow(2, 2, "filtered", "print", "", "FORWARD_SERVICE_MESSAGES")
    assert rows.progress() == (3, None)


def test_deleted_job_forgets_when_posts_were_seen(ledger: LedgerRows, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    rows.history.seen([PostSlice(1, (1, 2), "", "print")], 0)
    assert ledger.known_post("job", "Channel", 2) == KnownPost(
        1, first_seen_at=1_700_000_000.0, attempts=0, edits=0, messages=[]
    )
    ledger.delete_job("job")
    assert ledger.known_post("job", "Channel", 2) is None
    assert ledger.known_channel("job", "Channel", 2) == KnownChannel()


def test_post_seen_on_many_pages_keeps_the_first_time_and_writes_once(open_ledger: OpenLedger) -> None:
    times = iter([100.0, 200.0])
    ledger = open_ledger(lambda: next(times))
    seen = [PostSlice(5, (5,), "", "print"), PostSlice(3, (3,), "", "print")]
    rows = ledger.of("job", "c")
    rows.history.seen(seen[:1], 3)
    rows.history.seen(seen[:1], 3)
    ledger.of("job", "c").history.seen(seen, 3)
    post = ledger.known_post("job", "c", 5)
    assert post is not None
    assert post.first_seen_at == 100.0
    assert ledger.known_post("job", "c", 3) is None


def test_failed_post_is_listed_with_its_reason_until_it_is_sent(
    ledger: LedgerRows, rows: ChannelLedger
) -> None:
    rows.begin(0, None)
    rows.fail(sent(3)._replace(state="failed"), "400 Invalid Form Body", '[{"content": "x"}]')
    (failed,) = ledger.failed()
    assert (failed["job"], failed["channel"], failed["post_id"]) == ("job", "channel", 3)
    assert failed["reason"] == "400 Invalid Form Body"
    assert failed["payload"] == '[{"content": "x"}]'
    assert rows.to_retry() == []
    assert ledger.retry("job", 4) == 0
    assert ledger.retry("job", 3) == 1
    assert rows.to_retry() == [3]
    rows.finish(sent(3))
    assert ledger.failed() == []
    assert rows.to_retry() == []
    assert rows.messages(3) == []


def test_retry_without_a_post_marks_all_failed_posts_of_the_job(
    ledger: LedgerRows, rows: ChannelLedger
) -> None:
    rows.begin(0, None)
    for number in (3, 5):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    assert ledger.retry("nobody") == 0
    assert ledger.retry("job") == 2
    assert rows.to_retry() == [3, 5]


def test_retry_leaves_failed_posts_of_channels_that_are_not_named(ledger: LedgerRows) -> None:
    for name in ("one", "Two", "gone"):
        rows = ledger.of("job", name)
        rows.begin(0, None)
        rows.fail(sent(3)._replace(state="failed"), "no", "[]")
    assert ledger.retry("job", 3, channels=["one", "two"]) == 2
    assert ledger.retry("job", channels=[]) == 0
    assert [len(ledger.of("job", name).to_retry()) for name in ("one", "two", "gone")] == [1, 1, 0]
    assert ledger.dismiss("job") == 3


def test_dismissed_post_is_neither_listed_nor_sent_again(ledger: LedgerRows, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number in (3, 5, 7):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    ledger.retry("job", 5)
    assert (ledger.dismiss("nobody"), ledger.dismiss("job", 4), ledger.dismiss("job", 5)) == (0, 0, 1)
    assert [post["post_id"] for post in ledger.failed()] == [3, 7]
    assert ledger.dismiss("job") == 2
    assert (ledger.failed(), rows.to_retry(), ledger.retry("job")) == ([], [], 0)


def test_deleting_a_job_deletes_its_rows_and_no_others(ledger: LedgerRows, rows: ChannelLedger) -> None:
    other = ledger.of("other", "channel")
    for one in (rows, other):
        one.begin(0, None)
        one.finish(sent(1))
        one.put_message(1, MessageRow(0, "sent"))
        one.add_gap(1, 2)
    ledger.delete_job("job")
    assert (rows.progress(), rows.messages(1), rows.gaps(), rows.post(1)) == (None, [], [], None)
    assert other.progress() is not None
    assert other.gaps() == [(1, 2)]


def test_gaps_stay_in_order_until_they_are_closed(rows: ChannelLedger) -> None:
    rows.add_gap(21, 40)
    rows.add_gap(1, 20)
    assert rows.gaps() == [(1, 20), (21, 40)]
    rows.close_gap(1)
    assert rows.gaps() == [(21, 40)]


def test_gone_webhook_is_known_to_all_workers_until_it_is_cleared(
    ledger: LedgerRows, rows: ChannelLedger
) -> None:
    found = [GoneRow("destination", "webhook_gone", 1, 5.0), GoneRow("destination/channel", "x", 1, 5.0)]
    for row in found:
        rows.destinations.mark_gone(row)
    assert ledger.of("other", "else").destinations.gone("destination", "destination/channel") == found
    ledger.destinations.clear_gone("destination")
    assert rows.destinations.gone("destination", "destination/channel") == []


def test_concurrent_writers_lose_no_rows(open_ledger: OpenLedger) -> None:

    def write(channel: str) -> None:
        rows = open_ledger().of("job", channel)
        rows.begin(0, None)
        for number in range(1, 26):
            rows.finish(sent(number))

    threads = [threading.Thread(target=write, args=(f"c{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = open_ledger()
    assert [len(ledger.of("job", f"c{number}").posts_from(0)) for number in range(4)] == [25] * 4


def test_threads_that_share_a_ledger_take_turns(ledger: LedgerRows) -> None:
    """Without a lock, transactions on one connection would begin inside one another."""

    def delete(number: int) -> None:
        for _ in range(20):
            ledger.of(f"job {number}", "channel").begin(1, None)
            ledger.delete_job(f"job {number}")

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(delete, range(10)))


# --- counts for the service -----------------------------------------------------------------------------


def test_failed_posts_are_counted_by_channel_until_they_are_retried(ledger: LedgerRows) -> None:
    for job, channel, numbers in (("a", "X", (1, 2)), ("b", "y", (7,))):
        rows = ledger.of(job, channel)
        rows.begin(0, None)
        for number in numbers:
            rows.fail(PostRow(number, number, "failed", "", ""), "400", "[]")
    counts = ledger.failed_counts()
    assert {key: failed.number for key, failed in counts.items()} == {("a", "x"): 2, ("b", "y"): 1}
    assert counts["a", "x"].since > 0
    ledger.retry("a", 1)
    ledger.retry("b")
    assert {key: failed.number for key, failed in ledger.failed_counts().items()} == {("a", "x"): 1}


def test_last_confirmed_post_is_the_newest_that_was_sent(ledger: LedgerRows) -> None:
    rows = ledger.of("a", "x")
    rows.begin(0, None)
    ledger.of("a", "empty").begin(0, None)
    rows.finish(PostRow(1, 1, "sent", "", ""))
    rows.fail(PostRow(2, 2, "failed", "", ""), "400", "[]")
    assert list(ledger.last_confirmed()) == [("a", "x")]


# --- what a worker knows beside its posts ---------------------------------------------------------------


def test_source_keeps_the_first_time_it_was_empty(open_ledger: OpenLedger) -> None:
    times = iter([100.0, 200.0])
    source = open_ledger(lambda: next(times)).of("job", "c").source
    assert source.get() == Source()
    source.found_empty()
    source.found_empty()
    source.put_channel_id(2**40)
    source.mark_replaced()
    assert source.get() == Source(2**40, 100.0, True)
    source.mark_replaced(False)
    assert not source.get().replaced


def test_changed_job_forgets_only_channels_whose_name_is_another_s_now(ledger: LedgerRows) -> None:
    for name in ("kept", "replaced"):
        ledger.of("job", name).begin(5, None)
    ledger.of("job", "replaced").source.mark_replaced()
    ledger.begin_replaced_anew("job")
    assert ledger.of("job", "kept").progress() == (5, None)
    assert ledger.of("job", "replaced").progress() is None


def test_missing_posts_are_known_until_they_are_forgotten(rows: ChannelLedger) -> None:
    missing = rows.source.missing
    missing.begin(5, 100.0)
    missing.begin(7, 100.0)
    missing.begin(7, 200.0)
    missing.put_state(5, REMOVED)
    assert missing.from_id(5) == {5: MissingPost(100.0, REMOVED), 7: MissingPost(200.0, MISSING)}
    missing.forget(7)
    assert missing.from_id(6) == {}


def test_one_of_two_workers_claims_the_asking(ledger: LedgerRows) -> None:
    destinations, row = ledger.destinations, GoneRow("webhook", "webhook_gone", 2, 100.5)
    destinations.mark_gone(row)
    assert ledger.refusal("elsewhere", "webhook") == "webhook_gone"
    assert destinations.claim_asking(row, 200.5)
    assert not destinations.claim_asking(row, 300.5)
    assert destinations.gone("webhook") == [row._replace(ask_at=200.5)]
    destinations.accepts_again("webhook")
    assert ledger.refusal("webhook") is None


def test_one_of_two_workers_claims_the_daily_look(ledger: LedgerRows) -> None:
    looks = ledger.destinations
    assert looks.asked_at("webhook") is None
    assert [looks.claim_daily("webhook", None, 100.5) for _ in range(2)] == [True, False]
    assert [looks.claim_daily("webhook", 100.5, 200.5) for _ in range(2)] == [True, False]
    assert looks.asked_at("webhook") == 200.5


def test_cleared_destination_spares_one_whose_name_only_begins_alike(ledger: LedgerRows) -> None:
    for name in ("1", "1/2", "12", "1%"):
        ledger.destinations.mark_gone(GoneRow(name, "webhook_gone", 1, 0.0))
    ledger.clear_gone("1")
    assert [row.destination for row in ledger.destinations.gone("1", "1/2", "12", "1%")] == ["12", "1%"]


# --- posts and their history ----------------------------------------------------------------------------


def test_all_of_a_post_is_known_by_any_id_of_its_album(ledger: LedgerRows, rows: ChannelLedger) -> None:
    rows.begin(4, 5)
    rows.history.seen([PostSlice(5, (5, 6, 7), "", "print")], 4)
    rows.put_guild("webhook", "guild")
    rows.put_message(5, MessageRow(0, "attempting", webhook_id="webhook"))
    rows.put_message(5, MessageRow(0, "sent", "100", "200", "d", "[]", None, "webhook", None, NOW))
    rows.finish(sent(5, 7))
    rows.finish(sent(5, 7), edited=True)
    message = KnownMessage("sent", "100", "200", "guild", NOW)
    assert ledger.known_post("job", "Channel", 6) == KnownPost(5, "sent", None, None, NOW, 1, 1, [message])
    assert rows.guild("webhook") == "guild"
    assert rows.last_post() == LastPost(5, NOW)
    assert rows.dealt_with_at(5) == (NOW, NOW)
    assert rows.messages(5) == [MessageRow(0, "sent", "100", "200", "d", "[]", None, "webhook", None, NOW)]


def test_channel_says_how_far_it_has_come_and_which_gap_holds_the_post(
    ledger: LedgerRows, rows: ChannelLedger
) -> None:
    rows.begin(4, None)
    rows.add_gap(6, 9)
    rows.finish(sent(10))
    assert ledger.known_channel("job", "Channel", 7) == KnownChannel(10, 4, (6, 9))
    assert ledger.known_channel("job", "Channel", 10).gap is None


def test_posts_of_a_page_begin_with_an_album_that_reaches_into_it(rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number, last_id in ((1, 1), (2, 6), (7, 7)):
        rows.finish(sent(number, last_id))
    assert [row.post_id for row in rows.posts_from(5)] == [2, 7]


def test_deleted_post_keeps_its_row(rows: ChannelLedger) -> None:
    rows.begin(0, None)
    rows.finish(sent(1))
    rows.deleted(1)
    assert rows.post(1) == sent(1)._replace(state="deleted")


def test_posts_that_were_refused_are_due_again_from_the_first_of_them(rows: ChannelLedger) -> None:
    rows.begin(0, None)
    rows.finish(sent(1))
    for number in (2, 3):
        rows.fail(sent(number)._replace(state="failed"), "400", "[]")
    rows.take_back(2)
    assert rows.progress() == (1, None)
    assert [row.post_id for row in rows.posts_from(0)] == [1]
    rows.take_back(5)
    assert rows.progress() == (1, None)


@pytest.mark.parametrize(
    ("begun", "done", "forgotten", "later", "expected"),
    [
        (3, (5, 9), 9, 7, 5),
        (3, (9,), 9, 7, 3),
        (8, (9,), 9, 7, 6),
        (3, (6, 9), 9, 5, 4),
    ],
)
def test_progress_goes_back_to_the_post_before_the_one_that_never_was(
    rows: ChannelLedger, begun: int, done: tuple[int, ...], forgotten: int, later: int, expected: int
) -> None:
    rows.begin(begun, None)
    for number in done:
        rows.finish(sent(number))
    rows.put_message(forgotten, MessageRow(0, "sent"))
    rows.forget_last_post(forgotten, later)
    assert rows.progress() == (expected, None)
    assert (rows.post(forgotten), rows.messages(forgotten)) == (None, [])


def test_advance_never_moves_back(rows: ChannelLedger) -> None:
    rows.begin(5, None)
    rows.advance(9)
    rows.advance(7)
    assert rows.progress() == (9, None)
