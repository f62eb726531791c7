"""What a worker reads through the account equals what was posted."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.telegram.account.process import pages, spool
from disgram.telegram.account.process.directory import READINGS
from standins.mtproto.channels import Channel
from standins.mtproto.faults import FOREVER
from standins.mtproto.server import MtprotoStandIn
from tests.telegram.account.process.running import (
    PATIENCE,
    Account,
    UnixConnection,
    account_of,
    eventually,
    posts,
)


def name(channel: Channel) -> str:
    return f"c/{channel.id}"


def histories(telegram: MtprotoStandIn) -> int:
    return telegram.count("messages.getHistory")


def test_the_newest_page_has_the_last_twenty_messages(account: Account, channel: Channel) -> None:
    for number in range(1, 31):
        channel.post(f"post {number}")

    page = account.page(name(channel))

    assert [post.id for post in posts(page)] == list(range(11, 31))
    assert [post.url for post in posts(page)][:1] == [f"https://t.me/c/{channel.id}/11"]
    assert (page["title"], page["channel_id"], page["older"]) == ("News", channel.id, 11)


def test_older_pages_lead_to_the_first_message(account: Account, channel: Channel) -> None:
    for number in range(1, 66):
        channel.post(f"post {number}")

    page = account.page(name(channel))
    seen: list[int] = []
    while True:
        seen[:0] = [post.id for post in posts(page)]
        if page["older"] is None:
            break
        page = account.page(name(channel), before=page["older"])

    assert seen == list(range(1, 66))


def test_an_album_is_never_cut_by_a_page(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post("first")
    album = channel.album([telegram.photo(b"x") for _ in range(10)], "album")
    for number in range(12):
        channel.post(f"post {number}")

    newest = posts(account.page(name(channel)))
    inside = posts(account.page(name(channel), before=album[4]))

    assert list(newest[0].ids) == album
    assert [list(post.ids) for post in inside] == [[1], album]


def test_an_album_whose_messages_come_one_by_one_is_handed_on_whole(
    account: Account, telegram: MtprotoStandIn, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "ALBUM_SECONDS", 3.0)
    channel.post("first")
    assert account.texts(name(channel)) == ["first"]

    def post_the_rest() -> None:
        for _ in range(3):
            channel.post(media=telegram.photo(b"x"), grouped_id=5)

    rest = threading.Timer(0.5, post_the_rest)
    channel.post("caption", media=telegram.photo(b"x"), grouped_id=5)
    rest.start()
    read = iter(lambda: posts(account.page(name(channel))), None)
    with_album = next(page for page in read if page and len(page) > 1)
    rest.join()
    assert [post.ids for post in with_album] == [(1,), (2, 3, 4, 5)]


def test_a_new_message_comes_by_update_without_another_request(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post("one")
    assert account.texts(name(channel)) == ["one"]
    asked = histories(telegram)

    channel.post("two")

    eventually(lambda: account.texts(name(channel)) == ["one", "two"])
    assert histories(telegram) == asked


def test_an_edit_and_a_deletion_change_the_page_and_the_fingerprint(
    account: Account, channel: Channel
) -> None:
    one, two = channel.post("one"), channel.post("two")
    before = {post["id"]: post["fingerprint"] for post in account.page(name(channel))["posts"]}

    channel.edit(one, "other")
    channel.delete(two)

    eventually(lambda: account.texts(name(channel)) == ["other"])
    (after,) = account.page(name(channel))["posts"]
    assert after["fingerprint"] != before[one]


def test_views_do_not_change_the_fingerprint(account: Account, channel: Channel) -> None:
    one = channel.post("one")
    (before,) = account.page(name(channel))["posts"]

    channel.edit(one, views=1000, forwards=2, edit_hide=True)
    channel.post("two")
    eventually(lambda: len(account.page(name(channel))["posts"]) == 2)

    assert account.page(name(channel))["posts"][0] == before


def test_lost_updates_are_read_again_after_the_next_one(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    one, two = channel.post("one"), channel.post("two")
    assert account.texts(name(channel)) == ["one", "two"]

    telegram.lose_updates(3)
    channel.edit(one, "ONE")
    channel.delete(two)
    channel.post("three")
    channel.post("four")

    eventually(lambda: account.texts(name(channel)) == ["ONE", "three", "four"])


def test_a_lost_edit_shows_after_another_edit(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    one, two = channel.post("one"), channel.post("two")
    assert account.texts(name(channel)) == ["one", "two"]

    telegram.lose_updates(1)
    channel.edit(one, "ONE")
    channel.edit(two, "TWO")

    eventually(lambda: account.texts(name(channel)) == ["ONE", "TWO"])


def test_what_happens_while_the_connection_is_lost_is_read_afterwards(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    one = channel.post("one")
    assert account.texts(name(channel)) == ["one"]

    telegram.lose_updates(FOREVER)
    channel.post("two")
    channel.edit(one, "ONE")
    telegram.drop_connections()

    eventually(lambda: account.texts(name(channel)) == ["ONE", "two"])
    assert [text for _, text, _ in account.reports if "lost" in text or "back" in text] == [
        "The account's connection to Telegram is lost; connecting again",
        "The account's connection to Telegram is back",
    ]


def test_a_group_names_who_wrote(account: Account, telegram: MtprotoStandIn) -> None:
    group = telegram.channel("Talk", megagroup=True)
    first = group.post("hello", sender=telegram.user("Anna"))
    group.post("hi", sender=telegram.user("Ben"), reply_to=first)
    assert [post.author for post in posts(account.page(name(group)))] == ["Anna", "Ben"]


def test_a_message_answered_long_ago_is_quoted(account: Account, channel: Channel) -> None:
    first = channel.post("the question")
    for number in range(45):
        channel.post(f"post {number}")
    channel.post("the answer", reply_to=first)

    last = posts(account.page(name(channel)))[-1]

    assert "the question" in str(last.blocks[0])


def test_a_cut_rich_message_comes_whole(account: Account, channel: Channel) -> None:
    blocks = [tl.PageBlockParagraph(tl.TextPlain(text)) for text in ("beginning", "middle", "end")]
    channel.post_rich(blocks, shown=1)
    assert account.texts(name(channel)) == ["beginning\nmiddle\nend"]


def test_a_group_whose_newest_messages_nobody_sees_shows_older_ones(
    account: Account, telegram: MtprotoStandIn
) -> None:
    group = telegram.channel("Talk", megagroup=True)
    group.post("hello")
    for _ in range(90):
        group.service(tl.MessageActionHistoryClear())
    assert account.texts(name(group)) == ["hello"]


def test_a_public_channel_the_account_is_not_in_is_read_by_its_name(
    account: Account, telegram: MtprotoStandIn
) -> None:
    public = telegram.channel("Open", username="Open_News", member=False)
    public.post("hello")

    page = account.page("open_news")
    account.page("open_news")

    assert page["channel"] == "Open_News"
    assert posts(page)[0].url == "https://t.me/Open_News/1"
    assert telegram.count("contacts.resolveUsername") == 1


def test_a_channel_joined_later_is_found_without_a_restart(
    account: Account, telegram: MtprotoStandIn
) -> None:
    account.texts(name(telegram.channels[next(iter(telegram.channels))]))
    later = telegram.channel("Later", member=False)
    later.post("hello")
    assert account.refusal("/page", channel=name(later)) == (404, "not_a_member")

    later.let_in()

    assert account.texts(name(later)) == ["hello"]


def test_a_channel_joined_later_is_found_though_no_update_told_of_it(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(name(channel))
    later = telegram.channel("Later")
    assert posts(account.page(name(later))) == []
    assert telegram.count("messages.getDialogs") == 2


def test_channels_that_are_nowhere_do_not_make_the_dialogs_be_read_without_end(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(name(channel))
    for number in [*range(1, 30), 1, 2, 3]:
        assert account.refusal("/page", channel=f"c/{number}") == (404, "not_a_member")
    assert telegram.count("messages.getDialogs") == READINGS


def test_a_lost_update_that_no_other_follows_is_read_after_a_while(
    account: Account, telegram: MtprotoStandIn, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.post("one")
    assert account.texts(name(channel)) == ["one"]
    telegram.lose_updates()
    channel.post("two")
    assert account.texts(name(channel)) == ["one"]
    monkeypatch.setattr(pages, "BELIEVED_LEAST", 0.0)
    monkeypatch.setattr(pages, "BELIEVED_PER_CHANNEL", 0.0)
    assert account.texts(name(channel)) == ["one", "two"]


@pytest.mark.parametrize(("channels", "seconds"), [(1, 60), (20, 60), (100, 300), (300, 900), (1000, 900)])
def test_all_channels_together_are_read_again_twenty_times_a_minute(channels: int, seconds: float) -> None:
    assert pages.believed_for(channels) == seconds


def test_dialogs_are_read_once_whatever_is_asked_at_the_start(
    telegram: MtprotoStandIn, channel: Channel, tmp_path: Path
) -> None:
    channel.post("hello")
    telegram.channel("Open", username="open_news").post("hi")
    with account_of(telegram, tmp_path) as account:
        names = [name(channel), "open_news"] * 4
        asking = [threading.Thread(target=account.page, args=[each]) for each in names]
        for each in asking:
            each.start()
        for each in asking:
            each.join(PATIENCE)
        assert account.texts("open_news") == ["hi"]
    assert telegram.count("messages.getDialogs") == 1
    assert telegram.count("contacts.resolveUsername") == 0
    assert histories(telegram) == 2


def test_a_name_that_went_to_another_channel_is_looked_up_anew(
    account: Account, telegram: MtprotoStandIn
) -> None:
    first = telegram.channel("First", username="taken")
    first.post("of the first")
    assert account.texts("taken") == ["of the first"]

    first.chat.username = "first_now"
    first.post("renamed")
    second = telegram.channel("Second", username="taken", member=False)
    second.post("of the second")

    eventually(lambda: account.texts("taken") == ["of the second"])
    assert account.texts("first_now") == ["of the first", "renamed"]


def test_an_unknown_name_is_looked_up_once(account: Account, telegram: MtprotoStandIn) -> None:
    account.page(name(telegram.channels[next(iter(telegram.channels))]))
    for _ in range(3):
        assert account.refusal("/page", channel="nobody_has_it") == (404, "channel_not_found")
    assert telegram.count("contacts.resolveUsername") == 1


def test_who_was_thrown_out_is_told_so(account: Account, channel: Channel) -> None:
    channel.post("one")
    account.page(name(channel))
    channel.throw_out()
    eventually(lambda: account.refusal("/page", channel=name(channel)) == (404, "channel_private"))


def test_a_channel_whose_owner_forbids_saving_is_not_read(account: Account, channel: Channel) -> None:
    channel.post("one")
    channel.chat.noforwards = True
    eventually(lambda: account.refusal("/page", channel=name(channel)) == (404, "content_protected"))


def test_a_single_protected_message_is_marked(account: Account, channel: Channel) -> None:
    channel.post("one")
    channel.post("two", noforwards=True)
    assert [post["protected"] for post in account.page(name(channel))["posts"]] == [False, True]


def test_an_invite_link_of_a_channel_it_is_in_is_resolved(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(name(channel))
    other = telegram.channel("Other", member=False)

    assert account.get("/resolve", invite=channel.invite) == (
        200,
        {"channel": name(channel), "title": "News"},
    )
    assert account.refusal("/resolve", invite=other.invite) == (404, "not_a_member")
    assert account.refusal("/resolve", invite="nothing") == (404, "channel_not_found")


def test_its_channels_and_groups_are_listed_with_their_addresses(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    account.page(name(channel))
    assert account.get("/channels") == (
        200,
        [{"address": f"https://t.me/c/{channel.id}", "title": "News", "kind": "channel"}],
    )


def test_one_connection_answers_one_request_after_another(account: Account, channel: Channel) -> None:
    channel.post("hello")
    account.page(name(channel))
    with contextlib.closing(UnixConnection(account.path)) as connection:
        connection.connect()
        kept = connection.sock
        for _ in range(3):
            connection.request("GET", f"/page?channel={name(channel)}")
            assert b"hello" in connection.getresponse().read()
            assert connection.sock is kept


@pytest.mark.parametrize("sent", [b"\x00\xff garbage\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a" * 100_000])
def test_what_is_no_request_ends_the_connection_alone(
    account: Account, channel: Channel, sent: bytes
) -> None:
    channel.post("hello")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.settimeout(PATIENCE)
        made.connect(str(account.path))
        with contextlib.suppress(OSError):
            made.sendall(sent)
            assert made.recv(1000) == b""
    assert account.texts(name(channel)) == ["hello"]


def test_a_target_that_no_worker_asks_is_refused(account: Account) -> None:
    for path in ("/", "/page", "/page?channel=news&before=x", "/file?address=account:a/1/file&max_bytes=-1"):
        assert account.raw(path)[0] == 400
