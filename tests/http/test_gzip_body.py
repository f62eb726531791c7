"""A gzip body in any pieces: all of it comes out, in small chunks, and a cut is noticed."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.http.gzip_body import GzipBody


def read(pieces: list[bytes], chunk_size: int = 100) -> tuple[bytes, bool]:
    body = GzipBody(chunk_size)
    chunks = [chunk for piece in pieces for chunk in body.decoded(piece)]
    assert all(0 < len(chunk) <= chunk_size for chunk in chunks)
    return b"".join(chunks), body.whole


MEMBERS = st.lists(
    st.one_of(st.binary(max_size=300), st.integers(0, 1000).map(bytes)), min_size=1, max_size=4
)


@given(MEMBERS, st.integers(1, 50), st.sampled_from([b"", b"\n", bytes(40), b"trailing words"]))
def test_all_members_come_out_however_the_bytes_arrive(members: list[bytes], size: int, after: bytes) -> None:
    packed = b"".join(map(gzip.compress, members)) + after
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert read(pieces) == (b"".join(members), True)


@given(MEMBERS, st.data())
def test_member_that_is_cut_off_is_not_whole(members: list[bytes], data: st.DataObject) -> None:
    last = gzip.compress(members[-1])
    cut = data.draw(st.integers(1, len(last) - 1))
    packed = b"".join(map(gzip.compress, members[:-1])) + last[:cut]
    assert not read([packed])[1]


@pytest.mark.parametrize("size", [99, 100, 101, 200, 1000])
def test_output_of_whole_chunks_is_given_out_without_more_input(size: int) -> None:
    assert read([gzip.compress(b"a" * size)]) == (b"a" * size, True)


def test_no_bytes_are_a_whole_body() -> None:
    assert read([]) == (b"", True)


def test_bytes_that_are_not_gzip_are_an_error() -> None:
    with pytest.raises(zlib.error):
        read([b"<html>not packed</html>"])
