"""Whole lines from a worker's pipe, however its bytes arrive, and the pipe's end."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from disgram.workers.log_pipe import LONGEST_LINE, Lines, LogPipe


@given(st.lists(st.binary(max_size=20)), st.integers(1, 8))
def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[bytes], width: int) -> None:
    stream = b"\n".join(parts)
    lines, found = Lines(), []
    for start in range(0, len(stream), width):
        found += lines.feed(stream[start : start + width])
    assert found + lines.rest() == [line for line in stream.split(b"\n") if line]


@given(st.binary(max_size=60), st.integers(1, 10), st.integers(1, 7))
def test_too_long_line_loses_its_end_and_no_other_line(stream: bytes, longest: int, width: int) -> None:
    lines, found = Lines(longest), []
    for start in range(0, len(stream), width):
        found += lines.feed(stream[start : start + width])
    assert found + lines.rest() == [line[:longest] for line in stream.split(b"\n") if line]


def test_pipe_ends_only_when_its_writing_end_is_closed() -> None:
    pipe = LogPipe()
    assert pipe.read() == []
    assert not pipe.at_end and not pipe.hung_up()
    os.write(pipe.writing, b"one\ntw")
    assert pipe.read() == [b"one"]
    os.close(pipe.writing)
    assert pipe.hung_up() and not pipe.at_end
    assert pipe.read() == [b"tw"]
    assert pipe.at_end
    pipe.close()


def test_rest_of_the_pipe_is_read_whole() -> None:
    pipe = LogPipe()
    os.write(pipe.writing, b"a\n" + b"x" * 60_000 + b"\nunfinished")
    assert pipe.read_rest() == [b"a", b"x" * 60_000, b"unfinished"]
    os.close(pipe.writing)


def test_longest_line_is_far_above_our_own_lines() -> None:
    assert LONGEST_LINE >= 100 * 300
