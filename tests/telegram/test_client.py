"""What is fetched from whom, how much of it, and what each failure is called."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from responses import RequestsMock

from disgram.errors import (
    ChannelNotFound,
    MediaUnavailable,
    PageNotUnderstood,
    Stopping,
    TelegramUnavailable,
)
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.client import PAGE_BYTES, SPOOL_BYTES, TelegramClient
from disgram.telegram.egress.direct import open_egress
from disgram.telegram.egress.throttle import TelegramThrottle
from disgram.telegram.media_budget import BYTES_PER_SECOND, POST_SECONDS, MediaBudget
from standins.telegram.media_files import sample
from tests.builders.discord_clock import Clock

PAGE = "https://t.me/s/durov"


class Waiting:
    """A wait that lets the simulated clock run."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wait(clock: Clock) -> Waiting:
    return Waiting(clock)


@pytest.fixture
def web() -> Iterator[RequestsMock]:
    """Of several answers to one request the last one stays."""
    with RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make(tmp_path: Path, clock: Clock, wait: Waiting) -> Callable[..., TelegramClient]:
    def client(base: str = "https://t.me", rate: float = 2.0) -> TelegramClient:
        store = LimitStore(tmp_path / "limits.db", boot="test")
        return TelegramClient(base, open_egress(store, rate, wait, clock=clock))

    return client


def test_page_is_requested_before_a_post_number(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    web.get(PAGE, "<html>новости</html>")
    assert make().page("durov") == "<html>новости</html>"
    make().page("durov", before=21)
    assert web.calls[1].request.url == f"{PAGE}?before=21"
    assert "Disgram" in web.calls[0].request.headers["User-Agent"]


def test_landing_page_behind_a_redirect_is_returned(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    web.get(PAGE, status=302, headers={"Location": "https://t.me/durov"})
    web.get("https://t.me/durov", "landing")
    assert make().page("durov") == "landing"


def test_redirect_to_another_host_is_not_followed(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    web.get(PAGE, status=302, headers={"Location": "https://blocked.example/notice"})
    with pytest.raises(PageNotUnderstood, match=r"blocked\.example"):
        make().page("durov")
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/durov", "https://t.me/durov"),
        ("//t.me/durov", "https://t.me/durov"),
        ("?embed=1", f"{PAGE}?embed=1"),
        ("/%D0%B0?b#c", "https://t.me/%D0%B0?b#c"),
        ("/а".encode().decode("latin-1"), "https://t.me/а"),  # as http.client reads a head
    ],
)
def test_redirect_on_the_same_host_is_followed(
    make: Callable[..., TelegramClient], web: RequestsMock, location: str, asked: str
) -> None:
    web.get(PAGE, status=302, headers={"Location": location})
    web.get(asked, "landing")
    assert make().page("durov") == "landing"


@pytest.mark.parametrize(
    "location",
    [
        "//evil.example", "https://[", "https://[::1", "https://t.me:x/", "https://t.me\u2100/", "mailto:a@b",
        "https://" + "x" * 60_000, "/\xff", "https://evil.example\\.t.me/", "https://evil.example\\@t.me/",
        "https://me@t.me/", "https://evil%2eexample/", "https://t.me\u3002/", "https://\u24e3.me/",
    ],
)  # fmt: skip
def test_redirect_to_an_unusable_location_is_not_followed(
    make: Callable[..., TelegramClient], web: RequestsMock, location: str
) -> None:
    web.get(PAGE, status=302, headers={"Location": location})
    with pytest.raises(PageNotUnderstood, match="another host") as caught:
        make().page("durov")
    assert len(str(caught.value)) < 200
    assert len(web.calls) == 1
    web.get("https://t.me/a.jpg", status=302, headers={"Location": location})
    with pytest.raises(MediaUnavailable, match="host") as refused:
        make().media("https://t.me/a.jpg", 100, MediaBudget())
    assert len(str(refused.value)) < 200


def test_circle_of_redirects_ends(make: Callable[..., TelegramClient], web: RequestsMock) -> None:
    web.get(PAGE, status=302, headers={"Location": PAGE})
    with pytest.raises(PageNotUnderstood, match="circle"):
        make().page("durov")


@pytest.mark.parametrize("status", [403, 404, 500, 502, 429])
def test_page_status_other_than_200_may_be_tried_again(
    make: Callable[..., TelegramClient], web: RequestsMock, status: int
) -> None:
    web.get(PAGE, status=status)
    with pytest.raises(TelegramUnavailable, match=str(status)):
        make().page("durov")


def test_failed_request_may_be_tried_again(make: Callable[..., TelegramClient], web: RequestsMock) -> None:
    web.get(PAGE, body=requests.ReadTimeout())
    with pytest.raises(TelegramUnavailable, match="no answer within the time limit"):
        make().page("durov")


def test_page_that_is_too_large_is_given_up(make: Callable[..., TelegramClient], web: RequestsMock) -> None:
    web.get(PAGE, b"x" * (PAGE_BYTES + 1))
    with pytest.raises(PageNotUnderstood):
        make().page("durov")


# --- pace ---------------------------------------------------------------------------------------


def test_all_workers_together_keep_the_request_rate(
    make: Callable[..., TelegramClient], web: RequestsMock, wait: Waiting, clock: Clock
) -> None:
    web.get(PAGE, "page")
    began = clock.now
    clients = [make(rate=4.0) for _ in range(3)]
    for number in range(9):
        clients[number % 3].page("durov")
    assert clock.now - began == pytest.approx(8 / 4.0)


def test_429_makes_all_workers_pause(
    make: Callable[..., TelegramClient], web: RequestsMock, wait: Waiting, clock: Clock
) -> None:
    web.get(PAGE, status=429, headers={"Retry-After": "30"})
    web.get(PAGE, "page")
    first, other = make(), make()
    began = clock.now
    with pytest.raises(TelegramUnavailable) as caught:
        first.page("durov")
    assert caught.value.retry_after == 30.0
    other.page("durov")
    assert clock.now - began >= 30.0


def test_pause_does_not_end_in_a_burst(tmp_path: Path, clock: Clock) -> None:
    store = LimitStore(tmp_path / "limits.db", boot="test")
    turns: list[float] = []

    def wait_and_be_told_to_rest(seconds: float) -> None:
        if not turns:
            turns.append(-1.0)
            throttle.rest(10.0)
        clock.now += seconds

    throttle = TelegramThrottle(store, 1.0, wait_and_be_told_to_rest, clock)
    throttle.turn()
    began = clock.now
    throttle.turn()  # told to rest while it waits
    assert clock.now - began >= 10.0
    after = clock.now
    throttle.turn()
    assert clock.now - after == pytest.approx(1.0)


# --- media --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn4.telesco.pe/file/a.jpg",
        "https://cdn1.telegram-cdn.org/file/a.jpg?token=x",
        "https://cdn5.cdn-telegram.org/file/a.jpg",
        "https://telegram.org/img/a.png",
    ],
)
def test_file_is_fetched_from_telegrams_hosts(
    make: Callable[..., TelegramClient], web: RequestsMock, url: str
) -> None:
    web.get(url, b"\xff\xd8data", content_type="image/jpeg; charset=x")
    download = make().media(url, 100, MediaBudget())
    with download.file as file:
        file.seek(0)
        assert file.read() == b"\xff\xd8data"
    assert (download.fetched.size, download.fetched.content_type) == (6, "image/jpeg")


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn4.telesco.pe/file/a.jpg",
        "https://evil.example/file/a.jpg",
        "https://telesco.pe.evil.example/a.jpg",
        "https://eviltelesco.pe/a.jpg",
        "https://user@telesco.pe/a.jpg",
        "https://telesco.pe:8443/a.jpg",
        "https://127.0.0.1/a.jpg",
        "https://[::1]/a.jpg",
        "file:///etc/passwd",
        "ftp://telegram.org/a",
        "//telesco.pe/a.jpg",
        "https://[",
        "https://telesco.pe:x/a.jpg",
        "https://telesco.pe:99999/a.jpg",
        "https://telesco.pe\u2100/a.jpg",
        "",
        r"https://localhost\.t.me/a.jpg",
        r"https://127.0.0.1\.telegram.org/a.jpg",
        r"https://[::1]\.telegram.org/a.jpg",
        r"https://localhost\@t.me/a.jpg",
        r"https:\\localhost\.t.me/a.jpg",
        "https://localhost#.t.me/a.jpg",
        "https://localhost?.t.me/a.jpg",
        "https://localhost:443\\.t.me/a.jpg",
        "https://localhost%2f.t.me/a.jpg",
        "https://localhost%00.t.me/a.jpg",
        "https://localhost\t.t.me/a.jpg",
        "https://localhost\n/.t.me/a.jpg",
        "https://localhost .t.me/a.jpg",
        "https://localhost\x00.t.me/a.jpg",
        "https://localhost;.t.me/a.jpg",
        "https://localhost\u2044.t.me/a.jpg",
        "https://localhost\uff0f.t.me/a.jpg",
        "https://cdn\u3002t.me/a.jpg",
        "https://user:@t.me/a.jpg",
        "https://@t.me/a.jpg",
        "https://t.me:0/a.jpg",
        "https://t.me:443\uff11/a.jpg",
        "https://.t.me/a.jpg",
        " https://t.me/a.jpg",
    ],
)
def test_file_is_not_fetched_from_other_hosts(
    make: Callable[..., TelegramClient], web: RequestsMock, url: str
) -> None:
    with pytest.raises(MediaUnavailable, match="host"):
        make().media(url, 100, MediaBudget())
    assert len(web.calls) == 0


def test_redirect_of_a_file_to_another_host_is_not_followed(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    web.get("https://t.me/a.jpg", status=302, headers={"Location": "http://169.254.169.254/secret"})
    with pytest.raises(MediaUnavailable, match="host"):
        make().media("https://t.me/a.jpg", 100, MediaBudget())
    assert len(web.calls) == 1


def test_redirect_that_looks_like_telegrams_to_one_parser_is_not_followed(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    """requests connects to localhost, though urllib reads a name that ends with .t.me."""
    web.get("https://t.me/a.jpg", status=302, headers={"Location": r"https://localhost\.t.me/secret"})
    web.get("https://localhost/%5C.t.me/secret", b"secret")
    with pytest.raises(MediaUnavailable, match="host"):
        make().media("https://t.me/a.jpg", 100, MediaBudget())
    assert len(web.calls) == 1


@pytest.mark.parametrize("path", ["/a b.jpg", "/a\\b.jpg", "?a@b", "/\u0430.jpg"])
def test_unusual_path_on_a_host_of_telegrams_is_fetched(
    make: Callable[..., TelegramClient], web: RequestsMock, path: str
) -> None:
    web.get(re.compile("https://cdn4[.]telesco[.]pe:443/.+"), b"x")
    make().media(f"https://CDN4.telesco.pe:443{path}", 100, MediaBudget()).file.close()
    assert len(web.calls) == 1


def test_file_is_fetched_from_the_host_of_the_mirror(
    make: Callable[..., TelegramClient], web: RequestsMock
) -> None:
    web.get("http://127.0.0.1:9999/a.jpg", b"x")
    make("http://127.0.0.1:9999").media("http://127.0.0.1:9999/a.jpg", 100, MediaBudget()).file.close()


def test_file_too_large_is_refused_by_its_length_or_while_it_is_read(
    make: Callable[..., TelegramClient],
    web: RequestsMock,
) -> None:
    web.get("https://telesco.pe/a", b"x" * 101, headers={"Content-Length": "101"})
    with pytest.raises(MediaUnavailable, match="MAX_UPLOAD_MB"):
        make().media("https://telesco.pe/a", 100, MediaBudget())
    web.get("https://telesco.pe/b", b"x" * 101)
    with pytest.raises(MediaUnavailable, match="MAX_UPLOAD_MB"):
        make().media("https://telesco.pe/b", 100, MediaBudget())


def test_sigterm_ends_a_download(tmp_path: Path, clock: Clock, wait: Waiting, web: RequestsMock) -> None:
    def stop() -> None:
        raise Stopping

    web.get("https://telesco.pe/a", b"x" * 10)
    store = LimitStore(tmp_path / "limits.db", boot="test")
    client = TelegramClient("https://t.me", open_egress(store, 2.0, wait, check=stop, clock=clock))
    with pytest.raises(Stopping):
        client.media("https://telesco.pe/a", 100, MediaBudget())


def test_no_room_for_a_large_file_makes_it_a_link(web: RequestsMock, tmp_path: Path, clock: Clock) -> None:
    """A full disk, or a folder that cannot be written: the post goes on without the file."""
    egress = open_egress(LimitStore(tmp_path / "limits.db", boot="test"), 2.0, Waiting(clock), clock=clock)
    client = TelegramClient("https://t.me", egress, spool_folder=tmp_path / "nowhere")
    web.get("https://cdn4.telesco.pe/file/a.mp4", b"x" * (SPOOL_BYTES + 1))
    with pytest.raises(MediaUnavailable, match="No such file"):
        client.media("https://cdn4.telesco.pe/file/a.mp4", 10**7, MediaBudget())


def test_large_files_lie_in_the_data_directory_and_need_no_folder_for_temporary_files(
    web: RequestsMock, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    egress = open_egress(LimitStore(tmp_path / "limits.db", boot="test"), 2.0, Waiting(clock), clock=clock)
    client = TelegramClient("https://t.me", egress, spool_folder=tmp_path)
    web.get("https://cdn4.telesco.pe/file/a.mp4", b"x" * (SPOOL_BYTES + 1))
    download = client.media("https://cdn4.telesco.pe/file/a.mp4", 10**7, MediaBudget())
    assert download.fetched.size == SPOOL_BYTES + 1
    assert {path.suffix for path in tmp_path.iterdir()} <= {".db", ".db-wal", ".db-shm"}
    download.file.close()


def test_file_that_drips_ends_with_the_time_of_its_post(
    web: RequestsMock, make: Callable[..., TelegramClient]
) -> None:
    """Every look at the clock takes 50 s: the first chunk comes in time, and none after it."""
    ticks = iter(range(0, 1000, 50))
    budget = MediaBudget(lambda: float(next(ticks)))
    web.get("https://telesco.pe/a", b"x" * 10)
    make().media("https://telesco.pe/a", 100, budget).file.close()
    for _ in range(2):
        with pytest.raises(MediaUnavailable, match="too slowly"):
            make().media("https://telesco.pe/a", 100, budget)
    assert len(web.calls) == 1


def test_what_has_come_earns_a_post_more_time(clock: Clock) -> None:
    budget = MediaBudget(clock)
    budget.earn(50 * BYTES_PER_SECOND)
    clock.now += POST_SECONDS + 49
    assert not budget.used_up
    clock.now += 1
    assert budget.used_up


@pytest.mark.parametrize(
    ("family", "body", "content_type"),
    [
        ("image", b"", "image/jpeg"),
        ("", b"", "application/octet-stream"),
        ("image", b"<html><body>Sorry</body></html>", "image/jpeg"),
        ("image", b'{"error": "busy"}', "application/json"),
        ("video", b"\n<!DOCTYPE html><html>", "text/html"),
        ("video", b"try again later", "video/mp4"),
        ("audio", b'{"error": "busy"}', "audio/ogg"),
        ("", b"<html>", "text/html"),
        ("video", b"\xff\xd8\xff\xe0 a picture", "video/mp4"),
        ("image", b"Forbidden", "text/plain"),
        ("image", b"404", "image/jpeg"),
        ("image", "Доступ запрещён".encode(), "image/jpeg"),
        ("image", b"%PDF-1.7\n\xe2\xe3", "image/jpeg"),
        ("image", b"\0\0\0\x18ftypmp42\0\0", "image/jpeg"),
        ("image", bytes(3000), "image/jpeg"),
        ("image", b"\x1f\x8b\x08\0\0\xff", "image/jpeg"),
    ],
)
def test_file_without_the_bytes_of_its_kind_is_tried_again(
    make: Callable[..., TelegramClient], web: RequestsMock, family: str, body: bytes, content_type: str
) -> None:
    web.get("https://telesco.pe/a", body, content_type=content_type)
    with pytest.raises(TelegramUnavailable):
        make().media("https://telesco.pe/a", 10**6, MediaBudget(), family)


@pytest.mark.parametrize(
    "name", ["sky-640x400.jpg", "film.mp4", "speech.ogg", "gull.webp", "gull.webm", "gull.tgs"]
)
def test_file_of_its_kind_is_taken(make: Callable[..., TelegramClient], web: RequestsMock, name: str) -> None:
    family = {"jpg": "image", "mp4": "video", "ogg": "audio"}.get(name.rpartition(".")[2], "")
    body = sample(name)
    web.get("https://telesco.pe/a", body)
    download = make().media("https://telesco.pe/a", 10**7, MediaBudget(), family)
    with download.file as file:
        file.seek(0)
        assert (file.read(), download.fetched.size) == (body, len(body))


def test_too_many_requests_for_files_do_not_hold_up_pages(
    make: Callable[..., TelegramClient], web: RequestsMock, clock: Clock
) -> None:
    client = make()
    web.get("https://telesco.pe/a", status=429, headers={"Retry-After": "60"})
    web.get(PAGE, "page")
    began = clock.now
    for _ in range(3):
        with pytest.raises(TelegramUnavailable):
            client.media("https://telesco.pe/a", 100, MediaBudget())
    assert len(web.calls) == 1
    assert client.page("durov") == "page"
    assert clock.now - began < 1
    clock.now += 60
    web.replace("GET", "https://telesco.pe/a", b"\xff\xd8")
    client.media("https://telesco.pe/a", 100, MediaBudget()).file.close()


# --- the names of t.me --------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["telegram.me", "telegram.dog", "t.me"])
def test_redirect_to_another_name_of_t_me_is_followed(
    make: Callable[..., TelegramClient], web: RequestsMock, host: str
) -> None:
    base = "https://telegram.me" if host == "t.me" else "https://t.me"
    web.get(f"{base}/s/durov", status=302, headers={"Location": f"https://{host}/s/durov"})
    web.get(f"https://{host}/s/durov", "page")
    assert make(base).page("durov") == "page"


@pytest.mark.parametrize("target", ["https://telegram.org/", "//telegram.org", "https://www.telegram.org/"])
def test_name_redirected_to_telegram_org_is_nobodys(
    make: Callable[..., TelegramClient], web: RequestsMock, target: str
) -> None:
    web.get(PAGE, status=302, headers={"Location": target})
    with pytest.raises(ChannelNotFound):
        make().page("durov")
    assert len(web.calls) == 1
