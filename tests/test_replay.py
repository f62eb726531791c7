"""python -m disgram.replay: what a saved page would give, and the cause if it is not a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from disgram.replay import main
from tests.builders import pages

ROOT = Path(__file__).resolve().parents[1]
PAGE = pages.page(
    pages.post(4, pages.text("four <b>bold</b>")),
    pages.post(5, pages.album(pages.photo(5, "a"), pages.video(6, "b"), caption="five")),
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, Any]]:
    assert main([str(argument) for argument in arguments]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert isinstance(shown, list)
    return shown


def description(post: dict[str, Any]) -> str:
    return str(post["messages"][0]["payload"]["embeds"][0]["description"])


def test_replay_prints_every_post_of_a_page(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four, five = replayed(capsys, saved)
    assert (four["post"], description(four)) == ("https://t.me/harbour/4", "four **bold**")
    assert five["messages"][0]["files"] == [
        {"filename": "harbour-5-1.jpg", "content_type": "image/jpeg", "url": f"{pages.CDN}/a.jpg"},
        {"filename": "harbour-5-2.mp4", "content_type": "video/mp4", "url": f"{pages.CDN}/b.mp4?token=abc"},
    ]


def test_replay_prints_one_post_by_any_id_with_links(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (five,) = replayed(capsys, saved, "--post", "6", "--links")
    assert "files" not in five["messages"][0]
    assert "**[Photo](https://t.me/harbour/5)**" in description(five)
    assert "**[Video](https://t.me/harbour/6)** · 0:09" in description(five)


def test_replay_reads_a_part_of_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole post, as a person copies it, and an element alone, as UnknownMarkup saves it."""
    path = tmp_path / "part.html"
    path.write_text(pages.post(7, pages.text("seven")), encoding="utf-8")
    assert [description(one) for one in replayed(capsys, path)] == ["seven"]
    path.write_text('<div class="tgme_widget_message_hologram">new <i>kind</i></div>', encoding="utf-8")
    (one,) = replayed(capsys, path)
    assert description(one) == "new *kind*"
    assert one["not_understood"] == ["tgme_widget_message_hologram"]


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("", [], "not a preview page: 0 characters"),
        ("no markup at all", [], "not a preview page"),
        ("<html><title>Just a moment</title></html>", [], "titled 'Just a moment'"),
        (pages.landing("Telegram: View @x", action="View in Telegram"), [], "t.me shows no posts of"),
        (PAGE, ["--post", "9"], "there is no post 9; the page has 4, 5"),
    ],
)
def test_replay_of_something_else_prints_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, arguments: list[str], said: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(content, encoding="utf-8")
    assert main([str(path), *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.startswith(f"{path}: ")
    assert shown.err.count("\n") == 1


def test_replay_of_a_missing_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/no/such/page.html"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_replay_reads_standard_input() -> None:
    command = [sys.executable, "-m", "disgram.replay", "-", "--post", "4"]
    done = subprocess.run(command, cwd=ROOT, input=PAGE.encode(), capture_output=True, check=True, timeout=30)
    assert description(json.loads(done.stdout)[0]) == "four **bold**"
    assert done.stderr == b""
