"""Names of uploaded files: a document's and a song's own, made acceptable to Discord, and unique."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.discord.draft import files_of
from disgram.discord.names import own_file_name
from disgram.post import Media, MediaFile, MediaKind, TelegramPost


@pytest.mark.parametrize(
    ("name", "extension", "position", "expected"),
    [
        ("report.pdf", "pdf", 1, "report.pdf"),
        ("report.pdf", "pdf", 2, "report-2.pdf"),
        ("Annual Report (final).docx", "bin", 1, "Annual_Report_final.docx"),
        ("archive.tar.gz", "bin", 1, "archive_tar.gz"),
        ("Résumé.PDF", "pdf", 1, "Resume.pdf"),
        ("picture.png", "bin", 1, "picture.bin"),
        ("No extension", "mp3", 1, "No_extension.mp3"),
        ("../../etc/passwd", "bin", 1, "etc_passwd.bin"),
        ('a"\r\nX: y.txt', "txt", 1, "a_X_y.txt"),
        ("отчёт.pdf", "pdf", 1, None),
        ("...", "bin", 1, None),
    ],
)
def test_own_name_of_a_file_is_kept_as_far_as_discord_keeps_it(
    name: str, extension: str, position: int, expected: str | None
) -> None:
    assert own_file_name(name, extension, position) == expected


@given(st.text(max_size=200))
def test_any_name_is_made_of_letters_that_a_header_may_hold(name: str) -> None:
    own = own_file_name(name, "bin", 1)
    assert own is None or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,120}\.[a-z0-9]{1,8}", own)


def test_documents_and_songs_keep_their_names_and_pictures_do_not() -> None:
    media = (
        Media(MediaKind.DOCUMENT, "", name="report.pdf"),
        Media(MediaKind.DOCUMENT, "", name="report.pdf"),
        Media(MediaKind.AUDIO, "", name="Song"),
        Media(MediaKind.PHOTO, "", name="photo.jpg"),
        Media(MediaKind.DOCUMENT, "", name="secret.pdf", spoiler=True),
        Media(MediaKind.DOCUMENT, "", name="scan.pdf"),
    )
    kinds = [
        "application/pdf",
        "application/pdf",
        "audio/mpeg",
        "image/jpeg",
        "application/pdf",
        "image/jpeg",
    ]
    post = TelegramPost("news", 5, (5,), "News", media)
    files = files_of(post, {index: MediaFile(9, kind) for index, kind in enumerate(kinds)})
    assert [upload.filename for upload in files.uploads.values()] == [
        "report.pdf", "report-2.pdf", "Song-3.mp3", "news-5-4.jpg", "SPOILER_news-5-5.pdf", "news-5-6.jpg",
    ]  # fmt: skip
