"""What each response of Discord or Cloudflare means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.discord.responses import UNNAMED_WAIT, classify
from disgram.errors import (
    CloudflareBlocked,
    DestinationRefuses,
    DiscordError,
    DiscordUnavailable,
    EditRefused,
    EditWaits,
    InternalError,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    RateLimited,
    UnreadableResponse,
    WebhookGone,
)

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
        (400, body(220003), WebhookGone, "not_a_forum"),
        (400, body(160006), DestinationRefuses, "destination_refuses"),
        (400, body(50024), DestinationRefuses, "destination_refuses"),
        (400, body(40062), DestinationRefuses, "destination_refuses"),
        (403, body(20022), DestinationRefuses, "destination_refuses"),
        (405, body(0), DestinationRefuses, "destination_refuses"),
        (409, b"<html>conflict</html>", DestinationRefuses, "destination_refuses"),
        (415, body(0), DestinationRefuses, "destination_refuses"),
        (422, b"", DestinationRefuses, "destination_refuses"),
        (400, body(50035, errors={"thread_id": {}}), DestinationRefuses, "destination_refuses"),
        (400, body(50035, errors={"username": {}}), MessageRejected, None),
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
        (429, body(0, retry_after=0.6), RateLimited, "rate_limited"),
    ],
)
def test_refusal_is_classified_as_one_error(
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
def test_refusal_by_cloudflare_is_recognized(status: int, raw: bytes, retry_after: str | None) -> None:
    answer = classify(status, {"retry-after": retry_after} if retry_after else {}, raw)
    assert isinstance(answer.error, CloudflareBlocked)
    assert answer.rate_limit.cloudflare
    assert not answer.rate_limit.answered
    assert answer.rate_limit.retry_after == (float(retry_after) if retry_after else None)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("status", "raw", "error"),
    [
        (400, body(50083), EditWaits),
        (401, body(50027), EditRefused),
        (403, body(50001), EditRefused),
        (403, body(50005), EditRefused),
        (404, body(10015), EditRefused),
        (404, body(10003), EditRefused),
        (404, b"<html>nothing here</html>", EditRefused),
        (404, body(0, "404: Not Found"), EditRefused),
        (400, body(160005), EditRefused),
        (400, body(220003), EditRefused),
        (405, body(0), EditRefused),
        (404, body(10008), MessageGone),
        (400, body(50035), MessageRejected),
        (400, body(30046), RateLimited),
        (413, body(40005), PayloadTooLarge),
        (502, b"", DiscordUnavailable),
    ],
)
def test_refused_edit_says_nothing_of_the_destination(
    method: str, status: int, raw: bytes, error: type[DiscordError]
) -> None:
    assert type(classify(status, headers(), raw, method).error) is error


def test_longest_retry_after_of_a_429_is_taken() -> None:
    told = headers(Retry_After="40", X_RateLimit_Scope="shared", X_RateLimit_Remaining="3")
    rate_limit = classify(429, told, refusal(39.2, everywhere=False)).rate_limit
    assert (rate_limit.retry_after, rate_limit.scope, rate_limit.remaining) == (40.0, "shared", 3)
    assert not rate_limit.invalid  # shared refusals are not ours


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-1", "1e12", "Wed, 21 Oct 2026 07:28:00 GMT", "", "soon", "9" * 400]
)
def test_number_of_a_header_that_is_none_counts_as_absent(value: str) -> None:
    odd = headers(Retry_After=value, X_RateLimit_Limit=value, X_RateLimit_Reset_After=value)
    rate_limit = classify(429, odd, body(0, retry_after=2.0)).rate_limit
    assert (rate_limit.limit, rate_limit.reset_after, rate_limit.retry_after) == (None, None, 2.0)


@pytest.mark.parametrize("value", [10**400, -1, True, [5], {"a": 1}, "x", None])
def test_retry_after_of_a_body_that_is_no_length_of_time_does_no_harm(value: Any) -> None:
    rate_limit = classify(429, headers(Retry_After="3"), body(0, retry_after=value)).rate_limit
    assert rate_limit.retry_after == 3.0


@pytest.mark.parametrize(
    "raw", [b"-1", b"NaN", b"Infinity", b"-Infinity", b"1e300", b'"soon"', b"null", b"[]", b"-0.001"]
)
@pytest.mark.parametrize("header", [{}, {"Retry_After": "-5"}, {"Retry_After": "nan"}], ids=str)
def test_429_that_names_no_possible_time_is_guessed_and_says_so(raw: bytes, header: dict[str, str]) -> None:
    said = b'{"message": "no", "code": 0, "retry_after": %s}' % raw
    answer = classify(429, headers(**header), said)
    assert (answer.rate_limit.retry_after, answer.rate_limit.is_guessed) == (UNNAMED_WAIT, True)
    assert isinstance(answer.error, RateLimited)
    assert answer.error.is_guessed
    assert str(answer.error).endswith("; no time to wait is named that can be true")


def test_429_that_names_a_time_is_not_guessed() -> None:
    answer = classify(429, headers(Retry_After="nan"), body(0, retry_after=2.0))
    assert (answer.rate_limit.retry_after, answer.rate_limit.is_guessed) == (2.0, False)
    assert "no time" not in str(answer.error)


@pytest.mark.parametrize("value", [["9"], {"id": 9}, "9" * 30, "into:1:", None, 7])
def test_channel_id_that_is_no_snowflake_names_no_bucket(value: Any) -> None:
    raw = json.dumps({"id": "1", "channel_id": value}).encode()
    assert classify(200, headers(), raw).rate_limit.channel_id is None


def test_global_429_is_marked_as_global() -> None:
    assert classify(429, headers(), refusal(1.0, everywhere=True)).rate_limit.is_global
    assert classify(429, headers(X_RateLimit_Global="true"), body(0, retry_after=1.0)).rate_limit.is_global


def test_accepted_message_has_its_ids_and_rate_limit() -> None:
    answer = classify(200, headers(), b'{"id": "1", "channel_id": "2", "attachments": []}')
    assert answer.error is None
    assert (answer.message["id"], answer.rate_limit.channel_id) == ("1", "2")
    limits = answer.rate_limit
    assert (limits.bucket, limits.limit, limits.reset_after) == ("abcdef", 5, 1.999)
    assert classify(204, {}, b"", "DELETE").error is None


def test_cut_off_200_of_discord_counts_as_accepted() -> None:
    answer = classify(200, headers(), b'{"id": "77", "channel_id": "2", "conte')
    assert answer.error is None
    assert answer.message == {"id": "77"}
    assert classify(200, headers(), b"").error is None


@pytest.mark.parametrize(
    ("status", "told", "raw"),
    [
        (200, {"via": "1.1 proxy"}, b"<html>Log in to the hotel's network</html>"),
        (200, {"x-ratelimit-limit": "5"}, b"<html>Log in to the hotel's network</html>"),
        (200, {}, b"ok"),
        (200, {"via": "1.1 google"}, b'{"ok": true}'),
        (204, {}, b""),
        (204, {"via": "1.1 google"}, b""),
        (202, {}, b'"accepted"'),
        (200, {}, b'{"id": null}'),
    ],
)
def test_2xx_that_is_not_discords_confirms_nothing(status: int, told: dict[str, str], raw: bytes) -> None:
    answer = classify(status, told, raw)
    assert isinstance(answer.error, UnreadableResponse)
    assert answer.error.ambiguous


def test_message_id_near_the_start_of_a_cut_off_response_confirms_it() -> None:
    assert classify(200, {}, b'{"type": 0, "id": "77", "channel_id": "2", "cont').message == {"id": "77"}


def test_200_without_discords_headers_is_ambiguous() -> None:
    answer = classify(200, {}, b"<html>Log in to the hotel's network</html>")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


@pytest.mark.parametrize(("status", "ambiguous"), [(500, True), (504, True), (502, False), (503, False)])
def test_server_error_is_ambiguous_if_it_may_have_delivered(status: int, ambiguous: bool) -> None:
    answer = classify(status, headers(), b"")
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous is ambiguous


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
@settings(deadline=None)
def test_any_response_is_classified_without_another_error(
    status: int, raw: bytes, limit: str, retry_after: str
) -> None:
    answer = classify(status, {"x-ratelimit-limit": limit, "retry-after": retry_after}, raw)
    assert answer.error is None or isinstance(answer.error, DiscordError)
    assert len(str(answer.error)) <= 300 or answer.error is None


def test_deeply_nested_json_is_ambiguous() -> None:
    answer = classify(200, {}, b'{"id":' + b"[" * 100_000)
    assert isinstance(answer.error, DiscordUnavailable)
    assert answer.error.ambiguous


def test_html_error_page_becomes_one_short_line() -> None:
    page = b"<html><style>body { color: red }</style><h1>502</h1>\n\n<p>Bad\ngateway</p>" + b"x" * 5000
    told = str(classify(502, {}, page).error)
    assert told.startswith("Discord: 502 Bad gateway x")
    assert "\n" not in told
    assert "color" not in told


# --- which fields are refused ---------------------------------------------------------------------


def fields_of(errors: Any, method: str = "POST") -> dict[tuple[str, ...], str]:
    error = classify(400, OWN, body(50035, errors=errors), method).error
    assert isinstance(error, MessageRejected)
    return dict(error.fields)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_refused_fields_are_named_with_their_reason(method: str) -> None:
    leaf = {"_errors": [{"code": "URL_TYPE_INVALID_URL", "message": "Not a well\nformed URL."}]}
    errors = {"username": leaf, "embeds": {"1": {"author": {"url": leaf}}}}
    why = "URL_TYPE_INVALID_URL: Not a well formed URL"
    assert fields_of(errors, method) == {("username",): why, ("embeds", "1", "author", "url"): why}


@pytest.mark.parametrize(
    "errors",
    [
        *(None, [], "words", 7, {"username": "words"}, {"username": ["Must be 80"]}, {"embeds": {"0": None}}),
        {str(number): {"_errors": []} for number in range(1000)},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"_errors": []}}}}}}}}}},
    ],
)
def test_tree_of_errors_that_is_not_discords_names_no_field(errors: Any) -> None:
    assert fields_of(errors) == {}


@pytest.mark.parametrize("leaf", [{"_errors": None}, {"_errors": [1]}, {"_errors": [{"code": None}]}])
def test_field_refused_without_a_reason_is_named_all_the_same(leaf: Any) -> None:
    assert fields_of({"username": leaf}) == {("username",): ""}


def test_reason_for_a_refused_field_is_short() -> None:
    leaf = {"_errors": [{"code": "C" * 10_000, "message": "m" * 10_000}]}
    (why,) = fields_of({"username": leaf}).values()
    assert len(why) <= 202


@pytest.mark.parametrize("depth", [100, 300, 900, 990, 2_000, 30_000])
def test_tree_of_errors_of_any_depth_is_read_without_harm(depth: int) -> None:
    tree = '{"a":' * depth + "{}" + "}" * depth
    raw = f'{{"code": 50035, "message": "words", "errors": {tree}}}'.encode()
    error = classify(400, OWN, raw).error
    assert isinstance(error, MessageRejected)
    assert error.fields == {}
