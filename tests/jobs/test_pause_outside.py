"""A paused job, seen from outside: nothing is polled or sent, and afterwards nothing is lost or repeated."""

from __future__ import annotations

from pathlib import Path

from standins.stage import eventually, staged
from standins.telegram.text_markup import post, words


def test_posts_and_edits_wait_for_a_paused_job_over_a_restart(tmp_path: Path) -> None:
    with staged(tmp_path, per_webhook=(50, 1.0)) as stage:
        channel = stage.telegram.add_channel("news")
        for number in range(3):
            channel.add(post(words(f"Post {number}")))
        stage.start()
        stage.add_job("job", "news")
        eventually(lambda: len(stage.links()) == 3, of=stage.log)
        assert stage.call("POST", "/job/pause", JOB_NAME="job").ok
        assert stage.workers("job")["news"]["state"] == "paused"
        assert not [one for one in stage.processes() if "webhook.py" in stage.title(one)]
        asked = len(stage.telegram.requests)
        channel.add(post(words("Post 3")))
        stage.stop()
        stage.start()
        assert (stage.health()["status"], stage.workers("job")["news"]["state"]) == ("healthy", "paused")
        assert len(stage.telegram.requests) == asked
        channel.add(post(words("Post 4")))
        assert stage.call("POST", "/job/resume", JOB_NAME="job").ok
        eventually(lambda: len(stage.links()) == 5, of=stage.log)
        assert stage.numbers() == sorted(set(stage.numbers()))
