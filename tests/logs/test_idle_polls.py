"""Idle polls are summed up in one line every five minutes."""

from __future__ import annotations

from pathlib import Path

from disgram.logs.idle_polls import EVERY, IdlePolls
from disgram.report import Level, Report
from service import log_reports
from tests.logs.log_files import content, make
from tests.workers.specs import spec_of


def test_idle_polls_of_five_minutes_are_one_line() -> None:
    polls = IdlePolls()
    for second in range(0, 240, 60):
        for channel in range(118):
            polls.polled(channel, idle=True, now=float(second))
    assert polls.summary(EVERY - 1) is None
    assert polls.summary(EVERY) == "118 channels checked, nothing new"
    assert polls.summary(10 * EVERY) is None, "nothing was polled since"


def test_one_idle_channel_is_no_plural() -> None:
    polls = IdlePolls()
    polls.polled("durov", idle=True, now=0.0)
    assert polls.summary(EVERY) == "1 channel checked, nothing new"


def test_channel_with_news_is_not_counted_as_idle() -> None:
    polls = IdlePolls()
    polls.polled("durov", idle=True, now=0.0)
    polls.polled("durov", idle=False, now=60.0)
    assert polls.summary(EVERY) is None
    polls.polled("durov", idle=True, now=EVERY + 1)
    assert polls.summary(2 * EVERY + 1) == "1 channel checked, nothing new"


def test_idle_poll_is_no_line_of_its_own(tmp_path: Path) -> None:
    log, polls = make(tmp_path), IdlePolls(every=0.0)
    report = log_reports(log, polls)
    report(spec_of("quiet"), Report(None, "", {"polled": True, "last_post_id": 5}))
    report(spec_of("busy"), Report(Level.INFO, "Checked: posts 6 to 7", {"polled": True}))
    report(spec_of("failing"), Report(Level.ERROR, "Telegram: 502 Bad Gateway", {"polled": False}))
    assert [line.partition("] ")[0][20:] for line in content(tmp_path).splitlines()] == ["[INFO", "[ERROR"]
    assert polls.summary(float("inf")) == "1 channel checked, nothing new"
