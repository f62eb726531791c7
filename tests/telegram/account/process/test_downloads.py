"""Files of messages through the account's process."""

from __future__ import annotations

import socket
from urllib.parse import urlencode

import pytest

pytest.importorskip("telethon")

from telethon.crypto import rsa

from standins.mtproto.channels import Channel
from standins.mtproto.files import slice_of
from standins.mtproto.server import MtprotoStandIn
from tests.telegram.account.process.running import PATIENCE, Account, eventually, posts

MOST = 100 * 1024 * 1024


def address(account: Account, channel: Channel) -> str:
    """Of the only file in the channel."""
    (post,) = posts(account.page(f"c/{channel.id}"))
    (media,) = post.media
    return str(media.url)


def target(url: str, max_bytes: int = MOST) -> str:
    return f"/file?{urlencode({'address': url, 'max_bytes': max_bytes})}"


def test_a_photo_comes_with_its_type_and_size(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    status, headers, body = account.raw(target(address(account, channel)))
    assert (status, headers["content-type"], headers["content-length"], body) == (
        200,
        "image/jpeg",
        "7",
        b"picture",
    )


@pytest.mark.parametrize("dc", [2, 4])
def test_a_large_file_comes_whole_from_any_data_centre(
    account: Account, telegram: MtprotoStandIn, channel: Channel, dc: int
) -> None:
    rsa.add_key(telegram.public_key, old=False)  # another data centre makes an authorization key of its own
    size = 3 * 1024 * 1024 + 17
    channel.post(media=telegram.document(size, "video/mp4", name="film.mp4", dc=dc))
    status, _, body = account.raw(target(address(account, channel)))
    assert status == 200, body[:200]
    assert body == slice_of(size, 0, size)


def test_an_expired_reference_is_read_anew(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    telegram.expire_references()
    assert account.raw(target(url))[2] == b"picture"


def test_a_reference_that_is_too_old_a_kind_is_read_anew(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    telegram.fail("upload.getFile", "FILEREF_UPGRADE_NEEDED", code=406)
    assert account.raw(target(url))[2] == b"picture"


def test_a_file_server_that_does_not_know_the_account_does_not_end_its_session(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    telegram.fail("upload.getFile", "AUTH_KEY_UNREGISTERED", code=401)
    status, _, body = account.raw(target(url))
    assert (status, b"telegram_unavailable" in body) == (503, True)
    assert account.raw(target(url))[2] == b"picture"


def test_a_session_that_ended_is_noticed_by_a_file(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    telegram.revoke()
    status, _, body = account.raw(target(url))
    assert (status, b"account_logged_out" in body) == (503, True)


def test_a_reference_that_expires_between_two_parts_is_read_anew(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    size = 40 * 1024 * 1024
    channel.post(media=telegram.document(size, name="big.bin"))
    with _open(account, target(address(account, channel))) as reading:
        reading.recv(1000)
        telegram.expire_references()
        received = 1000
        while chunk := reading.recv(1 << 16):
            received += len(chunk)
            if received >= size:
                break
    assert received >= size


def test_a_reference_that_always_expires_ends_as_gone(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    telegram.fail("upload.getFile", "FILE_REFERENCE_EXPIRED", times=-1)
    assert account.refusal("/file", address=url, max_bytes=MOST) == (404, "file_gone")
    assert telegram.count("upload.getFile") == 2


def test_a_file_larger_than_asked_for_is_not_fetched(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.document(2000, name="big.bin"))
    url = address(account, channel)
    assert account.refusal("/file", address=url, max_bytes=1999) == (413, "file_too_large")
    assert telegram.count("upload.getFile") == 0


def test_a_file_of_a_deleted_message_is_gone(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    number = channel.post(media=telegram.photo(b"picture"))
    url = address(account, channel)
    channel.delete(number)
    assert account.refusal("/file", address=url, max_bytes=MOST) == (404, "file_gone")


def test_a_protected_file_is_not_fetched(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.photo(b"picture"), noforwards=True)
    url = address(account, channel)
    assert account.refusal("/file", address=url, max_bytes=MOST) == (404, "content_protected")


def test_no_more_of_a_file_is_fetched_than_the_worker_takes(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.document(200 * 1024 * 1024, name="big.bin"))
    url = address(account, channel)
    with _open(account, target(url, 2**40)) as reading:
        reading.recv(1000)
        eventually(lambda: telegram.count("upload.getFile") >= 1)
        # A second file of the same account comes meanwhile, so the first has long stopped asking.
        other = telegram.channel("Other")
        other.post(media=telegram.photo(b"picture"))
        assert account.raw(target(address(account, other)))[2] == b"picture"
        asked = telegram.count("upload.getFile")
    assert asked < 20


def test_a_worker_that_leaves_ends_its_download(
    account: Account, telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post(media=telegram.document(200 * 1024 * 1024, name="big.bin"))
    url = address(account, channel)
    for _ in range(6):
        with _open(account, target(url, 2**40)) as reading:
            reading.recv(1000)
    other = telegram.channel("Other")
    other.post(media=telegram.photo(b"picture"))
    assert account.raw(target(address(account, other)))[2] == b"picture"


def _open(account: Account, asked: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    made.connect(str(account.path))
    made.sendall(f"GET {asked} HTTP/1.1\r\nHost: account\r\n\r\n".encode())
    return made
