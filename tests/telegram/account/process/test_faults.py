"""What the account's process does when Telegram goes wrong: one reason, and no storm of requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

pytest.importorskip("telethon")

from disgram.report import Level
from standins.mtproto.channels import Channel
from standins.mtproto.faults import FOREVER
from standins.mtproto.server import MtprotoStandIn
from tests.telegram.account.process.running import Account, account_of, eventually


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        yield server


@pytest.fixture
def channel(telegram: MtprotoStandIn) -> Channel:
    made = telegram.channel("News")
    made.post("one")
    return made


@pytest.fixture
def account(telegram: MtprotoStandIn, channel: Channel, tmp_path: Path) -> Iterator[Account]:
    with account_of(telegram, tmp_path) as running:
        eventually(lambda: running.get("/channels")[1])
        yield running


def test_a_flood_wait_is_told_with_its_end_and_obeyed(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    telegram.fail("messages.getHistory", "FLOOD_WAIT_300")

    for _ in range(3):
        status, refusal = account.get("/page", channel=f"c/{channel.id}")
        assert (status, refusal["reason"]) == (503, "account_waits")
        left = (datetime.fromisoformat(refusal["until"]) - datetime.now(timezone.utc)).total_seconds()
        assert 290 < left < 301
        assert 290 < refusal["retry_after"] <= 300

    assert telegram.count("messages.getHistory") == 1


@pytest.mark.parametrize("method", ["messages.getDialogs", "users.getUsers"])
def test_a_flood_wait_at_the_start_is_told_to_whoever_asks(
    telegram: MtprotoStandIn, channel: Channel, tmp_path: Path, method: str
) -> None:
    telegram.fail(method, "FLOOD_WAIT_300", times=FOREVER)  # Telethon connects with users.getUsers
    with account_of(telegram, tmp_path) as account:
        eventually(lambda: account.refusal("/page", channel="c/1") == (503, "account_waits"))
        for _ in range(3):
            assert account.refusal("/page", channel=f"c/{channel.id}") == (503, "account_waits")
        assert telegram.count(method) == 1
        assert telegram.accepted == 1


def test_a_short_flood_wait_is_slept(account: Account, telegram: MtprotoStandIn, channel: Channel) -> None:
    telegram.fail("messages.getHistory", "FLOOD_WAIT_1")
    assert account.texts(f"c/{channel.id}") == ["one"]


def test_a_short_flood_wait_that_comes_again_is_no_problem_to_show(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    telegram.fail("messages.getHistory", "FLOOD_WAIT_2", times=FOREVER)
    for _ in range(3):
        status, refusal = account.get("/page", channel=f"c/{channel.id}")
        assert (status, refusal["reason"]) == (503, "telegram_unavailable")
        assert 0 < refusal["retry_after"] <= 2


def test_a_flood_wait_of_one_method_leaves_the_others(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    telegram.channel("Open", username="open_news", member=False)
    telegram.fail("contacts.resolveUsername", "FLOOD_WAIT_3000")
    assert account.refusal("/page", channel="open_news") == (503, "account_waits")
    assert account.texts(f"c/{channel.id}") == ["one"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("SESSION_REVOKED", "it was logged out"),
        ("AUTH_KEY_DUPLICATED", "it was used from two places at once"),
        ("USER_DEACTIVATED_BAN", "the account is banned"),
    ],
)
def test_an_ended_session_is_told_once_and_nothing_more_is_asked(
    account: Account, telegram: MtprotoStandIn, channel: Channel, error: str, why: str
) -> None:
    account.page(f"c/{channel.id}")
    telegram.revoke(error)

    def refused() -> bool:
        return account.refusal("/page", channel=f"c/{channel.id}", before=5) == (503, "account_logged_out")

    eventually(refused)
    asked, accepted = len(telegram.calls), telegram.accepted
    for _ in range(5):
        assert refused()
    assert (len(telegram.calls), telegram.accepted) == (asked, accepted)
    told = [(level, text) for level, text, facts in account.reports if facts]
    assert told == [
        (
            Level.ERROR,
            f"Telegram has ended the account's session ({why}): log in again with `make account`",
        )
    ]


def test_a_406_about_what_was_asked_for_does_not_end_the_session(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    telegram.fail("messages.getHistory", "NEW_KIND_OF_REFUSAL", code=406)
    assert account.refusal("/page", channel=f"c/{channel.id}") == (503, "telegram_unavailable")
    assert account.texts(f"c/{channel.id}") == ["one"]
    assert not [text for _, text, facts in account.reports if facts]


@pytest.mark.parametrize("error", ["SESSION_REVOKED", "AUTH_KEY_DUPLICATED"])
def test_a_session_that_ended_before_the_start_is_told_as_such(
    telegram: MtprotoStandIn, tmp_path: Path, error: str
) -> None:
    session = telegram.session_string()
    telegram.revoke(error)
    with account_of(telegram, tmp_path, session) as account:
        eventually(lambda: account.refusal("/page", channel="c/1") == (503, "account_logged_out"))
        assert len(telegram.calls) < 5


def test_a_key_that_telegram_does_not_know_is_an_ended_session(tmp_path: Path) -> None:
    with MtprotoStandIn() as other:
        session = other.session_string()
        port = other.port
    with MtprotoStandIn(port=port) as telegram, account_of(telegram, tmp_path, session) as account:
        eventually(lambda: account.refusal("/page", channel="c/1") == (503, "account_logged_out"))
        assert telegram.accepted < 5


def test_connections_closed_at_once_are_not_opened_again_without_a_pause(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(f"c/{channel.id}")
    before = telegram.accepted
    telegram.refuses_connections = True
    telegram.drop_connections()

    eventually(lambda: telegram.accepted - before >= 2)
    assert telegram.accepted - before < 4

    telegram.heal()
    channel.post("two")
    assert account.texts(f"c/{channel.id}") == ["one", "two"]


def test_an_internal_error_of_telegram_is_left_to_the_next_poll(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    telegram.fail("messages.getHistory", "RPC_CALL_FAIL", times=FOREVER)
    assert account.refusal("/page", channel=f"c/{channel.id}") == (503, "telegram_unavailable")
    assert telegram.count("messages.getHistory") <= 3
    telegram.heal()
    assert account.texts(f"c/{channel.id}") == ["one"]


def test_no_report_names_the_session(account: Account, telegram: MtprotoStandIn, channel: Channel) -> None:
    account.page(f"c/{channel.id}")
    telegram.revoke()
    account.get("/page", channel=f"c/{channel.id}", before=5)
    eventually(lambda: [facts for _, _, facts in account.reports if facts])
    said = str(account.reports) + str(account.get("/page", channel="c/1"))
    for secret in ("hash", telegram.me.phone, "1AgAOMTI3"):
        assert secret not in said


def test_a_poll_of_an_unchanged_channel_asks_telegram_nothing(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(f"c/{channel.id}")
    asked = len(telegram.calls)
    for _ in range(50):
        account.page(f"c/{channel.id}")
    assert len(telegram.calls) == asked
