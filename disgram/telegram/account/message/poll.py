"""Polls, quizzes and checklists of a message -> blocks, with the votes as far as they are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from telethon.tl import types as tl

from disgram.post import Block, Card, Media, Poll, PollOption, RichText, Run, Style, Text, plain
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.media import attached
from disgram.telegram.account.message.words import count_words
from disgram.telegram.list_marks import CHECKED, UNCHECKED

MEDIA = "poll"
EXPLANATION = "explanation"
OPTION = "option-"
"""`which` of a poll's own file, of its explanation's, and, with the index, of an option's."""


def poll(media: tl.MessageMediaPoll, item: Item) -> Iterator[Block]:
    """The poll, then its files. Telegram tells the votes to those who voted, or once it is closed."""
    results = {each.option: each for each in media.results.results or ()}
    total = media.results.total_voters or 0
    yield from attached(media.attached_media, item, MEDIA)
    yield Poll(
        question=_line(item, media.poll.question),
        kind=_kind(media.poll),
        options=tuple(
            _option(_line(item, answer.text), results.get(answer.option), total)
            for answer in media.poll.answers
        ),
        voters=count_words(total) if media.results.total_voters is not None else "",
    )
    for index, answer in enumerate(media.poll.answers):
        yield from _named(answer, index, item)
    yield from _explanation(media.results, item)


def _kind(poll: tl.Poll) -> str:
    """As t.me writes it; of a closed poll as Telegram's applications do."""
    word = "Quiz" if poll.quiz else "Poll"
    if poll.closed:
        return "Final Results"
    return word if poll.public_voters else f"Anonymous {word}"


def _option(text: str, votes: tl.PollAnswerVoters | None, total: int) -> PollOption:
    if votes is None:
        return PollOption(text, "")
    percent = "" if votes.voters is None else f"{_percent(votes.voters, total)}%"
    return PollOption(text, percent, correct=bool(votes.correct))


def _percent(votes: int, total: int) -> int:
    return round(100 * votes / total) if total > 0 else 0


def _named(answer: tl.PollAnswer, index: int, item: Item) -> Iterator[Media]:
    """The file of an option, with the option's words, since it stands below the poll."""
    for file in attached(answer.media, item, f"{OPTION}{index}"):
        yield replace(file, note=file.note or _line(item, answer.text))


def _explanation(results: tl.PollResults, item: Item) -> Iterator[Block]:
    if runs := item.runs(results.solution, results.solution_entities):
        yield Card("Explanation", runs)
        yield from attached(results.solution_media, item, EXPLANATION)


def checklist(media: tl.MessageMediaToDo, item: Item) -> Iterator[Text]:
    """Its title and its tasks, one a line, as a rich message has them."""
    done = {each.id for each in media.completions or ()}
    title = item.text_of(media.todo.title)
    lines: list[RichText] = [tuple(replace(run, styles=run.styles | {Style.BOLD}) for run in title)]
    for task in media.todo.list:
        lines.append((Run(CHECKED if task.id in done else UNCHECKED), *item.text_of(task.title)))
    yield Text(joined([line for line in lines if line]))


def joined(lines: list[RichText]) -> RichText:
    """The lines with a newline between them."""
    return tuple(run for index, line in enumerate(lines) for run in ((Run("\n"),) if index else ()) + line)


def _line(item: Item, text: tl.TextWithEntities | None) -> str:
    """As one line without formatting."""
    return " ".join(plain(item.text_of(text)).split())
