"""What each answer means, and bodies that are streamed, complete and never a place for a secret."""

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
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest
from responses import RequestsMock
from responses.matchers import query_param_matcher

from disgram.addresses import Destination
from disgram.discord.client import DiscordClient, MultipartBody
from disgram.discord.message import DiscordMessage, Upload
from disgram.discord.responses import classify
from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    InternalError,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    RateLimited,
    WebhookGone,
)
from disgram.http import CHUNK_SIZE
from tests.raw_servers import answering_early

HOOK = Destination("https://discord.com", "123", "s3cret-token")
THREAD = Destination("https://discord.com", "123", "s3cret-token", "456")
OWN = {
    "via": "1.1 google",
    "x-ratelimit-limit": "5",
    "x-ratelimit-remaining": "4",
    "x-ratelimit-reset-after": "1.999",
    "x-ratelimit-bucket": "abcdef",
}


def body(code: int, message: str = "words", **more: Any) -> bytes:
    return json.dumps({"code": code, "message": message} | more).encode()


def refusal(retry_after: float, *, everywhere: bool) -> bytes:
    return json.dumps({"message": "words", "retry_after": retry_after, "global": everywhere}).encode()


def headers(**more: str) -> dict[str, str]:
    return OWN | {name.replace("_", "-").lower(): value for name, value in more.items()}


@pytest.mark.parametrize(
    ("status", "raw", "error", "reason"),
    [
        (404, body(10015), WebhookGone, "webhook_gone"),
        (401, body(50027), WebhookGone, "webhook_gone"),
        (401, body(0, "401: Unauthorized"), WebhookGone, "webhook_gone"),
        (403, body(50013), WebhookGone, "webhook_gone"),
        (404, b"<html>nothing here</html>", WebhookGone, "webhook_gone"),
        (404, body(10003), WebhookGone, "thread_gone"),
        (400, body(10003), WebhookGone, "thread_gone"),
        (400, body(50083), WebhookGone, "thread_archived"),
        (400, body(160005), WebhookGone, "thread_locked"),
        (400, body(220001), WebhookGone, "thread_required"),
        (404, body(10008), MessageGone, None),
        (403, body(10008), DiscordUnavailable, "discord_unavailable"),
        (413, body(40005), PayloadTooLarge, None),
        (413, b"<html>413</html>", PayloadTooLarge, None),
        (400, body(50045), PayloadTooLarge, None),
        (400, body(50146), PayloadTooLarge, None),
        (400, body(50035), MessageRejected, None),
        (400, body(50006), MessageRejected, None),
        (400, body(200000), MessageRejected, None),
        (403, body(240000), MessageRejected, None),
        (400, b"Bad Request", MessageRejected, None),
        (500, body(0), InternalError, "discord_unavailable"),
        (500, b"<html>500</html>", DiscordUnavailable, "discord_unavailable"),
        (500, b'{"error": "some proxy"}', DiscordUnavailable, "discord_unavailable"),
        (504, body(0), DiscordUnavailable, "discord_unavailable"),
        (502, b"<html>bad gateway</html>", DiscordUnavailable, "discord_unavailable"),
        (503, b"upstream connect error", DiscordUnavailable, "discord_unavailable"),
        (302, b"", DiscordUnavailable, "discord_unavailable"),
        (429, body(0, retry_after=0.6), RateLimited, "discord_unavailable"),
    ],
)
def test_each_refusal_is_classified(
    status: int, raw: bytes, error: type[DiscordError], reason: str | None
) -> None:
    answer = classify(status, headers(), raw)
    assert type(answer.error) is error
    assert answer.error.reason == reason


@pytest.mark.parametrize(
    ("status", "raw", "retry_after"),
    [
        (429, b"<html><title>Access denied | discord.com used Cloudflare</title></html>", "81671"),
        (429, b"error code: 1015", None),
        (403, b"error code: 1010", None),
        (403, b"<html>Access denied</html>", None),
        (429, b'{"code": 0, "message": "You are being blocked from accessing our API"}', None),
        (403, b'{"code": 40333, "message": "internal network error"}', None),
    ],
)
def test_refusal_of_cloudflare_is_distinguished_from_discords(
    status: int, raw: bytes, retry_after: str | None
) -> None:
    answer = classify(status, {"retry-after": retry_after} if retry_after else {}, raw)
    assert isinstance(answer.error, CloudflareBlocked)
    assert answer.facts.cloudflare
    assert not answer.facts.answered
    assert answer.facts.retry_after == (float(retry_after) if retry_after else None)


def test_longest_wait_named_by_a_429_is_used() -> None:
    told = headers(Retry_After="40", X_RateLimit_Scope="shared", X_RateLimit_Remaining="3")
    facts = classify(429, told, refusal(39.2, everywhere=False)).facts
    assert (facts.retry_after, facts.scope, facts.remaining) == (40.0, "shared", 3)
    assert not facts.invalid  # shared refusals are not ours


def test_global_429_is_marked() -> None:
    assert classify(429, headers(), refusal(1.0, everywhere=True)).facts.is_global
    assert classify(429, headers(X_RateLimit_Global="true"), body(0, retry_after=1.0)).facts.is_global


def test_confirmation_gives_ids_and_limits() -> None:
    answer = classify(200, headers(), b'{"id": "1", "channel_id": "2", "attachments": []}')
    assert answer.error is None
    assert (answer.message["id"], answer.facts.channel_id) == ("1", "2")
    assert (answer.facts.bucket, answer.facts.limit, answer.facts.reset_after) == ("abcdef", 5, 1.999)
    assert classify(204, {}, b"").error is None


def test_confirmation_cut_off_is_one_if_it_has_discords_headers() -> None:
    answer = classify(200, headers(), b'{"id": "77", "channel_id": "2", "conte')
    assert answer.error is None
    assert answer.message == {"id": "77"}
    assert classify(200, headers(), b"").error is None


def test_200_of_somebody_else_confirms_nothing() -> None:
    answer = classify(200, {}, b"<html>Log in to the hotel's network</html>")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


@pytest.mark.parametrize(("status", "ambiguous"), [(500, True), (504, True), (502, False), (503, False)])
def test_server_error_is_ambiguous_unless_a_gateway_sent_it(status: int, ambiguous: bool) -> None:
    answer = classify(status, headers(), b"")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous is ambiguous


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_any_answer_is_classified(status: int, raw: bytes, limit: str, retry_after: str) -> None:
    answer = classify(status, {"x-ratelimit-limit": limit, "retry-after": retry_after}, raw)
    assert answer.error is None or isinstance(answer.error, DiscordError)
    assert len(str(answer.error)) <= 300 or answer.error is None


def test_answer_nested_too_deep_confirms_nothing() -> None:
    answer = classify(200, {}, b'{"id":' + b"[" * 100_000)
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


def test_html_error_page_becomes_one_short_line() -> None:
    page = b"<html><style>body { color: red }</style><h1>502</h1>\n\n<p>Bad\ngateway</p>" + b"x" * 5000
    told = str(classify(502, {}, page).error)
    assert told.startswith("502 502 Bad gateway")
    assert "\n" not in told
    assert "color" not in told


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
