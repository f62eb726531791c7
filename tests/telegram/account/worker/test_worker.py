"""The whole worker over the account: order, edits, deletions, protected messages, reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from disgram.addresses import ChannelRef
from disgram.post import Media, MediaKind
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT
from disgram.telegram.account.choice import choose_reader
from disgram.telegram.account.client import AccountClient
from disgram.telegram.account.files import AccountFiles, Files
from disgram.telegram.account.session import SOCKET
from tests.builders.account_server import AccountServer, refusal
from tests.builders.delivery_fakes import Bench

PRIVATE = "c/77"


class AccountBench(Bench):
    """A worker of a private channel; `account` False: nobody has logged in."""

    def __init__(self, folder: Path, *, account: bool = True, **settings: Any) -> None:
        self.account = AccountClient(folder / SOCKET, 5.0) if account else None
        super().__init__(folder, channel=PRIVATE, **settings)

    def reader_of(self, channel: ChannelRef) -> Any:
        return choose_reader(channel, self.reader, self.account, report=self.said, wait=self.wait)

    def files_of(self) -> Any:
        return Files(self.telegram, AccountFiles(self.account, self.folder))  # type: ignore[arg-type]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccountServer]:
    with AccountServer(tmp_path).running() as server:
        yield server


def test_posts_of_a_private_channel_arrive_in_order_with_its_address(
    server: AccountServer, tmp_path: Path
) -> None:
    for number in range(1, 31):
        server.write(PRIVATE, number, f"words {number}")
    bench = AccountBench(tmp_path, initial_posts=25)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(6, 31))
    urls = {payload["embeds"][0]["url"] for payload in bench.discord.shown.values()}
    assert "https://t.me/c/77/30" in urls
    assert bench.said.count("Forwarded https://t.me/c/77/30") == 1


def test_edit_and_deletion_in_a_private_channel_are_followed(server: AccountServer, tmp_path: Path) -> None:
    for number in range(1, 4):
        server.write(PRIVATE, number, f"words {number}")
    bench = AccountBench(tmp_path, follow_deletions="delete")
    bench.poll()
    server.write(PRIVATE, 3, "other words")
    server.posts[PRIVATE] = [post for post in server.posts[PRIVATE] if post["id"] != 2]
    bench.poll(3)
    assert bench.discord.texts == ["words 1", "other words"]


def test_file_of_a_private_channel_is_uploaded(server: AccountServer, tmp_path: Path) -> None:
    song = Media(MediaKind.AUDIO, "https://t.me/c/77/1", url="account:c/77/1/file", name="song.mp3")
    server.files["account:c/77/1/file"] = b"ID3" + bytes(1000)
    server.write(PRIVATE, 1, "a song", song)
    bench = AccountBench(tmp_path)
    bench.poll()
    assert list(bench.discord.files.values()) == [[server.files["account:c/77/1/file"]]]


def test_post_goes_at_once_with_a_link_while_the_account_waits(server: AccountServer, tmp_path: Path) -> None:
    song = Media(MediaKind.AUDIO, "https://t.me/c/77/1", url="account:c/77/1/file", name="song.mp3")
    server.write(PRIVATE, 1, "a song", song)
    server.refusals["/file"] = (503, refusal("account_waits", "wait", seconds=900))
    bench = AccountBench(tmp_path)
    assert bench.poll() == EXIT_OK
    assert "[song.mp3](https://t.me/c/77/1)" in bench.discord.texts[0]
    assert bench.waited == []


def test_protected_message_is_left_out_and_booked(server: AccountServer, tmp_path: Path) -> None:
    server.write(PRIVATE, 1, "words")
    server.write(PRIVATE, 2, "secret", protected=True)
    server.write(PRIVATE, 3, "words")
    bench = AccountBench(tmp_path)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 3]
    row = bench.ledger.post(2)
    assert row and row.state == "filtered"
    assert bench.said.count("https://t.me/c/77/2 is left out: its author forbids forwarding it") == 1
    assert "secret" not in f"{bench.discord.shown}"


def test_edit_that_protects_a_sent_message_changes_nothing(server: AccountServer, tmp_path: Path) -> None:
    server.write(PRIVATE, 1, "words")
    bench = AccountBench(tmp_path)
    bench.poll()
    server.write(PRIVATE, 1, "secret", protected=True)
    assert bench.poll() == EXIT_OK
    assert bench.discord.texts == ["words"]


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        ((404, refusal("not_a_member")), EXIT_PERMANENT, "not_a_member"),
        ((404, refusal("channel_private")), EXIT_PERMANENT, "channel_private"),
        ((404, refusal("content_protected")), EXIT_PERMANENT, "content_protected"),
        ((404, refusal("channel_not_found")), EXIT_PERMANENT, "channel_not_found"),
        ((503, refusal("account_logged_out")), EXIT_CRASH, "account_logged_out"),
        ((503, refusal("account_waits", seconds=90)), EXIT_CRASH, "account_waits"),
        ((503, refusal("telegram_unavailable")), EXIT_CRASH, "telegram_unavailable"),
    ],
)
def test_each_refusal_has_its_exit_code_and_reason_and_loses_no_post(
    server: AccountServer, tmp_path: Path, answer: tuple[int, dict[str, Any]], code: int, reason: str
) -> None:
    server.write(PRIVATE, 1, "words")
    bench = AccountBench(tmp_path)
    bench.poll()
    server.write(PRIVATE, 2, "words")
    server.refusals["/page"] = answer
    assert bench.poll() == code
    assert bench.said.facts["reason"] == reason
    assert bench.said.facts.get("lasts") == answer[1]["retry_after"]
    server.refusals.clear()
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2]


def test_account_that_waits_in_the_midst_of_older_pages_passes_no_post_over(
    server: AccountServer, tmp_path: Path
) -> None:
    server.write(PRIVATE, 1, "words 1")
    bench = AccountBench(tmp_path)
    bench.poll()
    for number in range(2, 62):
        server.write(PRIVATE, number, f"words {number}")
    server.refuses_older = refusal("account_waits", seconds=90)
    for _ in range(6):
        assert bench.poll() == EXIT_CRASH
    server.refuses_older = None
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(1, 62))


def test_private_channel_without_an_account_has_a_reason_and_is_asked_for_again(tmp_path: Path) -> None:
    bench = AccountBench(tmp_path, account=False)
    assert bench.poll() == EXIT_CRASH
    assert bench.said.facts["reason"] == "account_missing"
