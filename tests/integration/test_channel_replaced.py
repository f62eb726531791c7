"""Another channel under a name, seen from outside: nothing old is touched until the job is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, per_webhook=(50, 1.0), FOLLOW_DELETIONS="delete") as one:
        yield one


def test_changed_job_begins_anew_with_the_channel_that_has_the_name_now(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    for number in range(30):
        channel.add(post(words(f"old post {number}")))
    stage.start()
    stage.add_job("job", "news/1")
    eventually(lambda: len(stage.links()) == 30, of=stage.log)
    stage.telegram.add_channel("news").add(post(words("of the new channel")))
    eventually(lambda: stage.workers("job")["news"]["state"] == "failed", of=stage.log)
    assert stage.workers("job")["news"]["reason"] == "channel_replaced"
    assert len(stage.links()) == 30
    assert stage.call("PATCH", "/job", JOB_NAME="job", EMBED_COLOR="#123456").ok
    eventually(lambda: len(stage.links()) == 31, of=stage.log)
    assert stage.links()[-1].endswith("news/1")
