"""The stand-in for Discord refuses what Discord refuses, in Discord's words, and keeps what it accepts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from standins.discord import errors, faults
from standins.discord.body import BadMultipart, Part, parts_of
from standins.discord.messages import Webhook, clean_name
from standins.discord.rate_limits import Rates, Window
from standins.discord.rules import check
from standins.discord.server import DiscordStandIn
from standins.loopback import Fault

FREE = Rates(webhook=(10_000, 1.0), everything=None)


class Client:
    """One webhook of a running stand-in, spoken to as a client would."""

    def __init__(self, server: DiscordStandIn, session: requests.Session) -> None:
        self.server, self.session = server, session
        self.channel = server.add_channel("news")
        self.webhook: Webhook = server.add_webhook(self.channel)
        self.url = self.webhook.url.replace("/api/", "/api/v10/")

    def send(self, payload: Any, **query: str) -> requests.Response:
        return self.session.post(self.url, params={"wait": "true", **query}, json=payload, timeout=5)

    def upload(self, payload: Any, *names: str, body: bytes = b"x", **query: str) -> requests.Response:
        files = {f"files[{n}]": (name, body, "image/jpeg") for n, name in enumerate(names)}
        form = {"payload_json": json.dumps(payload)}
        return self.session.post(self.url, params=query, data=form, files=files, timeout=5)

    def message(self, number: str) -> str:
        return f"{self.url}/messages/{number}"


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def start(clock: list[float]) -> Iterator[Callable[..., Client]]:
    opened: list[tuple[DiscordStandIn, requests.Session]] = []

    def open_one(rates: Rates = FREE, **options: Any) -> Client:
        server, session = DiscordStandIn(rates=rates, clock=lambda: clock[0], **options), requests.Session()
        server.start()
        opened.append((server, session))
        return Client(server, session)

    yield open_one
    for server, session in opened:
        session.close()
        server.stop()


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    return start()


def leaf(answer: requests.Response, *path: str) -> str:
    """The code of the first error at a place of the tree."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (400, 50035, "Invalid Form Body")
    node = body["errors"]
    for step in path:
        node = node[step]
    return str(node["_errors"][0]["code"])


# --- what is accepted ---------------------------------------------------------------------------


def test_a_message_is_kept_and_answered_as_discord_does(client: Client) -> None:
    answer = client.send({"content": "  hello ", "username": "Ann", "embeds": [{"title": " T "}]})
    body = answer.json()
    assert answer.status_code == 200 and answer.headers["Via"] == "1.1 google"
    assert (body["content"], body["author"]["username"], body["author"]["bot"]) == ("hello", "Ann", True)
    assert (body["channel_id"], body["webhook_id"]) == (client.channel, client.webhook.id)
    assert body["embeds"] == [{"title": "T", "type": "rich"}] and body["edited_timestamp"] is None
    assert [message.id for message in client.server.messages(client.channel)] == [body["id"]]


def test_without_wait_there_is_no_body_unless_there_is_a_file(client: Client) -> None:
    assert client.session.post(client.url, json={"content": "a"}, timeout=5).status_code == 204
    assert client.upload({"content": "b"}, "a.jpg").status_code == 200


def test_ids_ascend_and_order_is_kept(client: Client) -> None:
    ids = [client.send({"content": str(number)}).json()["id"] for number in range(5)]
    assert ids == sorted(ids, key=int)
    assert [message.content for message in client.server.messages(client.channel)] == list("01234")


def test_limits_are_inclusive_and_count_trimmed_code_points(client: Client) -> None:
    wide = {"content": " " + "x" * 2000 + " ", "username": "n" * 80}
    assert client.send(wide).status_code == 200
    embed = {
        "title": "t" * 256,
        "description": "d" * 4096,
        "footer": {"text": "f" * 1392},
        "author": {"name": "a" * 256},
    }
    assert client.send({"embeds": [embed]}).status_code == 200
    assert client.send({"content": "👨‍👩‍👧" * 400}).status_code == 200
    assert not client.server.violations


def test_a_get_shows_the_webhook_without_using_its_bucket(start: Callable[..., Client]) -> None:
    client = start(Rates(webhook=(1, 100.0), everything=None))
    for _ in range(3):
        answer = client.session.get(client.url, timeout=5)
        assert answer.status_code == 200 and answer.json()["channel_id"] == client.channel
        assert "X-RateLimit-Limit" not in answer.headers


# --- what is refused ----------------------------------------------------------------------------

LONG, MISSING, SCHEME = "BASE_TYPE_MAX_LENGTH", "BASE_TYPE_REQUIRED", "URL_TYPE_INVALID_SCHEME"
NAME, EXCLUSIVE = "USERNAME_INVALID_CONTAINS", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
LEGACY = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


def embed(*embeds: dict[str, Any]) -> dict[str, Any]:
    return {"embeds": list(embeds)}


REFUSED: list[tuple[str, Any, str, str]] = [
    ("long content", {"content": "x" * 2001}, "content", LONG),
    ("content that is no text", {"content": ["x"]}, "content", "STRING_TYPE_CONVERT"),
    ("long name", {"content": "x", "username": "n" * 81}, "username", "BASE_TYPE_BAD_LENGTH"),
    ("empty name", {"content": "x", "username": "  "}, "username", "BASE_TYPE_BAD_LENGTH"),
    ("Discord's name", {"content": "x", "username": "My DisCord"}, "username", NAME),
    ("Clyde's name", {"content": "x", "username": "bonnie&clyde"}, "username", NAME),
    ("everyone's name", {"content": "x", "username": "Everyone"}, "username", "USERNAME_INVALID"),
    ("avatar of no web", {"content": "x", "avatar_url": "ftp://a/b"}, "avatar_url", SCHEME),
    ("11 embeds", {"embeds": [{"title": "t"}] * 11}, "embeds", LONG),
    ("no list of embeds", {"embeds": "x"}, "embeds", "LIST_TYPE_CONVERT"),
    ("an embed that is text", {"embeds": ["x"]}, "embeds.0", "DICT_TYPE_CONVERT"),
    ("an empty embed", embed({}), "embeds.0.description", MISSING),
    ("title", embed({"title": "x" * 257}), "embeds.0.title", LONG),
    ("text", embed({"description": "x" * 4097}), "embeds.0.description", LONG),
    ("footer", embed({"footer": {"text": "x" * 2049}}), "embeds.0.footer.text", LONG),
    ("author", embed({"author": {"name": "x" * 257}}), "embeds.0.author.name", LONG),
    ("no author", embed({"author": {"name": " "}}), "embeds.0.author.name", MISSING),
    ("26 fields", embed({"fields": [{"name": "n", "value": "v"}] * 26}), "embeds.0.fields", LONG),
    ("field", embed({"fields": [{"name": "n", "value": ""}]}), "embeds.0.fields.0.value", MISSING),
    (
        "6001 in all",
        embed({"description": "x" * 3000}, {"description": "x" * 3001}),
        "embeds",
        "MAX_EMBED_SIZE_EXCEEDED",
    ),
    ("colour", embed({"title": "t", "color": 0x1000000}), "embeds.0.color", "NUMBER_TYPE_MAX"),
    ("time", embed({"title": "t", "timestamp": "now"}), "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE"),
    ("tg link", embed({"title": "t", "url": "tg://x"}), "embeds.0.url", SCHEME),
    ("empty link", embed({"title": "t", "url": ""}), "embeds.0.url", SCHEME),
    ("attached link", embed({"title": "t", "url": "attachment://a.jpg"}), "embeds.0.url", SCHEME),
    ("image data", embed({"image": {"url": "data:x"}}), "embeds.0.image.url", SCHEME),
    ("long link", embed({"title": "t", "url": "https://a/" + "x" * 2040}), "embeds.0.url", LONG),
    (
        "parse",
        {"content": "x", "allowed_mentions": {"parse": ["all"]}},
        "allowed_mentions.parse.0",
        "BASE_TYPE_CHOICES",
    ),
    (
        "both",
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions",
        EXCLUSIVE,
    ),
    (
        "lost attachment",
        {"content": "x", "attachments": [{"id": 0}]},
        "attachments.0.id",
        "UPLOADED_FILE_NOT_FOUND",
    ),
    ("flags", {"content": "x", "flags": 64}, "flags", "BASE_TYPE_CHOICES"),
    ("components", {"content": "x", "flags": 32768, "components": [{}]}, "content", LEGACY),
    ("not an object", [1], "_root", "DICT_TYPE_CONVERT"),
]


@pytest.mark.parametrize(
    ("payload", "path", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_bad_form_is_refused_field_by_field(payload: Any, path: str, code: str, client: Client) -> None:
    assert leaf(client.send(payload), *path.split(".")) == code
    assert not client.server.messages() and len(client.server.violations) == 1
    assert client.server.violations[0].body == payload


@pytest.mark.parametrize(
    "payload",
    [{}, {"content": " \n "}, {"embeds": []}, {"username": "x"}],
    ids=["nothing", "spaces", "none", "name"],
)
def test_an_empty_message_is_refused(payload: dict[str, Any], client: Client) -> None:
    answer = client.send(payload)
    assert (answer.status_code, answer.json()["code"]) == (400, 50006)


def test_what_is_no_json_or_no_known_type_is_refused(client: Client) -> None:
    send = client.session.post
    broken = send(client.url, data=b"{", headers={"Content-Type": "application/json"}, timeout=5)
    assert (broken.status_code, broken.json()["code"]) == (400, 50109)
    typeless = send(client.url, data=b"hi", headers={"Content-Type": "text/plain"}, timeout=5)
    assert leaf(typeless, "_root") == "CONTENT_TYPE_INVALID"


@pytest.mark.parametrize(
    ("text", "status"), [("🔷" * 2490, 200), ("🔷" * 2491, 500), ("あ" * 4096, 500), ("x" * 4096, 200)]
)
def test_about_ten_kilobytes_are_too_much_for_the_server(text: str, status: int, client: Client) -> None:
    assert client.send({"embeds": [{"description": text}]}).status_code == status


def test_the_old_api_speaks_otherwise(client: Client) -> None:
    send = client.session.post
    assert send(client.webhook.url, json={"content": "x" * 2001}, timeout=5).json() == {
        "content": ["Must be 2000 or fewer in length."]
    }
    assert send(client.webhook.url, json={"embeds": [{"title": "x" * 257}]}, timeout=5).json() == {
        "embeds": ["0"]
    }
    ancient = send(client.webhook.url.replace("/api/", "/api/v5/"), json={"content": "x"}, timeout=5)
    assert (ancient.status_code, ancient.json()["code"]) == (400, 50041)


@pytest.mark.parametrize(
    ("agent", "status"), [("", 403), ("Python-urllib/3.11", 403), ("DiscordBot (x, 1)", 200)]
)
def test_cloudflare_judges_the_user_agent(agent: str, status: int, client: Client) -> None:
    answer = client.session.post(
        client.url, params={"wait": "1"}, json={"content": "x"}, headers={"User-Agent": agent}, timeout=5
    )
    assert answer.status_code == status
    assert ("Via" in answer.headers) == (status == 200)
    assert status == 200 or answer.text == "error code: 1010"


# --- webhooks and threads -----------------------------------------------------------------------


def test_gone_and_forged_webhooks(client: Client) -> None:
    forged = client.session.post(client.url[:-3] + "xxx", json={"content": "x"}, timeout=5)
    assert (forged.status_code, forged.json()["code"]) == (401, 50027)
    client.server.delete_webhook(client.webhook.id)
    gone = client.send({"content": "x"})
    assert (gone.status_code, gone.json()["code"]) == (404, 10015)


def test_a_deleted_webhook_is_gone_for_good(client: Client) -> None:
    assert client.session.delete(client.url, timeout=5).status_code == 204
    assert client.send({"content": "x"}).json()["code"] == 10015


@pytest.mark.parametrize("status", [404, 400])
def test_threads_belong_to_their_channel(start: Callable[..., Client], status: int) -> None:
    client = start(unknown_thread_status=status)
    server = client.server
    thread = server.add_thread(client.channel)
    foreign = server.add_thread(server.add_channel("other"))
    sent = client.send({"content": "x"}, thread_id=thread)
    assert sent.json()["channel_id"] == thread and server.messages(client.channel) == []
    for wrong in (foreign, "123", server.add_channel("third")):
        answer = client.send({"content": "x"}, thread_id=wrong)
        assert (answer.status_code, answer.json()["code"]) == (status, 10003)
    assert leaf(client.send({"content": "x"}, thread_id="abc"), "thread_id") == "NUMBER_TYPE_COERCE"
    server.lock(thread)
    assert client.send({"content": "x"}, thread_id=thread).json()["code"] == 160005
    server.delete_channel(thread)
    assert client.send({"content": "x"}, thread_id=thread).json()["code"] == 10003


def test_forums_want_a_thread_and_only_they_do(client: Client) -> None:
    server = client.server
    assert client.send({"content": "x", "thread_name": "t"}).json()["code"] == 220003
    forum = server.add_channel("forum", forum=True)
    client.url = server.add_webhook(forum).url.replace("/api/", "/api/v10/")
    assert client.send({"content": "x"}).json()["code"] == 220001
    made = client.send({"content": "x", "thread_name": "t"}).json()["channel_id"]
    assert client.send({"content": "y", "thread_name": "t"}, thread_id=made).json()["code"] == 220002
    assert client.send({"content": "y"}, thread_id=made).json()["channel_id"] == made


# --- files --------------------------------------------------------------------------------------


def test_files_are_kept_byte_for_byte_and_served(client: Client) -> None:
    body = bytes(range(256)) * 40 + b"\r\n--boundary\r\n\r\n--"
    answer = client.upload({"content": "x"}, "a b(1)é.jpg", body=body).json()
    (attachment,) = answer["attachments"]
    assert (attachment["filename"], attachment["size"]) == ("a_b1.jpg", len(body))
    assert client.session.get(attachment["url"], timeout=5).content == body
    assert client.server.messages()[0].files[0].sent_as == "a b(1)é.jpg"
    part = client.session.get(attachment["url"], headers={"Range": "bytes=1-3"}, timeout=5)
    assert (part.status_code, part.content) == (206, body[1:4])


def test_a_file_in_an_embed_leaves_the_attachments(client: Client) -> None:
    payload = {"embeds": [{"url": "https://t.me/x/1", "image": {"url": "attachment://my pic.jpg"}}]}
    body = client.upload(payload, "my pic.jpg", "film.mp4").json()
    assert [one["filename"] for one in body["attachments"]] == ["film.mp4"]
    assert body["embeds"][0]["image"]["url"].endswith("/my_pic.jpg")
    assert client.session.get(body["embeds"][0]["image"]["url"], timeout=5).status_code == 200


@pytest.mark.parametrize("name", ["other.jpg", "film.mp4"])
def test_a_picture_that_cannot_be_shown_disappears_and_is_remembered(name: str, client: Client) -> None:
    payload = {"embeds": [{"title": "t", "image": {"url": f"attachment://{name}"}}]}
    body = client.upload(payload, "film.mp4").json()
    assert body["embeds"] == [{"title": "t", "type": "rich"}]
    assert client.server.messages()[0].oddities and not client.server.violations


def test_ten_files_pass_and_eleven_do_not(client: Client) -> None:
    names = [f"{number}.jpg" for number in range(11)]
    assert client.upload({}, *names[:10]).status_code == 200
    refused = client.upload({}, *names)
    assert (refused.status_code, refused.json()["code"]) == (400, 30015)


def test_the_size_limit_is_per_file(start: Callable[..., Client]) -> None:
    client = start(upload_limit=1000)
    assert client.upload({}, "a.jpg", "b.jpg", body=b"x" * 1000).status_code == 200
    refused = client.upload({}, "a.jpg", body=b"x" * 1001)
    assert (refused.status_code, refused.json()["code"]) == (413, 40005)


def test_a_streamed_body_is_read_too(client: Client) -> None:
    pieces = (piece for piece in (b'{"content":', b'"chunks"}'))
    headers = {"Content-Type": "application/json"}
    answer = client.session.post(client.url, params={"wait": "1"}, data=pieces, headers=headers, timeout=5)
    assert answer.json()["content"] == "chunks"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("a b.jpg", "a_b.jpg"),
        ("_.x.png", "x.png"),
        ("фото.jpg", "jpg"),
        ("a/b\\c.jpg", "bc.jpg"),
        ("é", "unknown"),
    ],
)
def test_file_names_are_cleaned(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_multipart_gives_back_any_bytes(body: bytes) -> None:
    made = requests.Request(
        "POST", "http://x/", data={"a": "1"}, files={"f": ("n.bin", body, "x/y")}
    ).prepare()
    assert isinstance(made.body, bytes)
    parts = parts_of(made.headers["Content-Type"], made.body)
    assert [(part.name, part.filename) for part in parts] == [("a", None), ("f", "n.bin")]
    assert parts[1].body == body


def test_a_preamble_says_nothing_and_a_missing_end_is_refused() -> None:
    body = b'\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    assert parts_of("multipart/form-data; boundary=b", body) == [Part("a", b"1")]
    with pytest.raises(BadMultipart):
        parts_of("multipart/form-data; boundary=b", body.replace(b"--b--", b"--b"))


# --- edits and deletions ------------------------------------------------------------------------


def test_an_edit_changes_what_it_names_and_keeps_the_rest(client: Client) -> None:
    number = client.upload({"content": "before", "embeds": [{"title": "t"}]}, "a.jpg").json()["id"]
    edited = client.session.patch(client.message(number), json={"content": "after"}, timeout=5).json()
    assert (edited["content"], len(edited["embeds"]), len(edited["attachments"])) == ("after", 1, 1)
    assert edited["edited_timestamp"] and client.server.messages()[0].edits == [{"content": "after"}]
    bare = client.session.patch(
        client.message(number), json={"attachments": [], "embeds": None}, timeout=5
    ).json()
    assert (bare["attachments"], bare["embeds"], bare["content"]) == ([], [], "after")


def test_an_edit_may_not_break_a_rule_or_leave_nothing(client: Client) -> None:
    number = client.send({"content": "x"}).json()["id"]
    patch = client.session.patch
    assert leaf(patch(client.message(number), json={"content": "x" * 2001}, timeout=5), "content")
    empty = patch(client.message(number), json={"content": ""}, timeout=5)
    assert (empty.status_code, empty.json()["code"]) == (400, 50006)
    assert client.server.messages()[0].content == "x"


def test_messages_in_threads_need_the_thread(client: Client) -> None:
    thread = client.server.add_thread(client.channel)
    number = client.send({"content": "x"}, thread_id=thread).json()["id"]
    url, edit = client.message(number), {"content": "y"}
    assert client.session.patch(url, json=edit, timeout=5).json()["code"] == 10008
    assert client.session.patch(url, params={"thread_id": thread}, json=edit, timeout=5).status_code == 200
    assert client.session.get(url, params={"thread_id": thread}, timeout=5).json()["content"] == "y"


def test_a_deleted_message_is_unknown(client: Client) -> None:
    number = client.send({"content": "x"}).json()["id"]
    assert client.session.delete(client.message(number), timeout=5).status_code == 204
    again = client.session.delete(client.message(number), timeout=5)
    assert (again.status_code, again.json()["code"]) == (404, 10008)
    assert client.server.messages() == [] and len(client.server.messages(deleted=True)) == 1


def test_changes_are_told_in_order(client: Client) -> None:
    serial, _ = client.server.changes(0, 0)
    number = client.send({"content": "x"}).json()["id"]
    serial, changed = client.server.changes(serial, 5)
    assert [message.id for message in changed] == [number]
    client.session.delete(client.message(number), timeout=5)
    _, changed = client.server.changes(serial, 5)
    assert [message.deleted for message in changed] == [True]


# --- rate limits --------------------------------------------------------------------------------


def test_five_in_two_seconds_with_headers_that_agree(
    start: Callable[..., Client], clock: list[float]
) -> None:
    client = start(Rates(everything=None))
    answers = []
    for _ in range(6):
        answers.append(client.send({"content": "x"}))
        clock[0] += 0.1
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    headers = [answer.headers for answer in answers]
    assert [one["X-RateLimit-Remaining"] for one in headers] == ["4", "3", "2", "1", "0", "0"]
    assert [one["X-RateLimit-Reset-After"] for one in headers[:3]] == ["2.000", "1.900", "1.800"]
    assert len({one["X-RateLimit-Reset"] for one in headers}) == 1
    refused = answers[-1].json()
    assert refused["message"] == "You are being rate limited." and not refused["global"]
    assert 1.5 <= refused["retry_after"] < 1.51 and headers[-1]["Retry-After"] == "2"
    assert headers[-1]["X-RateLimit-Scope"] == "user" and len(client.server.limited) == 1
    clock[0] += refused["retry_after"]
    assert client.send({"content": "x"}).status_code == 200


def test_webhooks_share_the_bucket_hash_but_not_the_bucket(start: Callable[..., Client]) -> None:
    client = start(Rates(webhook=(1, 2.0), everything=None))
    first = client.send({"content": "x"})
    client.url = client.server.add_webhook(client.channel).url.replace("/api/", "/api/v10/")
    second = client.send({"content": "x"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.headers["X-RateLimit-Bucket"] == second.headers["X-RateLimit-Bucket"]


def test_refused_requests_use_the_budget_too(start: Callable[..., Client]) -> None:
    client = start(Rates(webhook=(2, 2.0), everything=None))
    assert [client.send({}).status_code for _ in range(3)] == [400, 400, 429]


def test_the_hidden_limit_is_heard_of_at_its_429(start: Callable[..., Client], clock: list[float]) -> None:
    client = start(Rates(webhook=(100, 2.0), channel=(3, 60.0), everything=None))
    answers = [client.send({"content": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert int(last.headers["X-RateLimit-Remaining"]) > 0 and last.headers["X-RateLimit-Scope"] == "shared"
    assert (
        last.json()["message"] == "The resource is being rate limited."
        and int(last.headers["Retry-After"]) == 61
    )
    clock[0] += 60
    assert client.send({"content": "x"}).status_code == 200


def test_the_global_limit_names_itself(start: Callable[..., Client]) -> None:
    client = start(Rates(webhook=(100, 1.0), everything=(2, 1.0)))
    last = [client.send({"content": "x"}) for _ in range(3)][-1]
    assert last.status_code == 429 and last.json()["global"] is True
    assert (last.headers["X-RateLimit-Global"], last.headers["X-RateLimit-Scope"]) == ("true", "global")


def test_too_many_invalid_requests_bring_cloudflare(start: Callable[..., Client], clock: list[float]) -> None:
    client = start(Rates(webhook=(1, 10.0), everything=None, invalid=(3, 600.0)))
    assert [client.send({"content": "x"}).status_code for _ in range(4)] == [200, 429, 429, 429]
    banned = client.send({"content": "x"})
    assert banned.status_code == 429 and banned.text == "error code: 1015" and "Via" not in banned.headers
    clock[0] += 601
    assert client.send({"content": "x"}).status_code == 200


def test_the_old_api_counts_in_milliseconds(start: Callable[..., Client]) -> None:
    client = start(Rates(webhook=(1, 2.0), everything=None))
    client.url = client.webhook.url
    last = [client.send({"content": "x"}) for _ in range(2)][-1]
    assert last.json()["retry_after"] == 2001 and last.headers["Retry-After"] == "2001"
    assert last.headers["X-RateLimit-Reset"].isdigit()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_window_ever_lets_more_through_than_its_limit(steps: list[float]) -> None:
    window, now, passed = Window(5, 2.0), 0.0, []
    for step in steps:
        now += step
        if window.take(now):
            passed.append((window.opened, now))
        assert 0 <= window.left(now) <= 2.0 + 1e-9
    for opened, _ in passed:
        assert sum(opened <= moment < opened + 2.0 for _, moment in passed) <= 5


# --- rules, of any payload ----------------------------------------------------------------------

_keys = st.sampled_from(
    [
        "content",
        "embeds",
        "title",
        "url",
        "image",
        "author",
        "name",
        "fields",
        "value",
        "flags",
        "attachments",
        "id",
    ]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_keys, _json, max_size=6))
def test_whatever_comes_is_judged_and_never_breaks_the_judge(payload: dict[str, Any]) -> None:
    refused = check(payload, filenames=[])
    assert refused is None or (json.dumps(refused.body()) and json.dumps(refused.body(version=6)))


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "via"),
    [
        (faults.server_error(500), 500, True),
        (faults.server_error(502), 502, False),
        (faults.server_error(503), 503, False),
        (faults.cloudflare_page(), 429, False),
        (faults.cloudflare_page(300), 429, False),
        (faults.cloudflare_1015(), 403, False),
        (faults.global_limit(1.5), 429, True),
        (faults.shared_limit(40), 429, True),
        (faults.refuse(errors.UNKNOWN_WEBHOOK), 404, True),
    ],
)
def test_a_fault_is_answered_once_and_sends_nothing(
    fault: Fault, status: int, via: bool, client: Client
) -> None:
    client.server.fail(fault)
    answer = client.send({"content": "x"})
    assert (answer.status_code, "Via" in answer.headers) == (status, via)
    assert client.server.messages() == []
    assert client.send({"content": "x"}).status_code == 200
    assert client.server.count(status) == 1


def test_a_reset_before_reading_sends_nothing_and_one_after_accepting_does(client: Client) -> None:
    client.server.fail(Fault.reset_before())
    with pytest.raises(requests.ConnectionError):
        client.send({"content": "lost"})
    client.server.fail(Fault.reset_after())
    with pytest.raises(requests.ConnectionError):
        client.send({"content": "accepted"})
    assert [message.content for message in client.server.messages()] == ["accepted"]
    assert client.server.count(0) == 2


def test_a_garbled_answer_hides_a_message_that_was_sent(client: Client) -> None:
    client.server.fail(Fault.garbled())
    answer = client.send({"content": "x"})
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert len(client.server.messages()) == 1
