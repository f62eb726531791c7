"""Requests to webhooks: bodies that are streamed and complete, URLs, and no token in an error."""

from __future__ import annotations

import io
import json
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from disgram.addresses import Destination
from disgram.discord.client import DiscordClient, MultipartBody
from disgram.discord.message import DiscordMessage, Upload
from disgram.errors import (
    DiscordUnavailable,
)
from tests.builders.http_fakes import Web

HOOK = Destination("https://discord.com", "123", "s3cret-token")
THREAD = Destination("https://discord.com", "123", "s3cret-token", "456")


def parsed(sent: MultipartBody) -> list[tuple[object, object, object]]:
    raw = f"Content-Type: multipart/form-data; boundary={sent.boundary}\r\n\r\n".encode() + b"".join(sent)
    parts = BytesParser(policy=HTTP).parsebytes(raw).iter_parts()
    name = "content-disposition"
    return [(p.get_param("name", header=name), p.get_filename(), p.get_payload(decode=True)) for p in parts]


def test_a_multipart_body_knows_its_length_and_can_be_sent_twice() -> None:
    uploads = (Upload(3, "a-1.jpg", "image/jpeg"), Upload(0, "b.mp4", "video/mp4"))
    files = {3: io.BytesIO(b"\xff\xd8" + b"x" * 200_000), 0: io.BytesIO(b"\r\n--not a boundary\r\n")}
    sent = MultipartBody(b'{"content": "hi"}', uploads, files)
    first = b"".join(sent)
    assert len(sent) == len(first)
    assert b"".join(sent) == first
    assert parsed(sent) == [
        ("payload_json", None, b'{"content": "hi"}'),
        ("files[0]", "a-1.jpg", files[3].getvalue()),
        ("files[1]", "b.mp4", files[0].getvalue()),
    ]


def test_a_long_upload_is_seen_to_live() -> None:
    beats: list[None] = []
    upload = Upload(0, "a.bin", "application/octet-stream")
    body = MultipartBody(b"{}", (upload,), {0: io.BytesIO(b"x" * 200_000)}, lambda: beats.append(None))
    assert sum(map(len, body)) == len(body)
    assert len(beats) == 4


def test_an_error_that_quotes_the_token_tells_no_secret() -> None:
    web = Web()
    said = {"message": f"no webhook {HOOK.token} at {HOOK.execute_url}", "code": 0}
    web.answer("POST", HOOK.execute_url, json.dumps(said), 400)
    answer = DiscordClient(http=web.client).execute(HOOK, DiscordMessage({"content": "x"}), {})
    assert "no webhook ***" in str(answer.error)
    assert HOOK.token not in repr(answer)


def test_a_message_goes_to_v10_with_wait_and_thread() -> None:
    web = Web()
    web.answer("POST", THREAD.execute_url, '{"id": "1", "channel_id": "456"}')
    answer = DiscordClient(http=web.client).execute(THREAD, DiscordMessage({"content": "ä"}), {})
    assert answer.error is None
    asked = web.asked[0]
    assert asked.url == f"{HOOK.origin}/api/v10/webhooks/123/s3cret-token?wait=true&thread_id=456"
    assert asked.headers["User-Agent"].startswith("DiscordBot (https://")
    assert json.loads(asked.body) == {"content": "ä"}


def test_edits_and_deletions_name_the_thread() -> None:
    web = Web()
    web.answer("PATCH", THREAD.message_url("9"), '{"id": "9"}')
    web.answer("DELETE", THREAD.message_url("9"), status=204)
    client = DiscordClient(http=web.client)
    assert client.edit(THREAD, "9", DiscordMessage({}), {}).error is None
    assert client.delete(THREAD, "9").error is None
    assert all(asked.url.endswith("?thread_id=456") for asked in web.asked)


@pytest.mark.parametrize("sent", [True, False])
def test_a_lost_answer_is_ambiguous_if_anything_was_sent(sent: bool) -> None:
    web = Web()
    web.fail("POST", HOOK.execute_url, sent=sent)
    answer = DiscordClient(http=web.client).execute(HOOK, DiscordMessage({"content": "x"}), {})
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous is sent
