"""The stand-in for t.me behaves as t.me does, and goes wrong when told to."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

import pytest
import requests
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.posts import KINDS
from standins.loopback import Fault
from standins.telegram import media_files
from standins.telegram import media_markup as media
from standins.telegram.faults import BLOCK_PAGE
from standins.telegram.media_markup import Item
from standins.telegram.server import TelegramStandIn
from standins.telegram.text_markup import (
    Piece,
    buttons,
    custom_emoji,
    esc,
    link_preview,
    post,
    service,
    text,
    words,
)


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as server:
        yield server


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        yield one


Fetch = Callable[..., BeautifulSoup]


@pytest.fixture
def page(telegram: TelegramStandIn, session: requests.Session) -> Fetch:
    def fetch(name: str, **cursor: int) -> BeautifulSoup:
        answer = session.get(f"{telegram.url}/s/{name}", params=cursor, allow_redirects=False, timeout=5)
        assert answer.status_code == 200
        return BeautifulSoup(answer.text, "lxml")

    return fetch


def numbers(soup: BeautifulSoup) -> list[int]:
    return [int(str(div["data-post"]).rpartition("/")[2]) for div in soup.select("[data-post]")]


# --- pages --------------------------------------------------------------------------------------


def test_a_page_holds_twenty_ids_and_leads_to_the_older_ones(telegram: TelegramStandIn, page: Fetch) -> None:
    channel = telegram.add_channel("demo")
    for number in range(45):
        channel.add(post(words(f"post {number}")))
    seen: list[list[int]] = []
    cursor: dict[str, int] = {}
    while True:
        soup = page("demo", **cursor)
        seen.append(numbers(soup))
        more = soup.select_one("a.js-messages_more[data-before]")
        prev = soup.select_one('link[rel="prev"]')
        if more is None:
            assert prev is None
            break
        assert prev is not None and prev["href"] == more["href"] == f"/s/demo?before={more['data-before']}"
        cursor = {"before": int(str(more["data-before"]))}
    assert seen == [list(range(26, 46)), list(range(6, 26)), list(range(1, 6))]


def test_an_album_uses_as_many_ids_as_it_has_items_but_is_one_post(
    telegram: TelegramStandIn, page: Fetch
) -> None:
    channel = telegram.add_channel("demo")
    for _ in range(15):
        channel.add(post(words("before")))
    album = channel.add(post(media.album(*(Item(f"{n}.jpg") for n in range(10))), words("caption")))
    last = channel.add(post(words("after")))
    assert (album, last) == (16, 26)
    assert numbers(page("demo")) == [*range(7, 17), 26]


def test_after_gives_the_oldest_posts_above_the_cursor(telegram: TelegramStandIn, page: Fetch) -> None:
    channel = telegram.add_channel("demo")
    for number in range(30):
        channel.add(post(words(str(number))))
    soup = page("demo", after=5)
    assert numbers(soup) == list(range(6, 26))
    assert soup.select_one("a.js-messages_more[data-after='25']")
    assert numbers(page("demo", after=30)) == []


def test_deleted_and_skipped_numbers_leave_gaps_that_are_never_used_again(
    telegram: TelegramStandIn, page: Fetch
) -> None:
    channel = telegram.add_channel("demo", next_number=500)
    first = channel.add(post(words("a")))
    channel.skip(3)
    second = channel.add(post(words("b")))
    channel.delete(second)
    third = channel.add(post(words("c")))
    assert numbers(page("demo")) == [first, third] == [500, 505]


def test_an_edit_says_so_and_keeps_the_date(telegram: TelegramStandIn, page: Fetch) -> None:
    channel = telegram.add_channel("demo")
    number = channel.add(post(words("before"), signature="Ann"))
    before = page("demo")
    channel.edit(number, post(words("after"), signature="Ann"))
    after = page("demo")
    time_before, time_after = (soup.select_one("a.tgme_widget_message_date time") for soup in (before, after))
    assert time_before is not None and time_before == time_after
    meta = after.select_one(".tgme_widget_message_meta")
    assert meta is not None and meta.get_text().startswith("Ann,\xa0edited")
    assert "after" in after.get_text() and "before" not in after.get_text()


def test_the_page_names_the_channel_in_its_own_case(telegram: TelegramStandIn, page: Fetch) -> None:
    telegram.add_channel("WalterB", "A & B", description="about <us>").add(post(words("x")))
    soup = page("wALTERb")
    assert [div["data-post"] for div in soup.select("[data-post]")] == ["WalterB/1"]
    title = soup.select_one('meta[property="og:title"]')
    about = soup.select_one(".tgme_channel_info_description")
    assert title is not None and title["content"] == "A & B"
    assert about is not None and about.get_text() == "about <us>"


def test_a_channel_without_posts_says_so(telegram: TelegramStandIn, page: Fetch) -> None:
    telegram.add_channel("empty", photo=False)
    soup = page("empty")
    assert soup.select_one(".tme_no_messages_found") and soup.select_one(".js-message_history")
    assert numbers(soup) == []


def test_views_and_addresses_change_while_the_post_does_not(telegram: TelegramStandIn, page: Fetch) -> None:
    telegram.add_channel("demo").add(post(media.video("film.mp4"), words("x")))
    one, two = page("demo"), page("demo")
    views = [soup.select_one(".tgme_widget_message_views") for soup in (one, two)]
    videos = [soup.select_one("video") for soup in (one, two)]
    assert [view.get_text() for view in views if view] == ["2", "3"]
    assert videos[0] and videos[1] and videos[0]["src"] != videos[1]["src"]


# --- landing pages ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "title", "mark"),
    [
        ("group", "Telegram: View @thing", "members"),
        ("user", "Telegram: Contact @thing", "Send Message"),
        ("bot", "Telegram: Launch @thing", "Start Bot"),
        ("restricted", "Telegram: View @thing", "Preview channel"),
        ("channel", "Telegram: View @thing", "subscribers"),
    ],
)
def test_names_without_a_preview_are_redirected_to_their_landing_page(
    telegram: TelegramStandIn, session: requests.Session, kind: str, title: str, mark: str
) -> None:
    telegram.add_landing("thing", kind, "A Thing")
    first = session.get(f"{telegram.url}/s/thing", allow_redirects=False, timeout=5)
    assert (first.status_code, first.headers["Location"]) == (302, f"{telegram.url}/thing")
    landing = session.get(first.headers["Location"], timeout=5).text
    assert f"<title>{title}</title>" in landing and mark in landing
    assert "tgme_channel_history" not in landing and "tgme_widget_message" not in landing
    assert ("noindex" in landing) == (kind == "restricted")


def test_a_name_nobody_has_looks_like_a_contact(telegram: TelegramStandIn, session: requests.Session) -> None:
    landing = session.get(f"{telegram.url}/s/nobody_here", timeout=5).text
    assert (
        "Telegram: Contact @nobody_here" in landing and "noindex" in landing and "tgme_icon_user" in landing
    )


def test_a_channel_can_lose_its_preview_and_get_it_back(
    telegram: TelegramStandIn, session: requests.Session
) -> None:
    telegram.add_channel("demo").add(post(words("x")))
    telegram.add_landing("Demo", "restricted")
    assert session.get(f"{telegram.url}/s/demo", allow_redirects=False, timeout=5).status_code == 302
    telegram.restore("demo")
    assert session.get(f"{telegram.url}/s/demo", allow_redirects=False, timeout=5).status_code == 200


# --- media --------------------------------------------------------------------------------------


def test_every_media_address_of_every_kind_serves_its_file(
    telegram: TelegramStandIn, session: requests.Session
) -> None:
    channel = telegram.add_channel("demo")
    for kind in KINDS:
        channel.add(kind.make(1, 1))
    addresses: dict[str, str] = {}
    for cursor in ("", "?before=40", "?before=20"):
        html = session.get(f"{telegram.url}/s/demo{cursor}", timeout=5).text
        found = re.findall(rf"{telegram.url}/file/[^'\"]+", html)
        addresses |= {address.split("?")[0].rpartition("/")[2]: address for address in found}
    assert {name.rpartition(".")[2] for name in addresses if "." in name} == {
        "jpg",
        "mp4",
        "ogg",
        "webp",
        "tgs",
        "webm",
    }
    for name, address in addresses.items():
        answer = session.get(address, timeout=5)
        assert (answer.status_code, answer.content) == (200, telegram.file_bytes(name)), name


def test_an_address_expires_and_a_made_up_one_never_works(session: requests.Session) -> None:
    now = [1000.0]
    with TelegramStandIn(token_seconds=60, clock=lambda: now[0]) as telegram:
        telegram.add_channel("demo").add(post(media.voice("v.ogg")))
        html = session.get(f"{telegram.url}/s/demo", timeout=5).text
        address = re.findall(r'<audio [^>]*src="([^"]+)"', html)[0]
        assert session.get(address, timeout=5).status_code == 200
        assert session.get(address[:-4] + "0000", timeout=5).status_code == 404
        now[0] += 61
        assert session.get(address, timeout=5).status_code == 404


def test_own_files_are_served_as_given(telegram: TelegramStandIn, session: requests.Session) -> None:
    telegram.add_file("big.jpg", b"\xff" * 3_000_000)
    telegram.add_channel("demo").add(post(media.photo("big.jpg")))
    address = re.findall(r"url\('([^']+big\.jpg)'\)", session.get(f"{telegram.url}/s/demo", timeout=5).text)[
        0
    ]
    answer = session.get(address, timeout=5)
    assert len(answer.content) == 3_000_000 and answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x.jpg", b"\xff\xd8\xff\xe0"),
        ("x-thumb", b"\xff\xd8\xff\xe0"),
        ("x.webp", b"RIFF"),
        ("x.ogg", b"OggS"),
        ("x.mp4", b"\0\0\0\x20ftyp"),
        ("x.webm", b"\x1a\x45\xdf\xa3"),
        ("x.tgs", b"\x1f\x8b"),
    ],
)
def test_a_sample_is_of_the_kind_its_name_says(name: str, start: bytes) -> None:
    assert media_files.sample(name).startswith(start)


@pytest.mark.parametrize(("name", "width", "height"), [("x.jpg", 640, 400), ("x-400x400.jpg", 400, 400)])
def test_a_sample_has_the_size_its_name_says(name: str, width: int, height: int) -> None:
    assert struct.pack(">HH", height, width) in media_files.sample(name)


def test_no_two_files_are_the_same() -> None:
    bodies = {media_files.sample(f"film-{number}.mp4") for number in range(20)}
    assert len(bodies) == 20


# --- markup -------------------------------------------------------------------------------------


def test_custom_emoji_put_the_content_into_both_containers(telegram: TelegramStandIn, page: Fetch) -> None:
    telegram.add_channel("demo").add(
        post(
            text(custom_emoji("🤖")),
            link_preview("https://example.org", title="card"),
            buttons((("Go", ""),)),
        )
    )
    soup = page("demo")
    assert soup.select_one(".media_supported_cont .js-message_text")
    assert soup.select_one(".media_not_supported_cont .message_media_not_supported_label")
    assert not soup.select_one(".media_supported_cont .tgme_widget_message_link_preview")
    assert soup.select_one(".tgme_widget_message_link_preview")
    assert not soup.select_one(".tgme_widget_message_bubble .tgme_widget_message_inline_keyboard")
    assert soup.select_one(".tgme_widget_message_inline_keyboard")


def test_service_messages_have_no_views(telegram: TelegramStandIn, page: Fetch) -> None:
    telegram.add_channel("demo").add(post(service("Channel created")))
    soup = page("demo")
    assert soup.select_one(".service_message") and not soup.select_one(".tgme_widget_message_views")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"])))
def test_escaped_words_come_back_whatever_they_are(plain: str) -> None:
    soup = BeautifulSoup(f"<p>{esc(plain)}</p>", "html.parser")
    assert soup.get_text() == plain


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_makes_one_wrap_of_balanced_markup(
    kind: object, telegram: TelegramStandIn, page: Fetch
) -> None:
    made = kind.make(3, 1)  # type: ignore[attr-defined]
    assert all(isinstance(piece, Piece) for piece in made.pieces)
    telegram.add_channel("demo").add(made)
    soup = page("demo")
    wrap = soup.select_one(".tgme_widget_message_wrap")
    assert wrap is not None and wrap.select_one("[data-post]") and numbers(soup) == [1]
    assert len(soup.select("section.js-message_history > .tgme_widget_message_wrap")) == 1


# --- faults -------------------------------------------------------------------------------------


def test_faults_hit_in_their_order_and_only_where_they_should(
    telegram: TelegramStandIn, session: requests.Session
) -> None:
    telegram.add_channel("one").add(post(words("x")))
    telegram.add_channel("two").add(post(words("x")))
    telegram.fail(Fault.status(503), path="/s/one")
    telegram.fail(Fault.status(429, retry_after=7), path="/s/one")
    telegram.fail(BLOCK_PAGE, path="/s/one")
    answers = [
        session.get(f"{telegram.url}/s/{name}", timeout=5) for name in ("two", "one", "one", "one", "one")
    ]
    assert [answer.status_code for answer in answers] == [200, 503, 429, 200, 200]
    assert answers[2].headers["Retry-After"] == "7"
    assert "tgme" not in answers[3].text and "tgme_channel_history" in answers[4].text
    assert [logged.status for logged in telegram.requests] == [200, 503, 429, 200, 200]


def test_a_broken_connection_breaks(telegram: TelegramStandIn, session: requests.Session) -> None:
    telegram.add_channel("demo").add(post(words("x")))
    url = f"{telegram.url}/s/demo"
    telegram.fail(Fault.reset_before())
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=5)
    telegram.fail(Fault.truncated(0.5))
    with pytest.raises(requests.RequestException):
        session.get(url, timeout=5)
    telegram.fail(Fault.hang(30), times=None)
    with pytest.raises(requests.Timeout):
        session.get(url, timeout=0.1)
    telegram.faults.clear()
    assert session.get(url, timeout=5).status_code == 200


def test_stopping_does_not_wait_for_who_hangs() -> None:
    telegram = TelegramStandIn()
    telegram.start()
    telegram.fail(Fault.hang(600))
    with pytest.raises(requests.Timeout):
        requests.get(f"{telegram.url}/s/x", timeout=0.1)
    telegram.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{telegram.url}/s/x", timeout=1)
