"""The rules of a job, from outside: curl's headers in, Discord's messages out."""

from __future__ import annotations

from pathlib import Path

from standins.stage import eventually, staged
from standins.telegram.text_markup import post, words


def test_rules_choose_posts_ping_roles_and_are_explained(tmp_path: Path) -> None:
    with staged(tmp_path, per_webhook=(50, 1.0)) as stage:
        channel = stage.telegram.add_channel("news")
        storm, calm, spam = (channel.add(post(words(text))) for text in ("Storm!", "calm", "storm spam"))
        stage.start()
        stage.add_job("job", "news", INCLUDE="storm", EXCLUDE="spam", MENTION="123", SILENT="true")
        eventually(lambda: stage.numbers() == [storm], of=stage.log)
        (message,) = stage.arrived()
        assert (message.content, message.flags) == ("<@&123>", 4096)

        def told(number: int) -> tuple[str, str | None]:
            answer = stage.call("GET", "/job/explain", JOB_NAME="job", POST_URL=f"https://t.me/news/{number}")
            return answer.json()["state"], answer.json()["rule"]

        eventually(lambda: told(spam)[0] == "filtered", of=stage.log)
        assert [told(number) for number in (storm, calm, spam)] == [
            ("sent", None),
            ("filtered", "include"),
            ("filtered", "exclude"),
        ]
        preview = stage.call("GET", "/job/preview", JOB_NAME="job", TELEGRAM_CHANNELS="news").json()["posts"]
        assert [(one["verdict"], one["rule"]) for one in preview] == [
            ("forward", None),
            ("filtered", "include"),
            ("filtered", "exclude"),
        ]
        assert preview[0]["messages"][0]["payload"]["content"] == "<@&123>"
        refused = stage.call("PATCH", "/job", JOB_NAME="job", INCLUDE="storm(")
        assert refused.status_code == 400
        assert "'storm('" in refused.json()["detail"]["message"]


def test_each_post_opens_a_thread_in_a_forum(tmp_path: Path) -> None:
    with staged(tmp_path, per_webhook=(50, 1.0)) as stage:
        channel = stage.telegram.add_channel("news", "Harbour")
        number = channel.add(post(words("First line")))
        channel.add(post(words(" ".join(f"word{number}" for number in range(900)))))
        forum = stage.discord.add_channel("forum", forum=True)
        webhook = stage.discord.add_webhook(forum)
        stage.start()
        stage.add_job("job", "news", webhook.url, THREAD_NAME="{title}: {first_line}")
        eventually(lambda: len(stage.discord.threads(forum)) == 2, of=stage.log)
        first, second = stage.discord.threads(forum)
        assert first.name == "Harbour: First line"
        eventually(lambda: len(stage.arrived(second.id)) == 2, of=stage.log)
        channel.edit(number, post(words("First line, edited")))
        eventually(lambda: "edited" in str(stage.arrived(first.id)[0].embeds), of=stage.log)
