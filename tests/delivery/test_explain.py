"""What GET /job/explain says of a post, by what the ledger has of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from disgram.addresses import ChannelRef
from disgram.api.schemas import ExplainedPost, iso_time
from disgram.errors import DiscordUnavailable, MessageRejected, Stopping, TelegramUnavailable, WebhookGone
from disgram.explain import explain
from disgram.storage.ledger import Ledger
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, refusal

DOWN = refusal(DiscordUnavailable("503"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def explained(bench: Bench, number: int, *, forwarded: bool = True) -> ExplainedPost:
    where = (bench.spec.job, bench.spec.channel.key, number)
    database, destination = bench.database, bench.spec.destination
    return explain(
        ChannelRef(bench.spec.channel.name, number),
        database.known_post(*where),
        database.known_channel(*where),
        forwarded=forwarded,
        refused=database.refusal(destination.webhook_key, destination.key),
    )


def test_sent_post_is_explained_with_its_times_and_message(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.ledger.put_guild(bench.spec.destination.webhook_id, "55")
    post = explained(bench, 2)
    assert (post.url, post.state, post.attempts, post.edits, post.note) == (
        f"https://t.me/{pages.CHANNEL}/2", "sent", 1, 0, None,
    )  # fmt: skip
    assert post.first_seen_at == post.messages[0].sent_at == iso_time(bench.today())
    (message,) = bench.ledger.messages(2)
    assert post.messages[0].url == f"https://discord.com/channels/55/9/{message.message_id}"


def test_message_has_no_link_while_the_server_is_unknown(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    assert explained(bench, 1).messages[0].url is None


def test_any_post_of_an_album_names_it(bench: Bench) -> None:
    bench.telegram.posts[4] = pages.post(4, pages.album(pages.photo(4, "a"), pages.photo(5, "b")))
    bench.poll()
    assert explained(bench, 5) == explained(bench, 4)
    assert explained(bench, 5).url.endswith("/4")


def test_post_tried_in_an_outage_is_sending_with_its_attempts(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.script, bench.stop_after = [DOWN, DOWN], 1
    with pytest.raises(Stopping):
        bench.poll()
    first, last = explained(bench, 1), explained(bench, 3)
    assert (first.state, first.attempts, first.messages) == ("sending", 2, [])
    assert (last.state, last.attempts) == ("sending", 0)
    assert "waits for the posts before it; those up to 0" in (last.note or "")
    assert last.first_seen_at is not None


def test_time_first_seen_survives_a_restart(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.script, bench.stop_after = [DOWN], 0
    with pytest.raises(Stopping):
        bench.poll()
    seen = explained(bench, 2).first_seen_at
    bench.stop_after = None
    bench.clock.now += 500
    bench.again()
    bench.poll()
    post = explained(bench, 2)
    assert (post.state, post.first_seen_at) == ("sent", seen)
    assert post.messages[0].sent_at != seen


def test_refused_post_is_failed_with_the_reason_and_its_attempts(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(MessageRejected("400 Invalid Form Body"))] * 4
    bench.poll()
    post = explained(bench, 1)
    assert (post.state, post.attempts) == ("failed", 4)
    assert "400 Invalid Form Body" in (post.reason or "")
    bench.database.retry(bench.spec.job, 1)
    assert explained(bench, 1).state == "sending"
    bench.poll()
    assert (explained(bench, 1).state, explained(bench, 1).attempts) == ("sent", 5)


def test_followed_edit_is_counted_and_keeps_the_time_of_sending(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    sent = explained(bench, 1)
    bench.clock.now += 100
    bench.telegram.write(1, "changed")
    bench.poll()
    edited = explained(bench, 1)
    assert (edited.edits, edited.messages, edited.attempts) == (1, sent.messages, 1)


def test_service_message_is_filtered_by_its_setting(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.telegram.posts[2] = pages.post(2, pages.text("pinned"), extra_class="service_message")
    bench.telegram.fill(3, 3)
    bench.poll()
    post = explained(bench, 2)
    assert (post.state, post.rule) == ("filtered", "FORWARD_SERVICE_MESSAGES")
    assert bench.said.count("is a service message") == 1


def test_dead_webhook_is_the_reason_of_posts_kept_for_it(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(WebhookGone("404"))]
    bench.poll()
    kept, later = explained(bench, 1), explained(bench, 7)
    assert (kept.state, kept.reason) == ("sending", "webhook_gone")
    assert (later.state, later.reason) == ("unknown", "webhook_gone")
    assert "not read while Discord takes no messages" in (later.note or "")


@pytest.mark.parametrize(
    ("number", "words"),
    [(3, "before the job's start"), (12, "none, or a deleted one"), (40, "not seen so far")],
)
def test_unknown_post_says_why_it_is_unknown(bench: Bench, number: int, words: str) -> None:
    bench.telegram.fill(1, 20)
    del bench.telegram.posts[12]
    bench.again(start=10)
    bench.poll()
    post = explained(bench, number)
    assert (post.state, post.url.endswith(f"/{number}")) == ("unknown", True)
    assert words in (post.note or "")


def test_unknown_post_of_a_channel_not_read_so_far_says_so(bench: Bench) -> None:
    bench.telegram.fails = lambda before: TelegramUnavailable("down")
    bench.poll()
    assert "Nothing of this channel has been read" in (explained(bench, 1).note or "")


def test_unknown_post_in_a_gap_names_the_gap(bench: Bench) -> None:
    bench.ledger.begin(10, None)
    bench.ledger.add_gap(4, 8)
    assert "the posts 4 to 8" in (explained(bench, 5).note or "")


def test_post_seen_but_gone_before_it_was_sent_says_so(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.script, bench.stop_after = [DOWN], 0
    with pytest.raises(Stopping):
        bench.poll()
    bench.stop_after = None
    del bench.telegram.posts[2]
    bench.again()
    bench.poll()
    post = explained(bench, 2)
    assert (post.state, post.note) == (
        "unknown",
        "It was seen, but gone from Telegram before it could be sent.",
    )


def test_post_of_a_channel_the_job_had_keeps_its_state(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    post = explained(bench, 1, forwarded=False)
    assert (post.state, post.note) == ("sent", "The job does not forward this channel any more.")
    assert explained(bench, 9, forwarded=False).note == "The job does not forward this channel."


def test_post_of_an_older_database_is_sent_without_times(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "storage" / "data" / "disgram-3.0.0.db", tmp_path / "disgram.db")
    ledger = Ledger(tmp_path / "disgram.db")
    post = explain(
        ChannelRef("durov", 143),
        ledger.known_post("news", "Durov", 143),
        ledger.known_channel("news", "Durov", 143),
        forwarded=True,
    )
    assert (post.url, post.state, post.first_seen_at, post.attempts) == (
        "https://t.me/durov/142", "sent", None, None,
    )  # fmt: skip
    assert len(post.messages) == 2
    assert "older Disgram" in (post.note or "")
    assert ledger.known_channel("news", "durov", 1).began_after == 140


@pytest.mark.parametrize(
    "stored", [None, "soon", b"\xff", -5.0, float("inf"), float("nan"), 1e300, 1.79e12, 253_402_300_800]
)
def test_time_that_is_none_is_not_shown(stored: object) -> None:
    assert iso_time(stored) is None


def test_times_of_posts_are_written_in_seconds_of_utc_up_to_the_last_one() -> None:
    assert iso_time(1_790_000_000.7) == "2026-09-21T14:13:20+00:00"
    assert iso_time(253_402_300_799) == "9999-12-31T23:59:59+00:00"


def test_quiet_poll_writes_nothing(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.poll(2)
    connection = bench.database._database._connection
    before = connection.total_changes
    bench.poll()
    assert connection.total_changes == before
