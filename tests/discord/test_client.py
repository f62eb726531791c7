"""Requests to webhooks: bodies that are streamed and complete, URLs, and no token in an error."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests
from requests import PreparedRequest
from responses import RequestsMock
from responses.matchers import query_param_matcher

from disgram.addresses import Destination
from disgram.discord.client import DiscordClient, MultipartBody
from disgram.discord.message import DiscordMessage, Upload
from disgram.errors import (
    DiscordError,
    DiscordUnavailable,
    PayloadTooLarge,
    StorageUnavailable,
    UnreadableResponse,
)
from disgram.http.client import CHUNK_SIZE
from tests.builders.raw_servers import answering, answering_early

HOOK = Destination("https://discord.com", "123", "s3cret-token")
THREAD = Destination("https://discord.com", "123", "s3cret-token", "456")


# --- bodies -------------------------------------------------------------------------------------


def parsed(sent: MultipartBody) -> list[tuple[object, object, object]]:
    raw = f"Content-Type: multipart/form-data; boundary={sent.boundary}\r\n\r\n".encode() + b"".join(sent)
    parts = BytesParser(policy=HTTP).parsebytes(raw).iter_parts()
    name = "content-disposition"
    return [(p.get_param("name", header=name), p.get_filename(), p.get_payload(decode=True)) for p in parts]


def test_multipart_body_knows_its_length_and_can_be_sent_twice() -> None:
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


def test_multipart_body_reads_its_files_in_chunks() -> None:
    upload = Upload(0, "a.bin", "application/octet-stream")
    sent = MultipartBody(b"{}", (upload,), {0: io.BytesIO(b"x" * 200_000)})
    assert max(map(len, sent)) == CHUNK_SIZE


# --- requests -----------------------------------------------------------------------------------


@pytest.fixture
def web() -> Iterator[RequestsMock]:
    with RequestsMock() as mock:
        yield mock


def body_of(request: PreparedRequest) -> bytes:
    """Reads it to its end, as sending does."""
    return b"".join(chunks_of(request))


def chunks_of(request: PreparedRequest) -> Iterator[bytes]:
    chunks: Any = request.body
    return iter(chunks)


def test_error_that_quotes_the_token_is_shown_without_it(web: RequestsMock) -> None:
    said = {"message": f"no webhook {HOOK.token} at {HOOK.execute_url}", "code": 0}
    web.post(HOOK.execute_url, json=said, status=400)
    answer = DiscordClient().execute(HOOK, DiscordMessage({"content": "x"}), {})
    assert "no webhook ***" in str(answer.error)
    assert HOOK.token not in repr(answer)


def test_message_goes_to_v10_with_wait_and_thread(web: RequestsMock) -> None:
    web.post(THREAD.execute_url, json={"id": "1", "channel_id": "456"})
    answer = DiscordClient().execute(THREAD, DiscordMessage({"content": "ä"}), {})
    assert answer.error is None
    asked = web.calls[0].request
    assert asked.url == f"{HOOK.origin}/api/v10/webhooks/123/s3cret-token?wait=true&thread_id=456"
    assert asked.headers["User-Agent"].startswith("DiscordBot (https://")
    assert json.loads(body_of(asked)) == {"content": "ä"}


def test_edits_and_deletions_name_the_thread(web: RequestsMock) -> None:
    web.patch(f"{THREAD.message_url('9')}?thread_id=456", json={"id": "9"})
    web.delete(f"{THREAD.message_url('9')}?thread_id=456", status=204)
    client = DiscordClient()
    assert client.edit(THREAD, "9", DiscordMessage({}), {}).error is None
    assert client.delete(THREAD, "9").error is None


def test_request_that_changes_something_is_not_made_without_permission(web: RequestsMock) -> None:
    def refuse() -> None:
        raise StorageUnavailable("not now")

    client, message = DiscordClient(permit=refuse), DiscordMessage({"content": "x"})
    with pytest.raises(StorageUnavailable):
        client.execute(HOOK, message, {})
    with pytest.raises(StorageUnavailable):
        client.edit(HOOK, "9", message, {})
    with pytest.raises(StorageUnavailable):
        client.delete(HOOK, "9")
    web.get(HOOK.execute_url, json={"id": "123", "guild_id": "7"})
    assert client.look(HOOK).message["guild_id"] == "7"
    assert len(web.calls) == 1


def test_webhook_is_looked_up_without_the_thread(web: RequestsMock) -> None:
    web.get(HOOK.execute_url, json={"id": "123", "guild_id": "7"}, match=[query_param_matcher({})])
    assert DiscordClient().look(THREAD).message["guild_id"] == "7"


WITH_FILE = DiscordMessage({"content": "x"}, (Upload(0, "a.bin", "application/octet-stream"),))


@pytest.mark.parametrize("message", [DiscordMessage({"content": "x"}), WITH_FILE], ids=["text", "file"])
@pytest.mark.parametrize("sent", [True, False])
def test_lost_answer_is_ambiguous_if_the_whole_request_was_sent(
    web: RequestsMock, message: DiscordMessage, sent: bool
) -> None:
    def lose(request: PreparedRequest) -> NoReturn:
        if sent:
            body_of(request)
        raise requests.ConnectionError

    web.add_callback("POST", HOOK.execute_url, lose)
    answer = DiscordClient().execute(HOOK, message, {0: io.BytesIO(b"x" * 50_000)})
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous is sent


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 103 Wait\r\n\r\n" * 100, b"SSH-2.0-OpenSSH_9\r\n"], ids=["1xx", "SSH"]
)
def test_answer_that_is_not_http_counts_like_a_response_that_is_not_discords(
    clean_http_environment: None, said: bytes
) -> None:
    with answering(said) as (url, _):
        hook = Destination(url.rstrip("/"), "123", "s3cret-token")
        answer = DiscordClient().execute(hook, DiscordMessage({"content": "x"}), {})
    assert isinstance(answer.error, UnreadableResponse)
    assert answer.error.ambiguous


@pytest.mark.parametrize("status", [100, 102, 103])
def test_interim_response_is_not_taken_for_discords_answer(clean_http_environment: None, status: int) -> None:
    confirmed = b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{"id": "7", "channel_id": "456"}  '
    with answering(b"HTTP/1.1 %d Wait\r\nLink: </a>\r\n\r\n" % status + confirmed) as (url, requests_seen):
        hook = Destination(url.rstrip("/"), "123", "s3cret-token")
        answer = DiscordClient().execute(hook, DiscordMessage({"content": "x"}), {})
    assert answer.error is None
    assert answer.message["id"] == "7"
    assert len(requests_seen) == 1


# --- connections that break while files are sent ------------------------------------------------


def break_off(request: PreparedRequest) -> NoReturn:
    """As a 413 over TLS does that comes before the whole body was read."""
    next(chunks_of(request))
    raise requests.ConnectionError


def outcomes(client: DiscordClient, *messages: DiscordMessage) -> list[type[DiscordError] | None]:
    files = {0: io.BytesIO(b"x" * 50_000)}
    errors = [client.execute(HOOK, message, files).error for message in messages]
    assert not [error for error in errors if isinstance(error, DiscordUnavailable) and error.ambiguous]
    return [type(error) if error else None for error in errors]


def test_message_with_files_that_breaks_off_twice_is_too_large(web: RequestsMock) -> None:
    web.add_callback("POST", HOOK.execute_url, break_off)
    assert outcomes(DiscordClient(), WITH_FILE, WITH_FILE) == [DiscordUnavailable, PayloadTooLarge]


def test_message_without_files_that_breaks_off_twice_is_tried_again(web: RequestsMock) -> None:
    web.add_callback("POST", HOOK.execute_url, break_off)
    text = DiscordMessage({"content": "x"})
    assert outcomes(DiscordClient(), text, text) == [DiscordUnavailable, DiscordUnavailable]


def test_two_messages_that_break_off_once_each_are_tried_again(web: RequestsMock) -> None:
    web.add_callback("POST", HOOK.execute_url, break_off)
    other = DiscordMessage({"content": "y"}, WITH_FILE.uploads)
    assert outcomes(DiscordClient(), WITH_FILE, other) == [DiscordUnavailable, DiscordUnavailable]


def test_message_that_broke_off_and_then_got_an_answer_is_tried_again(web: RequestsMock) -> None:
    web.add_callback("POST", HOOK.execute_url, break_off)
    web.post(HOOK.execute_url, status=502)
    web.add_callback("POST", HOOK.execute_url, break_off)
    assert outcomes(DiscordClient(), *[WITH_FILE] * 3) == [DiscordUnavailable] * 3


def test_413_over_tls_does_not_keep_a_post_for_ever(
    clean_http_environment: None, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether OpenSSL still reads the answer or finds the connection reset, two tries are enough."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    client = DiscordClient()
    errors: list[DiscordError | None] = []
    while not errors or not isinstance(errors[-1], PayloadTooLarge):
        with answering_early(refusal, certificate) as url:
            hook = Destination(url.rstrip("/"), "123", "s3cret-token")
            errors.append(client.execute(hook, WITH_FILE, {0: io.BytesIO(bytes(20_000_000))}).error)
        assert len(errors) <= 2
    client.close()
