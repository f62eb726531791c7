"""A worker's side of the account: pages, refusals and files over the socket, without Telethon."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from disgram.addresses import ChannelRef
from disgram.errors import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    MediaUnavailable,
    PageNotUnderstood,
    Stopping,
    TelegramError,
    TelegramUnavailable,
)
from disgram.post import ChannelPage, Media, MediaFile, MediaKind, PostSlice, TelegramPost, plain
from disgram.telegram.account.choice import choose_reader, with_files_of_account
from disgram.telegram.account.client import AccountClient, refused
from disgram.telegram.account.files import STARTS_WITHIN, AccountFiles, Files
from disgram.telegram.account.reader import START_SECONDS, AccountReader, page_of
from disgram.telegram.account.session import SOCKET
from disgram.telegram.channel import PAGE_TRIES
from disgram.telegram.client import Download
from disgram.telegram.media_budget import MediaBudget
from disgram.telegram.page import published_at
from tests.builders.account_server import PUBLISHED, AccountServer, refusal
from tests.builders.delivery_fakes import Said

PRIVATE = "c/77"
SONG = "account:harbour/5/file"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AccountServer]:
    with AccountServer(tmp_path).running() as server:
        yield server


def client(folder: Path, check: Callable[[], None] = lambda: None, timeout: float = 5.0) -> AccountClient:
    return AccountClient(folder / SOCKET, timeout, check)


def reader(folder: Path, channel: str = PRIVATE) -> AccountReader:
    return AccountReader(client(folder), channel, report=Said(), wait=lambda _: None)


# --- pages --------------------------------------------------------------------------------------


def test_page_of_the_account_has_the_form_of_a_preview(server: AccountServer, tmp_path: Path) -> None:
    for number in range(1, 31):
        server.write(PRIVATE, number, f"words {number}")
    read = reader(tmp_path)
    page = read.read()
    assert ([one.id for one in page.slices], page.older, page.title) == ([*range(11, 31)], 11, "Harbour")
    assert page.channel_id == -77  # as t.me's pages have it
    assert published_at(page.slices[0]) == PUBLISHED.timestamp()
    post = read.parse(page.slices[-1], page)
    assert (post.url, post.date) == ("https://t.me/c/77/30", PUBLISHED)
    older = read.read(11)
    assert ([one.id for one in older.slices], older.older, read.asked) == ([*range(1, 11)], None, 11)


def test_folder_with_a_path_longer_than_a_sockets_may_be(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    with AccountServer(folder).running() as server:
        server.write(PRIVATE, 1, "words")
        assert reader(folder).read().slices[0].id == 1


def test_authors_picture_at_an_address_of_the_account_is_left_out(
    server: AccountServer, tmp_path: Path
) -> None:
    post = TelegramPost(PRIVATE, 1, (1,), "Ann", (), photo_url="account:c/77/1/author")
    server.put(post, "1")
    server.put(replace(post, id=2, ids=(2,), photo_url="https://t.me/i/userpic/320/ann.jpg"), "2")
    read = reader(tmp_path)
    page = read.read()
    pictures = [read.parse(one, page).photo_url for one in page.slices]
    assert pictures == [None, "https://t.me/i/userpic/320/ann.jpg"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (404, refusal("not_a_member"), ChannelHasNoPreview, "not_a_member"),
        (404, refusal("channel_private"), ChannelHasNoPreview, "channel_private"),
        (404, refusal("content_protected"), ChannelHasNoPreview, "content_protected"),
        (404, refusal("channel_not_found"), ChannelNotFound, "channel_not_found"),
        (503, refusal("account_logged_out"), AccountUnavailable, "account_logged_out"),
        (503, refusal("account_waits", seconds=90), AccountUnavailable, "account_waits"),
        (503, refusal("telegram_unavailable"), TelegramUnavailable, "telegram_unavailable"),
        (400, {"reason": 5}, TelegramUnavailable, "telegram_unavailable"),
    ],
)
def test_each_refusal_of_the_account_is_an_error_with_its_reason(
    server: AccountServer,
    tmp_path: Path,
    status: int,
    body: dict[str, object],
    kind: type[TelegramError],
    reason: str,
) -> None:
    server.refusals["/page"] = (status, body)
    with pytest.raises(kind) as error:
        reader(tmp_path).read()
    assert error.value.reason == reason
    if isinstance(error.value, AccountUnavailable):
        assert error.value.lasts == body["retry_after"]


def test_account_that_waits_is_asked_once_and_an_outage_is_tried_again(
    server: AccountServer, tmp_path: Path
) -> None:
    read = reader(tmp_path)
    server.refusals["/page"] = (503, refusal("account_waits", seconds=90))
    with pytest.raises(AccountUnavailable):
        read.read()
    assert len(server.asked) == 1
    server.refusals["/page"] = (503, refusal("telegram_unavailable"))
    with pytest.raises(TelegramUnavailable):
        read.read()
    assert len(server.asked) == 5


def test_first_page_waits_for_a_process_that_is_starting_without_a_line(tmp_path: Path) -> None:
    said, waited, started = Said(), 0, AccountServer(tmp_path)

    def wait(seconds: float) -> None:
        nonlocal waited
        waited += 1
        if waited == 2:
            (tmp_path / "later.sock").rename(tmp_path / SOCKET)

    (tmp_path / SOCKET).rename(tmp_path / "later.sock")
    with started.running():
        started.write(PRIVATE, 1, "words")
        page = AccountReader(client(tmp_path), PRIVATE, report=said, wait=wait).read()
    assert ([one.id for one in page.slices], waited, said.lines) == ([1], 2, [])


def test_worker_waits_its_turn_without_a_line(server: AccountServer, tmp_path: Path) -> None:
    said, waited = Said(), list[float]()
    server.write(PRIVATE, 1, "words")
    server.refusals["/page"] = (503, refusal("telegram_unavailable", "too much to read", seconds=15.5))

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 8:
            server.refusals.clear()

    page = AccountReader(client(tmp_path), PRIVATE, report=said, wait=wait).read()
    assert ([one.id for one in page.slices], waited, said.lines) == ([1], [15.5] * 8, [])


def test_turn_that_never_comes_is_an_outage(server: AccountServer, tmp_path: Path) -> None:
    waited: list[float] = []
    server.refusals["/page"] = (503, refusal("telegram_unavailable", "too much to read", seconds=100))
    with pytest.raises(TelegramUnavailable, match="too much to read"):
        AccountReader(client(tmp_path), PRIVATE, report=Said(), wait=waited.append).read()
    assert waited[:6] == [100] * 6 and len(server.asked) < 40


def test_outage_at_the_start_is_reported_after_the_tries_of_one_poll(
    server: AccountServer, tmp_path: Path
) -> None:
    server.refusals["/page"] = (503, refusal("telegram_unavailable", "not connected"))
    with pytest.raises(TelegramUnavailable, match="not connected"):
        reader(tmp_path).read()
    assert len(server.asked) == PAGE_TRIES


def test_first_page_is_given_up_when_the_process_never_starts(tmp_path: Path) -> None:
    waited: list[float] = []
    with pytest.raises(TelegramUnavailable):
        AccountReader(client(tmp_path), PRIVATE, report=Said(), wait=waited.append).read()
    assert waited[:START_SECONDS] == [1.0] * START_SECONDS
    assert len(waited) == START_SECONDS + PAGE_TRIES - 1


def test_process_that_does_not_run_is_telegram_unavailable(tmp_path: Path) -> None:
    with pytest.raises(TelegramUnavailable, match="does not run yet"):
        client(tmp_path).page(PRIVATE)


def test_without_an_account_a_private_channel_is_account_missing(tmp_path: Path) -> None:
    read = AccountReader(None, PRIVATE, report=Said(), wait=lambda _: None)
    with pytest.raises(AccountUnavailable) as error:
        read.read()
    assert error.value.reason == "account_missing"


def test_worker_that_waits_for_the_account_ends_when_asked(server: AccountServer, tmp_path: Path) -> None:
    def stop() -> None:
        raise Stopping

    server.release.clear()
    with pytest.raises(Stopping):
        client(tmp_path, stop).page(PRIVATE)


def test_silent_process_is_given_up_after_the_timeout(server: AccountServer, tmp_path: Path) -> None:
    server.release.clear()
    with pytest.raises(TelegramUnavailable, match="not answered in time"):
        client(tmp_path, timeout=0.05).page(PRIVATE)


@pytest.mark.parametrize(
    "change",
    [
        {"posts": None}, {"posts": [{}]}, {"older": "x"}, {"title": ...},
        {"posts": [{"id": 1, "ids": [], "fingerprint": "", "service": 0, "protected": 0, "post": "{}"}]},
        {"posts": [{"id": 1, "ids": [2, 1], "fingerprint": "", "service": 0, "protected": 0, "post": "{}"}]},
    ],
)  # fmt: skip
def test_page_of_another_form_is_not_understood(change: dict[str, object]) -> None:
    page = {"channel": "c/1", "title": "", "description": "", "channel_id": 1, "older": None, "posts": []}
    assert page_of(page).slices == ()
    with pytest.raises(PageNotUnderstood):
        page_of({name: value for name, value in (page | change).items() if value is not ...})


def test_file_waits_for_a_process_that_starts_again(tmp_path: Path) -> None:
    started, waited = AccountServer(tmp_path), list[float]()
    started.files[SONG] = b"la la"
    (tmp_path / SOCKET).rename(tmp_path / "later.sock")

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 5:
            (tmp_path / "later.sock").rename(tmp_path / SOCKET)

    with started.running():
        files = AccountFiles(client(tmp_path), tmp_path, wait)
        with files.media(SONG, 100, MediaBudget()).file as file:
            assert file.read() == b"la la"
    assert waited == [1.0] * 5


def test_files_do_not_wait_again_for_a_process_that_does_not_come(tmp_path: Path) -> None:
    waited: list[float] = []
    files = AccountFiles(client(tmp_path), tmp_path, waited.append)
    for _ in range(3):
        with pytest.raises(TelegramUnavailable, match="does not run yet"):
            files.media(SONG, 100, MediaBudget())
    assert waited == [1.0] * STARTS_WITHIN


def test_refusal_that_is_no_json_is_an_outage() -> None:
    assert isinstance(refused(b"<html>"), TelegramUnavailable)
    assert isinstance(refused(b"[]"), TelegramUnavailable)


# --- files --------------------------------------------------------------------------------------


def fetch(folder: Path, address: str, most: int = 10**6) -> Download:
    return AccountFiles(client(folder), folder).media(address, most, MediaBudget())


def test_file_of_the_account_is_spooled_with_its_type(server: AccountServer, tmp_path: Path) -> None:
    server.files[SONG] = bytes(range(256)) * 3000
    download = fetch(tmp_path, SONG)
    download.file.seek(0)
    assert download.file.read() == server.files[SONG]
    assert download.fetched == MediaFile(768_000, "audio/mpeg")
    download.file.close()


def test_text_file_of_the_account_is_taken_as_it_is(server: AccountServer, tmp_path: Path) -> None:
    server.files[SONG] = b"plain words of a document"
    fetch(tmp_path, SONG).file.close()


@pytest.mark.parametrize(
    "reason", ["account_waits", "account_logged_out", "content_protected", "not_a_member"]
)
def test_post_waits_for_no_account_because_of_a_file(
    server: AccountServer, tmp_path: Path, reason: str
) -> None:
    server.refusals["/file"] = (503, refusal(reason))
    with pytest.raises(MediaUnavailable):
        fetch(tmp_path, SONG)


def test_file_that_is_gone_or_too_large_becomes_a_link(server: AccountServer, tmp_path: Path) -> None:
    server.files[SONG] = b"x" * 100
    for address, most in (("account:harbour/6/file", 100), (SONG, 99)):
        with pytest.raises(MediaUnavailable):
            fetch(tmp_path, address, most)


def test_file_that_breaks_off_is_worth_another_try(server: AccountServer, tmp_path: Path) -> None:
    server.files[SONG] = b"x" * 300_000
    server.cut_off_at = 100_000
    with pytest.raises(TelegramUnavailable):
        fetch(tmp_path, SONG)


def test_addresses_of_the_web_are_left_to_the_client_of_t_me(tmp_path: Path) -> None:
    class Web:
        def media(self, url: str, max_bytes: int, budget: MediaBudget, family: str = "") -> Download:
            return Download(io.BytesIO(url.encode()), MediaFile(1, family))

    files = Files(Web(), AccountFiles(None, tmp_path))  # type: ignore[arg-type]
    assert files.media("https://t.me/x.jpg", 1, MediaBudget(), "image").fetched.content_type == "image"
    with pytest.raises(MediaUnavailable, match="none is logged in"):
        files.media(SONG, 1, MediaBudget())


# --- who reads ----------------------------------------------------------------------------------


class Preview:
    """t.me's answer is `error`, or a page with one post."""

    not_understood = 3

    def __init__(self, error: TelegramError | None = None) -> None:
        self.error = error
        self.asked: int | None = None
        self.reads = 0

    def read(self, before: int | None = None) -> ChannelPage:
        self.reads += 1
        if self.error:
            raise self.error
        return ChannelPage("harbour", "Harbour", None, (PostSlice(5, (5,), "<p>", "f"),))

    def parse(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        song = Media(MediaKind.AUDIO, "https://t.me/harbour/5?single", name="song.mp3")
        shown = Media(MediaKind.PHOTO, "https://t.me/harbour/5", url="https://t.me/x.jpg")
        return TelegramPost("harbour", 5, (5,), "Harbour", (song, shown))


def test_public_channel_stays_on_the_preview_and_its_missing_files_come_from_the_account(
    server: AccountServer, tmp_path: Path
) -> None:
    read = choose_reader(
        ChannelRef("harbour"), Preview(), client(tmp_path), report=Said(), wait=lambda _: None
    )
    page = read.read()
    song, photo = read.parse(page.slices[0], page).media
    assert (song.url, song.account_url) == (None, SONG)
    assert (photo.url, photo.account_url) == ("https://t.me/x.jpg", None)
    assert (server.asked, read.not_understood) == ([], 3)


def test_channel_without_preview_is_read_through_the_account(server: AccountServer, tmp_path: Path) -> None:
    server.write("harbour", 1, "for members")
    preview, said = Preview(ChannelHasNoPreview("a group")), Said()
    read = choose_reader(ChannelRef("harbour"), preview, client(tmp_path), report=said, wait=lambda _: None)
    page = read.read()
    assert plain(read.parse(page.slices[0], page).blocks[0].runs) == "for members"  # type: ignore[union-attr]
    assert (read.read(), preview.reads) == (page, 1)
    assert said.count("the account reads this channel") == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, refusal("channel_not_found")), "no_preview"),
        ((404, refusal("not_a_member")), "no_preview"),
        ((404, refusal("content_protected")), "content_protected"),
        ((503, refusal("account_logged_out")), "account_logged_out"),
    ],
)
def test_preview_is_asked_again_where_the_account_does_not_read_either(
    server: AccountServer, tmp_path: Path, answer: tuple[int, dict[str, object]], reason: str
) -> None:
    server.refusals["/page"] = answer
    preview = Preview(ChannelHasNoPreview("a bot"))
    read = choose_reader(ChannelRef("harbour"), preview, client(tmp_path), report=Said(), wait=lambda _: None)
    for reads in (1, 2):
        with pytest.raises(TelegramError) as error:
            read.read()
        assert (error.value.reason, preview.reads) == (reason, reads)


def test_without_an_account_a_public_channel_is_left_to_the_preview() -> None:
    preview = Preview()
    assert choose_reader(ChannelRef("harbour"), preview, None, report=Said(), wait=lambda _: None) is preview


def test_file_on_another_channels_page_gets_no_address_of_the_account() -> None:
    song = Media(MediaKind.AUDIO, "https://t.me/other/5")
    post = TelegramPost("harbour", 5, (5,), "Harbour", (song,))
    assert with_files_of_account(post) == post
