"""Records of `logging`, warnings and crashed threads in Disgram.log."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from disgram.logs.log_file import LogFile
from disgram.logs.python_logging import LONGEST_RECORD, LogFileHandler, logging_into
from disgram.report import Level

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter22-hunter22"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    log = LogFile(tmp_path / "Disgram.log", max_bytes=1 << 24, backups=1, secrets=(SECRET,))
    yield log
    log.close()


def lines(log: LogFile) -> list[str]:
    """Without their stamps."""
    return [line[20:] for line in log.tail(1000)]


def raised(error: Exception) -> Exception:
    """The exception with a traceback."""
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - that it was caught is all we want
        return caught


def test_error_of_a_library_is_one_line_with_the_traceback(log: LogFile) -> None:
    with logging_into(log):
        logging.getLogger("somelibrary.pool").error("pool broken", exc_info=raised(ValueError("a\nb")))
    (line,) = lines(log)
    assert line.startswith("[ERROR] somelibrary.pool: pool broken\\nTraceback (most recent call last):\\n")
    assert line.endswith("ValueError: a\\nb")


def test_warning_is_a_status_line_and_info_is_not_written(log: LogFile) -> None:
    with logging_into(log):
        logging.getLogger("somelibrary").warning("slow: %d s", 5)
        logging.getLogger("somelibrary").info("fine")
    assert lines(log) == ["[STATUS] somelibrary: slow: 5 s"]


def test_record_of_a_logger_that_does_not_propagate_is_written_once(log: LogFile) -> None:
    parent, child = logging.getLogger("sealed"), logging.getLogger("sealed.child")
    parent.propagate = False
    try:
        with logging_into(log):
            child.error("broken")
    finally:
        parent.propagate = True
    assert lines(log) == ["[ERROR] sealed.child: broken"]


def test_exception_reported_by_two_loggers_is_written_once(log: LogFile) -> None:
    error = raised(ValueError("broken"))
    with logging_into(log):
        logging.getLogger("disgram.api").error("GET / failed", exc_info=error)
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    (line,) = lines(log)
    assert line.startswith("[ERROR] disgram.api: GET / failed")


def test_secrets_and_webhook_tokens_are_masked_also_where_the_record_is_cut(log: LogFile) -> None:
    with logging_into(log):
        for position in range(len(SECRET) + 2):
            before, after = "x" * (LONGEST_RECORD // 3 - position), "y" * LONGEST_RECORD
            logging.getLogger("a").error(before + SECRET + after)
        logging.getLogger("a").error("https://discord.com/api/webhooks/1/the-token refused")
    text = "\n".join(lines(log))
    assert "hunter" not in text and "unter22" not in text
    assert "the-token" not in text and "webhooks/1/***" in text


def test_long_traceback_keeps_its_beginning_and_its_last_line(log: LogFile) -> None:
    with logging_into(log):
        logging.getLogger("a").error("failed", exc_info=raised(ValueError("x" * 50_000 + " the end")))
    (line,) = lines(log)
    assert line.startswith("[ERROR] a: failed\\nTraceback")
    assert line.endswith(" the end")
    assert len(line) < LONGEST_RECORD * 1.2


def test_flood_of_identical_records_is_two_lines(log: LogFile) -> None:
    with logging_into(log):
        for _ in range(500):
            logging.getLogger("a").error("again")
    assert lines(log) == ["[ERROR] a: again", "[ERROR] Repeated 499 times within 60 s: a: again"]


def test_flood_of_different_records_is_bounded(log: LogFile) -> None:
    with logging_into(log):
        for number in range(500):
            logging.getLogger("a").error("number %d", number)
    assert len(lines(log)) == 31
    assert lines(log)[-1] == "[ERROR] 470 more log records within 60 s were not written"


def test_summary_is_written_when_the_window_has_passed(log: LogFile) -> None:
    now = [0.0]
    handler = LogFileHandler(log, clock=lambda: now[0])
    record = logging.LogRecord("a", logging.ERROR, "a.py", 1, "again", None, None)
    other = logging.LogRecord("a", logging.ERROR, "a.py", 1, "another", None, None)
    handler.handle(record)
    handler.handle(record)
    handler.handle(other)
    eventually(lambda: len(lines(log)) == 2)
    now[0] = 61.0
    handler.handle(record)
    eventually(lambda: len(lines(log)) == 4)
    handler.close()
    assert lines(log)[2:] == ["[ERROR] Repeated 1 times within 60 s: a: again", "[ERROR] a: again"]


def test_record_with_wrong_arguments_is_reported_on_stderr_and_stops_nothing(
    log: LogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = LogFileHandler(log)
    handler.handle(logging.LogRecord("a", logging.ERROR, "a.py", 1, "%d", ("text",), None))
    handler.handle(logging.LogRecord("a", logging.ERROR, "a.py", 1, "next", (), None))
    handler.handle(logging.LogRecord("a", logging.ERROR, "a.py", 1, "%d", (SECRET,), None))
    handler.close()
    first, *others = lines(log)
    assert first.startswith("[ERROR] a: a record that cannot be written: ")
    assert others[0] == "[ERROR] a: next"
    captured = capsys.readouterr().err
    assert "a real number is required" in captured
    assert SECRET not in captured and "Traceback" not in captured


def test_record_made_while_the_log_is_written_is_written_too(
    log: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finaliser may warn at any moment, also while this thread holds the log's lock."""
    append = log._append

    def append_and_log(text: str) -> None:
        if "first" in text:
            logging.getLogger("a").error("made meanwhile")
        append(text)

    monkeypatch.setattr(log, "_append", append_and_log)
    with logging_into(log):
        log.write(Level.SYSTEM, "first")
    assert lines(log) == ["[SYSTEM] first", "[ERROR] a: made meanwhile"]


def test_caller_does_not_wait_for_the_disk(log: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = threading.Event()
    append = log._append
    monkeypatch.setattr(log, "_append", lambda text: disk.wait(60) and append(text))
    with logging_into(log):
        logging.getLogger("a").error("while the disk hangs")
        disk.set()
    assert lines(log) == ["[ERROR] a: while the disk hangs"]


def test_records_beyond_the_queue_are_dropped_while_the_disk_hangs(
    log: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    append = log._append
    monkeypatch.setattr(log, "_append", lambda text: disk.wait(60) and append(text))
    with logging_into(log):
        for _ in range(5000):
            logging.getLogger("a").error("while the disk hangs")
        disk.set()
    summary = lines(log)[-1]
    assert 900 <= int(summary.split()[2]) <= 1001


def test_warning_is_written(log: LogFile) -> None:
    with logging_into(log), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)  # catch_warnings has put the printing back
        warnings.warn("old API", DeprecationWarning, stacklevel=1)
    (line,) = lines(log)
    assert line.startswith("[STATUS] py.warnings: ") and "DeprecationWarning: old API" in line


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_exception_that_ends_a_thread_is_written(log: LogFile) -> None:
    def crash() -> None:
        raise ValueError("broken")

    with logging_into(log):
        thread = threading.Thread(target=crash, name="monitor")
        thread.start()
        thread.join()
    (line,) = lines(log)
    assert line.startswith("[ERROR] disgram: Thread 'monitor' crashed\\nTraceback")


def test_exception_in_a_callback_of_the_event_loop_is_written(log: LogFile) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with logging_into(log):
        asyncio.run(main())
    (line,) = lines(log)
    assert line.startswith("[ERROR] asyncio: Exception in callback") and "ZeroDivisionError" in line


def test_nothing_is_written_and_nothing_remains_installed_after_the_block(log: LogFile) -> None:
    hook, handlers = threading.excepthook, list(logging.root.handlers)
    with logging_into(log):
        assert threading.excepthook is not hook
    logging.getLogger("a").error("too late")
    assert lines(log) == []
    assert threading.excepthook is hook
    assert logging.root.handlers == handlers


def eventually(predicate: Callable[[], object], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.01)


def test_record_on_stderr_is_one_short_masked_line_and_repetitions_are_summarised(
    log: LogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    own = logging.StreamHandler(sys.stderr)
    logging.getLogger("a").addHandler(own)
    try:
        with logging_into(log):
            for _ in range(100):
                error = raised(
                    ValueError(f"{SECRET}\nhttps://discord.com/api/webhooks/1/the-token " + "x" * 999)
                )
                logging.getLogger("a").error("failed", exc_info=error)
    finally:
        logging.getLogger("a").removeHandler(own)
    first, *others = capsys.readouterr().err.splitlines()
    assert first.startswith("disgram: a: failed: https://discord.com/api/webhooks/1/*** x")
    assert len(others) == 1 and others[0].startswith("disgram: Repeated 99 times within 60 s: a: failed")
    assert all(len(line) < 320 for line in (first, *others))
    assert not any(secret in line for line in (first, *others) for secret in (SECRET, "the-token"))


def test_exception_of_a_finaliser_is_written_to_the_log_and_not_printed_whole(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from disgram.logs.log_file import LogFile; from disgram.logs.python_logging import logging_into\n"
        "import threading\n"
        "class A:\n"
        "    def __del__(self): raise ValueError('x/webhooks/1/the-token')\n"
        "def crash(): raise KeyError('x/webhooks/1/the-token')\n"
        "with logging_into(LogFile(Path(sys.argv[1]), max_bytes=1000, backups=0)):\n"
        "    A()\n"
        "    thread = threading.Thread(target=crash); thread.start(); thread.join()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "Disgram.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    first, second = done.stderr.splitlines()
    assert first.endswith("ValueError: x/webhooks/1/***")
    assert second.endswith("KeyError: 'x/webhooks/1/***'")


def test_record_after_the_log_is_closed_is_one_masked_line_on_stderr(tmp_path: Path) -> None:
    code = (
        "import logging; from disgram.logs.python_logging import MaskedStderr\n"
        "logging.lastResort = MaskedStderr(logging.WARNING)\n"
        "logging.getLogger('a').error('Traceback:\\n  x\\nValueError: x/webhooks/1/the-token')\n"
        "logging.getLogger('a').error('%d', 'the-token')\n"
        "logging.getLogger('a').info('nothing')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == "disgram: a: Traceback:: ValueError: x/webhooks/1/***\n"


def test_records_still_go_to_stderr_where_no_other_handler_is_installed(tmp_path: Path) -> None:
    """In a process of its own: pytest installs handlers."""
    code = (
        "import logging, sys; from pathlib import Path\n"
        "from disgram.logs.log_file import LogFile; from disgram.logs.python_logging import logging_into\n"
        "with logging_into(LogFile(Path(sys.argv[1]), max_bytes=1000, backups=0)):\n"
        "    logging.getLogger('asyncio').error('Too many open files')\n"
        "logging.getLogger('asyncio').error('after')\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "Disgram.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.splitlines() == ["disgram: asyncio: Too many open files", "after"]
    assert (tmp_path / "Disgram.log").read_text().endswith("[ERROR] asyncio: Too many open files\n")
