"""What each answer means, and bodies that are streamed, complete and never a place for a secret."""

from __future__ import annotations

import io
import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from tests.http_fakes import Web

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
def test_every_refusal_has_one_meaning(
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
def test_cloudflare_is_told_apart(status: int, raw: bytes, retry_after: str | None) -> None:
    answer = classify(status, {"retry-after": retry_after} if retry_after else {}, raw)
    assert isinstance(answer.error, CloudflareBlocked)
    assert answer.rate_limit.cloudflare
    assert not answer.rate_limit.answered
    assert answer.rate_limit.retry_after == (float(retry_after) if retry_after else None)


def test_the_longest_wait_of_a_429_is_believed() -> None:
    told = headers(Retry_After="40", X_RateLimit_Scope="shared", X_RateLimit_Remaining="3")
    rate_limit = classify(429, told, refusal(39.2, everywhere=False)).rate_limit
    assert (rate_limit.retry_after, rate_limit.scope, rate_limit.remaining) == (40.0, "shared", 3)
    assert not rate_limit.invalid  # shared refusals are not ours


def test_a_global_429_is_marked() -> None:
    assert classify(429, headers(), refusal(1.0, everywhere=True)).rate_limit.is_global
    assert classify(429, headers(X_RateLimit_Global="true"), body(0, retry_after=1.0)).rate_limit.is_global


def test_an_accepted_message_gives_its_ids_and_limits() -> None:
    answer = classify(200, headers(), b'{"id": "1", "channel_id": "2", "attachments": []}')
    assert answer.error is None
    assert (answer.message["id"], answer.rate_limit.channel_id) == ("1", "2")
    limits = answer.rate_limit
    assert (limits.bucket, limits.limit, limits.reset_after) == ("abcdef", 5, 1.999)
    assert classify(204, {}, b"").error is None


def test_a_cut_off_confirmation_of_discords_is_one() -> None:
    answer = classify(200, headers(), b'{"id": "77", "channel_id": "2", "conte')
    assert answer.error is None
    assert answer.message == {"id": "77"}
    assert classify(200, headers(), b"").error is None


def test_a_200_that_is_not_discords_confirms_nothing() -> None:
    answer = classify(200, {}, b"<html>Log in to the hotel's network</html>")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


@pytest.mark.parametrize(("status", "ambiguous"), [(500, True), (504, True), (502, False), (503, False)])
def test_which_server_errors_may_have_delivered(status: int, ambiguous: bool) -> None:
    answer = classify(status, headers(), b"")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous is ambiguous


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_no_answer_is_too_strange(status: int, raw: bytes, limit: str, retry_after: str) -> None:
    answer = classify(status, {"x-ratelimit-limit": limit, "retry-after": retry_after}, raw)
    assert answer.error is None or isinstance(answer.error, DiscordError)
    assert len(str(answer.error)) <= 300 or answer.error is None


def test_an_answer_nested_without_end_is_none_of_discords() -> None:
    answer = classify(200, {}, b'{"id":' + b"[" * 100_000)
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


def test_a_page_of_html_becomes_one_short_line() -> None:
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
